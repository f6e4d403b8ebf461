// SPDX-License-Identifier: Apache-2.0
import Dispatch

/// Yields one CPU's pages in order, through blocks that are used again and again: while the pages of one are taken, others may be
/// read ahead.
final class PageSource {
    /// How many are read ahead: as many as a queue's thread needs to be worth waking, and no more than a processor's cache holds.
    static let blocksAhead = 8

    private let blocks: PageBlocks
    private let pageSize: Int
    private let progress: ReadProgress?
    /// Pages are taken from it.
    private var front: PageBlock
    /// What lies in the front block's headroom counts as of it, so that this is where its first byte lies in the file.
    private var origin: UInt64
    private var pageStart = 0
    private var taken: Int
    private let ahead: BlockAhead?
    /// Where there is nobody who reads ahead.
    private var back: PageBlock?
    /// Where others' blocks are inflated ahead.
    private let inflating: DispatchQueue?
    /// Where the data broke off.
    private(set) var cut: TraceCut?

    /// - Parameters:
    ///   - room: bytes to hold at once; at least a page's are.
    ///   - queue: where blocks are read ahead; nil where they are read when they are wanted.
    init(
        _ part: String, of file: InputFile, _ data: Range<UInt64>, places: [UInt64]? = nil, pageSize: Int,
        order: ByteOrder, room: Int, inflater: ChunkInflater?, progress: ReadProgress? = nil,
        ahead queue: DispatchQueue? = nil
    ) {
        self.pageSize = pageSize
        self.progress = progress
        let blocks = PageBlocks(
            part, of: file, data, places: places, pageSize: pageSize, order: order, room: room, inflater: inflater)
        self.blocks = blocks
        let firstRoom = inflater == nil ? blocks.room : 0
        front = PageBlock(headroom: pageSize, room: firstRoom)
        // A small file is read before another thread has woken up.
        let isLarge = data.upperBound - data.lowerBound > UInt64(Self.blocksAhead * blocks.room)
        ahead =
            isLarge
            ? queue.map { BlockAhead(blocks, Self.blocksAhead, headroom: pageSize, room: firstRoom, on: $0) } : nil
        inflating = inflater == nil ? nil : queue
        back = ahead == nil ? PageBlock(headroom: pageSize, room: firstRoom) : nil
        origin = data.lowerBound
        taken = front.end
    }

    deinit {
        front.deallocate()
        back?.deallocate()
    }

    /// The next page's bytes, fewer than a page's at the end of data that broke off; nil at the end.
    ///
    /// They stay in place until the next call.
    func page() -> UnsafeRawBufferPointer? {
        while front.end - taken < pageSize, turnBlock() {}
        let size = min(pageSize, front.end - taken)
        guard size > 0 else { return nil }
        pageStart = taken
        taken += size
        return UnsafeRawBufferPointer(rebasing: front.buffer[pageStart..<taken])
    }

    /// Where a byte of the page last yielded lies in the file; for compressed data, where its chunk does.
    func offset(inPage byte: Int) -> UInt64 {
        blocks.isCompressed ? origin : origin + UInt64(pageStart - front.headroom + byte)
    }

    /// Goes on to the next block, with what is left of this one before it. False where nothing follows.
    private func turnBlock() -> Bool {
        let before = front
        guard let next = nextBlock() else { return false }
        let rest = before.end - taken
        // Less than a page, for which there is room.
        next.buffer.copyMemory(from: before.buffer[taken..<before.end], to: next.headroom - rest)
        front = next
        taken = next.headroom - rest
        if next.end > next.headroom { origin = next.origin }
        if let cut = next.cut { self.cut = cut }
        if next.bytesRead > 0 { progress?.advance(by: next.bytesRead) }
        if let ahead { ahead.giveBack(before) } else { back = before }
        return next.end > next.headroom
    }

    private func nextBlock() -> PageBlock? {
        if let ahead { return ahead.next() }
        guard blocks.hasMore, var block = back else { return nil }
        back = nil
        // One inflater serves all CPUs, and the queue may be using it for another one's blocks.
        if let inflating { inflating.sync { blocks.read(into: &block) } } else { blocks.read(into: &block) }
        return block
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies bytes of another buffer to a place of this one.
    fileprivate func copyMemory(from bytes: Slice<UnsafeMutableRawBufferPointer>, to start: Int) {
        guard !bytes.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: self[start..<(start + bytes.count)])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes))
    }
}
