// SPDX-License-Identifier: Apache-2.0

/// What happened on each vCPU, when: what a report adds up, spread over time.
///
/// Its memory does not grow with the trace. ``Bucket``s have all of it as sums, which are exact; ``Event``s have it one by one, of a
/// long trace only here and there, but wherever a finding rests on something.
public struct Timeline: Onlooker, ~Copyable, Sendable {
    var tracks = Table<VCPUIndex, TimelineTrack>()
    var pool: DetailPool
    /// When the first event came.
    private(set) var origin: UInt64?
    /// Buckets that a vCPU may have.
    private(set) var limit: Int
    private var tracksMade = 0
    /// The vCPUs, once the trace is over: those that the report has.
    public internal(set) var vcpus: [VCPU] = []

    /// A vCPU as the report calls it.
    public struct VCPU: Equatable, Sendable {
        /// ``Report/VM/id``.
        public var vm: Int
        public var id: Int32?
        public var tid: Int32?
        public var isa: ISA
        /// L2 ran on it, or L1 asked for it.
        public var hasNested: Bool
        /// Exits of L1 that live tracing only counted: they are in the report, and at no time.
        public var exitsCounted: UInt64
        /// Where it is in the machine.
        let place: VCPUIndex

        /// It is this one of the report's.
        public func isSame(as vcpu: Report.VCPU, of vm: Report.VM) -> Bool {
            self.vm == vm.id && id == vcpu.id && (tid.map { $0 < 0 } ?? true ? nil : tid) == vcpu.tid
        }
    }

    /// Each vCPU has as many while there are 64 of them, and fewer of more: 200 bytes each.
    static let mostBuckets = 2048
    private static let allBuckets = 64 * mostBuckets
    private static let fewestBuckets = 32
    /// Moments of one kind that are kept whole on a vCPU.
    private static let mostPins = 16

    public init() { self.init(chunks: 1 << 14) }

    /// - Parameters:
    ///   - chunks: of a hundred items, for all vCPUs.
    ///   - buckets: for each vCPU.
    init(chunks: Int, buckets: Int = Timeline.mostBuckets) {
        pool = DetailPool(capacity: chunks)
        limit = buckets
    }

    public mutating func begin() {
        self = Timeline(chunks: pool.capacity, buckets: limit)
    }

    public mutating func forget(_ vcpus: [VCPUIndex]) {
        for vcpu in vcpus where hasTrack(vcpu) {
            tracks[vcpu] = TimelineTrack()
            tracksMade -= 1
            pool.forget(vcpu)
        }
    }

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool { true }
    @inline(__always)
    public func watchesExits(of vcpu: VCPUIndex) -> Bool { true }

    public mutating func entered(
        _ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        make(vcpu, at: stamp.time)
        tracks[vcpu].entered(at: stamp.time, limit: limit)
        (tracks[vcpu].exitItem, tracks[vcpu].accessItem) = (nil, nil)
        note(TimelineItem(.entry, level: level), of: vcpu, at: stamp.time)
    }

    /// A track where there is none yet.
    @inline(__always)
    mutating func make(_ vcpu: VCPUIndex, at time: UInt64) {
        if !hasTrack(vcpu) { makeTrack(vcpu, at: time) }
    }

    @inline(__always)
    func hasTrack(_ vcpu: VCPUIndex) -> Bool { tracks.contains(vcpu) && tracks[vcpu].isMade }

    @inline(never)
    private mutating func makeTrack(_ vcpu: VCPUIndex, at time: UInt64) {
        let origin = origin ?? time
        self.origin = origin
        tracks[vcpu, default: TimelineTrack()] = TimelineTrack(origin: origin, at: time)
        tracksMade += 1
        while tracksMade * limit > Self.allBuckets, limit > Self.fewestBuckets {
            limit /= 2
            for vcpu in tracks.indices { tracks[vcpu].buckets.shrink(to: limit) }
        }
    }

    /// Keeps an item, if there is room for it.
    @inline(__always)
    mutating func note(_ item: TimelineItem, of vcpu: VCPUIndex, at time: UInt64) {
        guard let chunk = tracks[vcpu].chunk, !pool.chunks[chunk].isFull, time >= pool.chunks[chunk].end,
            time - pool.chunks[chunk].end <= UInt64(UInt32.max)
        else { return noteSlowly(item, of: vcpu, at: time) }
        pool.add(item, to: chunk, at: time)
    }

    @inline(never)
    private mutating func noteSlowly(_ item: TimelineItem, of vcpu: VCPUIndex, at time: UInt64) {
        if let chunk = tracks[vcpu].chunk, time < pool.chunks[chunk].end {
            return noteLate(item, of: vcpu, at: time, after: pool.chunks[chunk].end)
        }
        guard
            let chunk = pool.chunk(of: vcpu, number: tracks[vcpu].chunks, at: time, pinned: tracks[vcpu].pinsNext)
        else { return }
        if let before = tracks[vcpu].begin(chunk) { pool.release(before) }
        pool.add(item, to: chunk, at: time)
    }

    /// What is told after something that came later: how much earlier it was stands before it.
    private mutating func noteLate(_ item: TimelineItem, of vcpu: VCPUIndex, at time: UInt64, after latest: UInt64) {
        note(TimelineItem(.late), since: time, of: vcpu, at: latest)
        note(item, of: vcpu, at: latest)
    }

    /// Something that belongs to the item after it and has a time of its own.
    mutating func note(_ item: TimelineItem, since earlier: UInt64, of vcpu: VCPUIndex, at time: UInt64) {
        let time = max(time, tracks[vcpu].chunk.map { pool.chunks[$0].end } ?? 0)
        // The time goes on by an item that is none.
        note(.nothing, of: vcpu, at: time)
        if let chunk = tracks[vcpu].chunk, pool.chunks[chunk].isFull { noteSlowly(.nothing, of: vcpu, at: time) }
        guard let chunk = tracks[vcpu].chunk, !pool.chunks[chunk].isFull else { return }
        pool.add(item, to: chunk, ago: time - earlier)
    }

    /// Where the latest item is, if it is of that kind: there may have been no room for it.
    func latestItem(_ kind: Event.Kind, of vcpu: VCPUIndex) -> DetailPool.ItemPlace? {
        guard let chunk = tracks[vcpu].chunk else { return nil }
        let latest = DetailPool.ItemPlace(chunk: chunk, index: pool.chunks[chunk].count - 1)
        return pool.chunks[chunk].items[latest.index].kind == kind ? latest : nil
    }

    /// What happened just now is kept whole, with its neighbours.
    mutating func pin(_ kind: Event.Kind, of vcpu: VCPUIndex) {
        guard tracks[vcpu].pins[Int(kind.rawValue)] < Self.mostPins else { return }
        tracks[vcpu].pins[Int(kind.rawValue)] += 1
        tracks[vcpu].pinsNext = true
        if let chunk = tracks[vcpu].chunk { pool.pin(chunk) }
        if let chunk = tracks[vcpu].chunkBefore { pool.pin(chunk) }
    }

    @inline(__always)
    public var needsRoom: Bool { pool.needsRoom }

    public mutating func makeRoom(keeping moments: [Moment], in machine: borrowing Machine) {
        var wanted: [(vcpu: VCPUIndex, time: UInt64)] = []
        for moment in moments {
            for vcpu in moment.vcpu.map({ [$0] }) ?? machine.vms[moment.vm].vcpus { wanted.append((vcpu, moment.time)) }
        }
        // What waits now may be what a finding will rest on.
        for vcpu in machine.vcpus.indices {
            let ledger = machine.vcpus[vcpu].ledger
            wanted += ledger.pending.compactMap { ledger[$0].pending.map { (vcpu, $0.since.time) } }
            wanted += ledger.inService.compactMap { ledger[$0].inService.map { (vcpu, $0.since.time) } }
        }
        pool.makeRoom(keeping: wanted)
    }
}
