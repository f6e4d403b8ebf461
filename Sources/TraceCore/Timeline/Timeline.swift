// SPDX-License-Identifier: Apache-2.0

/// What happened on each vCPU, when: what a report adds up, spread over time.
///
/// Its memory does not grow with the trace. ``Bucket``s have all of it as sums, which are exact; ``Event``s have it one by one, of a
/// long trace only here and there, but wherever a finding rests on something.
public struct Timeline: Onlooker, ~Copyable, Sendable {
    var tracks = Table<VCPUIndex, TimelineTrack?>()
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
        for vcpu in vcpus where tracks.contains(vcpu) && tracks[vcpu] != nil {
            tracks[vcpu] = nil
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
        tracks[vcpu]?.entered(at: stamp.time, limit: limit)
        tracks[vcpu]?.exitItem = nil
        tracks[vcpu]?.accessItem = nil
        note(TimelineItem(.entry, level: level), of: vcpu, at: stamp.time)
    }

    /// A track where there is none yet.
    @inline(__always)
    mutating func make(_ vcpu: VCPUIndex, at time: UInt64) {
        if !tracks.contains(vcpu) || tracks[vcpu] == nil { makeTrack(vcpu, at: time) }
    }

    @inline(never)
    private mutating func makeTrack(_ vcpu: VCPUIndex, at time: UInt64) {
        let origin = origin ?? time
        self.origin = origin
        tracks[vcpu, default: nil] = TimelineTrack(buckets: BucketSeries(origin: origin, at: time), at: time)
        tracksMade += 1
        while tracksMade * limit > Self.allBuckets, limit > Self.fewestBuckets {
            limit /= 2
            for vcpu in tracks.indices { tracks[vcpu]?.buckets.shrink(to: limit) }
        }
    }

    /// Keeps an item, if there is room for it.
    @inline(__always)
    mutating func note(_ item: TimelineItem, of vcpu: VCPUIndex, at time: UInt64) {
        guard let chunk = tracks[vcpu]?.chunk, !pool.chunks[chunk].isFull,
            time.elapsed(since: pool.chunks[chunk].end) <= UInt64(UInt32.max)
        else { return noteInNew(item, of: vcpu, at: time) }
        pool.add(item, to: chunk, at: time)
    }

    @inline(never)
    private mutating func noteInNew(_ item: TimelineItem, of vcpu: VCPUIndex, at time: UInt64) {
        guard let track = tracks[vcpu],
            let chunk = pool.chunk(of: vcpu, number: track.chunks, at: time, pinned: track.pinsNext)
        else { return }
        if let before = track.chunkBefore { pool.release(before) }
        tracks[vcpu]?.chunkBefore = track.chunk
        tracks[vcpu]?.chunk = chunk
        tracks[vcpu]?.chunks &+= 1
        tracks[vcpu]?.pinsNext = false
        // Two chunks back is no longer in use.
        if let exit = track.exitItem, exit.chunk == track.chunkBefore { tracks[vcpu]?.exitItem = nil }
        if let access = track.accessItem, access.chunk == track.chunkBefore { tracks[vcpu]?.accessItem = nil }
        pool.add(item, to: chunk, at: time)
    }

    /// Where the latest item is.
    func latestItem(of vcpu: VCPUIndex) -> (chunk: DetailPool.ChunkIndex, index: Int)? {
        tracks[vcpu]?.chunk.map { ($0, pool.chunks[$0].count - 1) }
    }

    /// What happened just now is kept whole, with its neighbours.
    mutating func pin(_ kind: Event.Kind, of vcpu: VCPUIndex) {
        guard let track = tracks[vcpu], track.pins[Int(kind.rawValue)] < Self.mostPins else { return }
        tracks[vcpu]?.pins[Int(kind.rawValue)] += 1
        tracks[vcpu]?.pinsNext = true
        for chunk in [track.chunkBefore, track.chunk].compactMap(\.self) { pool.pin(chunk) }
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
