// SPDX-License-Identifier: Apache-2.0

/// What happened, item by item, in memory of a bounded size: where it is used up, most of what no finding rests on goes, evenly.
struct DetailPool: ~Copyable, Sendable {
    struct ChunkIndex: TableIndex {
        let place: Int
        init(_ place: Int) { self.place = place }
    }

    /// Items of one vCPU, one after the other.
    struct Chunk {
        var items = InlineArray<124, TimelineItem>(repeating: .nothing)
        var count = 0
        /// Nil where nobody has it.
        var vcpu: VCPUIndex?
        /// How many of this vCPU's came before it.
        let number: UInt32
        /// Of its first item and its latest.
        var (start, end): (UInt64, UInt64)
        /// It stays whatever happens.
        var isPinned: Bool
        /// Its vCPU still writes to it, or its latest exit may turn out to be another level's.
        var isInUse = true

        var isFull: Bool { count == items.count }
    }

    struct ItemPlace {
        let chunk: ChunkIndex
        let index: Int
    }

    private(set) var chunks: Table<ChunkIndex, Chunk>
    private var free: [ChunkIndex] = []
    private var pinned = 0
    /// Beside what is pinned, one chunk in so many of each vCPU was left.
    private var stride: UInt32 = 1
    /// There was nothing to be had the last time that room was made.
    private var isExhausted = false

    /// 16 MB of them.
    let capacity: Int
    /// Chunks that stay for what happened in them, and those that stay for what rests on them.
    private var mostPinned: Int { capacity / 4 }
    private var mostWanted: Int { capacity / 2 }

    init(capacity: Int = 1 << 14) {
        self.capacity = capacity
        chunks = Table(capacity: capacity)
    }

    @inline(__always)
    private var isFull: Bool { free.isEmpty && chunks.count >= capacity }

    /// The next event may find none.
    @inline(__always)
    var needsRoom: Bool { chunks.count - free.count > capacity - Self.reserve && !isExhausted }
    /// An event takes one, or two.
    private static let reserve = 4

    mutating func chunk(of vcpu: VCPUIndex, number: UInt32, at time: UInt64, pinned isPinned: Bool) -> ChunkIndex? {
        guard !isFull else { return nil }
        let isPinned = isPinned && pinned < mostPinned
        if isPinned { pinned += 1 }
        return chunks.put(
            Chunk(vcpu: vcpu, number: number, start: time, end: time, isPinned: isPinned), reusing: &free)
    }

    /// - Parameter time: not before that of the latest item.
    @inline(__always)
    mutating func add(_ item: TimelineItem, to chunk: ChunkIndex, at time: UInt64) {
        var item = item
        item.delta = UInt32(truncatingIfNeeded: time - chunks[chunk].end)
        chunks[chunk].items[chunks[chunk].count] = item
        chunks[chunk].count += 1
        chunks[chunk].end = time
    }

    /// Time does not go on by this one.
    mutating func add(_ item: TimelineItem, to chunk: ChunkIndex, ago: UInt64) {
        var item = item
        item.delta = UInt32(clamping: ago)
        chunks[chunk].items[chunks[chunk].count] = item
        chunks[chunk].count += 1
    }

    /// Changes an item of a chunk that is in use.
    mutating func change(_ place: ItemPlace, _ body: (inout TimelineItem) -> Void) {
        body(&chunks[place.chunk].items[place.index])
    }

    mutating func release(_ chunk: ChunkIndex) { chunks[chunk].isInUse = false }

    mutating func pin(_ chunk: ChunkIndex) {
        guard !chunks[chunk].isPinned, pinned < mostPinned else { return }
        chunks[chunk].isPinned = true
        pinned += 1
    }

    mutating func give(_ chunk: ChunkIndex, to vcpu: VCPUIndex) { chunks[chunk].vcpu = vcpu }

    /// Those of a vCPU, in the order of time.
    func chunks(of vcpu: VCPUIndex) -> [ChunkIndex] {
        inOrder(chunks.indices.filter { chunks[$0].vcpu == vcpu })
    }

    mutating func forget(_ vcpu: VCPUIndex) {
        for chunk in chunks.indices where chunks[chunk].vcpu == vcpu { drop(chunk) }
    }

    /// Has chunks go. What is left beside `wanted` is a fraction of each vCPU's, the same all over the trace.
    ///
    /// - Parameter wanted: times on a vCPU whose chunks stay, and those beside them; the first of them where they are too many.
    mutating func makeRoom(keeping wanted: [(vcpu: VCPUIndex, time: UInt64)]) {
        let kept = chunks(at: wanted)
        repeat {
            if stride < 1 << 31 { stride *= 2 }
            for chunk in chunks.indices
            where chunks[chunk].vcpu != nil && !chunks[chunk].isPinned && !chunks[chunk].isInUse
                && chunks[chunk].number % stride != 0 && !kept.contains(chunk)
            {
                drop(chunk)
            }
        } while free.count < capacity / 8 && stride < 1 << 31
        isExhausted = needsRoom
    }

    private func chunks(at wanted: [(vcpu: VCPUIndex, time: UInt64)]) -> Set<ChunkIndex> {
        var all: [VCPUIndex: [ChunkIndex]] = [:]
        for chunk in chunks.indices { if let vcpu = chunks[chunk].vcpu { all[vcpu, default: []].append(chunk) } }
        all = all.mapValues { inOrder($0) }
        var found: Set<ChunkIndex> = []
        for (vcpu, time) in wanted {
            // The last that begins before it holds it.
            guard let own = all[vcpu], let place = own.lastIndex(where: { chunks[$0].start <= time }) else { continue }
            found.formUnion(own[max(0, place - 1)...min(own.count - 1, place + 1)])
            if found.count >= mostWanted { break }
        }
        return found
    }

    private func inOrder(_ chunks: [ChunkIndex]) -> [ChunkIndex] {
        chunks.sorted {
            (self.chunks[$0].start, self.chunks[$0].number) < (self.chunks[$1].start, self.chunks[$1].number)
        }
    }

    private mutating func drop(_ chunk: ChunkIndex) {
        if chunks[chunk].isPinned { pinned -= 1 }
        chunks[chunk].vcpu = nil
        chunks[chunk].isPinned = false
        chunks[chunk].count = 0
        isExhausted = false
        free.append(chunk)
    }
}
