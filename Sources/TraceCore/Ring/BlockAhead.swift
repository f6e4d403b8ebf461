// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// Has one CPU's blocks read on a queue while the pages of those before are taken.
///
/// Several are read in a row, since to wake a thread for each takes longer than to read it. Sound since a block is the queue's while
/// it is spare, then the caller's from ``next()`` to ``giveBack(_:)``, and since only the queue reads.
final class BlockAhead: @unchecked Sendable {
    private struct Blocks {
        var full: [PageBlock] = []
        var spare: [PageBlock]
        var isReading = false
        /// Nothing follows what is full.
        var isOver = false
    }

    private let source: PageBlocks
    private let queue: DispatchQueue
    private let blocks: Mutex<Blocks>
    private let full = DispatchSemaphore(value: 0)
    /// So many spare blocks make it worth to wake the queue.
    private let enough: Int

    /// - Parameter count: blocks to hold, beside the one that the caller has.
    init(_ source: PageBlocks, _ count: Int, headroom: Int, room: Int, on queue: DispatchQueue) {
        self.source = source
        self.queue = queue
        enough = max(1, count / 2)
        blocks = Mutex(Blocks(spare: (0..<count).map { _ in PageBlock(headroom: headroom, room: room) }))
    }

    deinit {
        blocks.withLock { blocks in
            for block in blocks.full + blocks.spare { block.deallocate() }
        }
    }

    /// The next block, which the caller has until it gives it back; nil at the end.
    func next() -> PageBlock? {
        wake(ifSpare: 1)
        full.wait()
        let next = blocks.withLock { $0.full.isEmpty ? nil : $0.full.removeFirst() }
        // The end stays the end.
        if next == nil { full.signal() }
        return next
    }

    func giveBack(_ block: PageBlock) {
        blocks.withLock { $0.spare.append(block) }
        wake(ifSpare: enough)
    }

    private func wake(ifSpare count: Int) {
        let isIdle = blocks.withLock { blocks in
            guard !blocks.isReading, !blocks.isOver, blocks.spare.count >= count, count > 1 || blocks.full.isEmpty
            else {
                return false
            }
            blocks.isReading = true
            return true
        }
        if isIdle { queue.async { [self] in readSpare() } }
    }

    private func readSpare() {
        while var block = nextSpare() {
            source.read(into: &block)
            let isOver = !source.hasMore
            blocks.withLock { blocks in
                blocks.full.append(block)
                if isOver { (blocks.isOver, blocks.isReading) = (true, false) }
            }
            full.signal()
            if isOver {
                full.signal()
                return
            }
        }
    }

    /// Nil where none is left, and the queue rests.
    private func nextSpare() -> PageBlock? {
        blocks.withLock { blocks in
            blocks.isReading = !blocks.spare.isEmpty
            return blocks.spare.popLast()
        }
    }
}
