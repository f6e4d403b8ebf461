// SPDX-License-Identifier: Apache-2.0

/// Bytes of one CPU's data that are read at once, with room before them for what is left of those before. It goes from thread to
/// thread, and whoever has it has its bytes alone.
struct PageBlock: @unchecked Sendable {
    /// Bytes that are free in front.
    let headroom: Int
    private(set) var buffer: UnsafeMutableRawBufferPointer
    /// Where the bytes end.
    var end: Int
    /// Where the first byte that was read, or its chunk, lies in the file.
    var origin: UInt64 = 0
    /// Bytes of the file that were read for it.
    var bytesRead = 0
    /// Where the data broke off in it.
    var cut: TraceCut?

    /// The kernel copies a file's pages to where pages begin four times as fast as to 16 bytes behind, where malloc() puts large
    /// buffers (measured on AMD, whose `rep movsb` is slow where the target begins less than 32 bytes behind the source, modulo 4,096).
    private static let alignment = 4096

    init(headroom: Int, room: Int) {
        self.headroom = headroom
        buffer = .allocate(byteCount: headroom + room, alignment: Self.alignment)
        end = headroom
    }

    func deallocate() { buffer.deallocate() }

    mutating func clear() {
        end = headroom
        bytesRead = 0
        cut = nil
    }

    /// Where `count` bytes more may go.
    mutating func free(_ count: Int) -> UnsafeMutableRawBufferPointer {
        ChunkInflater.grow(&buffer, to: end + count, keeping: end)
        return UnsafeMutableRawBufferPointer(rebasing: buffer[end..<(end + count)])
    }
}

/// Reads one CPU's data block by block, inflated where it is compressed.
///
/// It knows chunks and compression, not what is in a page. Used by one thread at a time, which need not be the same
/// (``PageSource``).
final class PageBlocks: @unchecked Sendable {
    /// A chunk is ten pages in trace-cmd 3.1 to 3.4. Other writers may take more of the usual, small pages.
    private static let pagesInChunk = 10
    private static let largestChunk = 1 << 20

    private let file: InputFile
    private let pageSize: Int
    private let order: ByteOrder
    /// What the data is, for messages.
    private let part: String
    private let end: UInt64
    private var next: UInt64
    /// Pages that are not one behind the other, and how many of them were read.
    private let places: [UInt64]?
    private var placesRead = 0
    /// Set for compressed data. One serves all CPUs.
    private let inflater: ChunkInflater?
    /// Bytes to hold at once, at least a page's.
    let room: Int
    private var chunksLeft: UInt32 = 0
    /// The chunk that comes next, and the one that bytes are taken from where a block can't hold all of it.
    private var chunk = ChunkInflater.Place(offset: 0, compressed: 0, inflated: 0)
    private var parted: (chunk: ChunkInflater.Place, taken: Int, made: Int)?
    /// The chunks' own beginning is broken.
    private var cutAtStart: TraceCut?

    /// - Parameter room: bytes to hold at once; at least a page's are.
    init(
        _ part: String, of file: InputFile, _ data: Range<UInt64>, places: [UInt64]?, pageSize: Int, order: ByteOrder,
        room: Int, inflater: ChunkInflater?
    ) {
        self.part = part
        self.file = file
        self.pageSize = pageSize
        self.order = order
        self.inflater = inflater
        self.places = places
        next = data.lowerBound
        end = data.upperBound
        self.room = max(pageSize, inflater == nil ? Int(min(UInt64(room), end - next)) : room)
        if inflater != nil { startChunks() }
    }

    var isCompressed: Bool { inflater != nil }

    /// Something follows what was read.
    var hasMore: Bool {
        if let places { return placesRead < places.count }
        return isCompressed ? chunksLeft > 0 || parted != nil || cutAtStart != nil || next < end : next < end
    }

    /// The next block, empty at the end.
    func read(into block: inout PageBlock) {
        block.clear()
        if let places { return readPage(places, into: &block) }
        guard let inflater else { return readPages(into: &block) }
        if parted == nil { inflateChunk(inflater, into: &block) } else { takePart(inflater, into: &block) }
    }

    /// Of pages that lie anywhere each is read, and yielded, by itself.
    private func readPage(_ places: [UInt64], into block: inout PageBlock) {
        guard placesRead < places.count else { return }
        block.origin = places[placesRead]
        placesRead += 1
        let count = file.read(at: block.origin, into: block.free(pageSize))
        block.end += count
        block.bytesRead = count
        if count < pageSize { breakOff(&block, at: block.origin, "a whole page of \(part)") }
    }

    private func readPages(into block: inout PageBlock) {
        let wanted = Int(min(UInt64(room), end - next))
        guard wanted > 0 else { return }
        block.origin = next
        let count = file.read(at: next, into: block.free(wanted))
        block.end += count
        block.bytesRead = count
        next += UInt64(count)
        if count < wanted { breakOff(&block, at: next, "\(end - next) more bytes of \(part)") }
    }

    /// Nothing more is read.
    private func breakOff(_ block: inout PageBlock, at offset: UInt64, _ expected: String) {
        block.cut = TraceCut(offset: offset, expected: expected)
        next = end
        chunksLeft = 0
    }

    // MARK: - Chunks

    /// The chunk whose two sizes these bytes are; nil where they are too few.
    private func place(_ sizes: UnsafeRawBufferPointer, at offset: UInt64) -> ChunkInflater.Place? {
        guard sizes.count >= ChunkInflater.Place.headerSize else { return nil }
        return ChunkInflater.Place(
            offset: offset, compressed: Int(order.value(sizes.loadUnaligned(as: UInt32.self))),
            inflated: Int(order.value(sizes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))))
    }

    /// Reads the number of chunks and the first one's sizes.
    private func startChunks() {
        let head = file.bytes(at: next, count: 4 + ChunkInflater.Place.headerSize)
        let start = head.withUnsafeBytes { bytes -> (count: UInt32, first: ChunkInflater.Place)? in
            guard bytes.count >= 4, let first = place(UnsafeRawBufferPointer(rebasing: bytes[4...]), at: next + 4)
            else {
                return nil
            }
            return (order.value(bytes.loadUnaligned(as: UInt32.self)), first)
        }
        guard let start else {
            cutAtStart = TraceCut(offset: file.size, expected: "the chunks of \(part)")
            next = end
            return
        }
        (chunksLeft, chunk) = start
        next += 4
    }

    private func inflateChunk(_ inflater: ChunkInflater, into block: inout PageBlock) {
        let limit = max(Self.largestChunk, Self.pagesInChunk * pageSize)
        let chunk = chunk
        if let cut = cutAtStart {
            cutAtStart = nil
            return breakOff(&block, at: cut.offset, cut.expected)
        }
        guard chunksLeft > 0 else {
            if next < end { breakOff(&block, at: next, "the end of \(part)'s chunks") }
            return
        }
        guard (1...limit).contains(chunk.inflated), chunk.compressed <= 2 * limit else {
            return breakOff(&block, at: chunk.offset, "a chunk of \(part) of at most \(limit) bytes")
        }
        guard inflater.charge(chunk) else {
            return breakOff(
                &block, at: chunk.offset, "no more than \(inflater.most) bytes of inflated data (--max-size)")
        }
        chunksLeft -= 1
        block.origin = chunk.offset
        let isParted = chunk.inflated > room
        let (result, behind) =
            isParted ? inflater.hold(chunk) : inflater.inflate(chunk, into: block.free(chunk.inflated))
        block.bytesRead = min(chunk.compressed, Int(clamping: file.size - min(file.size, chunk.offset)))
        next = chunk.offset.addingClamped(UInt64(ChunkInflater.Place.headerSize + chunk.compressed))
        let following = chunksLeft > 0 ? place(behind, at: next) : chunk
        if !result.isRead || following == nil {
            breakOff(&block, at: file.size, "\(chunksLeft + 1) more chunks of \(part)")
        } else if !result.isWhole {
            breakOff(&block, at: block.origin, "a chunk of \(part) that inflates to \(chunk.inflated) bytes")
        } else if let following {
            self.chunk = following
        }
        guard result.made > 0 else { return }
        guard isParted else {
            block.end += result.made
            return
        }
        parted = (chunk, 0, result.made)
        takePart(inflater, into: &block)
    }

    /// Goes on with a chunk that a block can't hold.
    private func takePart(_ inflater: ChunkInflater, into block: inout PageBlock) {
        guard let (chunk, taken, made) = parted else { return }
        let count = inflater.copy(chunk, from: taken, to: block.free(room))
        block.end += count
        block.origin = chunk.offset
        parted = count > 0 && taken + count < made ? (chunk, taken + count, made) : nil
    }
}
