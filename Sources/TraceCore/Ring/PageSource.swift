// SPDX-License-Identifier: Apache-2.0

/// Yields one CPU's pages in order, through one buffer that is used again and again.
///
/// It knows chunks and compression, not what is in a page.
final class PageSource {
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
    private let room: Int
    private let progress: ReadProgress?
    private var chunksLeft: UInt32 = 0
    /// The chunk that comes next, and the one that bytes are taken from where the buffer can't hold all of it.
    private var chunk = ChunkInflater.Place(offset: 0, compressed: 0, inflated: 0)
    private var parted: (chunk: ChunkInflater.Place, taken: Int, made: Int)?
    private var buffer: UnsafeMutableRawBufferPointer
    private var pageStart = 0
    private var taken = 0
    private var filled = 0
    /// Where the buffer's first byte, or its chunk, lies in the file.
    private var origin: UInt64
    /// Where the data broke off.
    private(set) var cut: TraceCut?

    /// - Parameter room: bytes to hold at once; at least a page's are.
    init(
        _ part: String, of file: InputFile, _ data: Range<UInt64>, places: [UInt64]? = nil, pageSize: Int,
        order: ByteOrder, room: Int, inflater: ChunkInflater?, progress: ReadProgress? = nil
    ) {
        self.part = part
        self.file = file
        self.pageSize = pageSize
        self.order = order
        self.inflater = inflater
        self.progress = progress
        self.places = places
        next = data.lowerBound
        origin = next
        end = data.upperBound
        self.room = max(pageSize, inflater == nil ? Int(min(UInt64(room), end - next)) : room)
        buffer = .allocate(byteCount: inflater == nil ? self.room : 0, alignment: 8)
        if inflater != nil { startChunks() }
    }

    deinit {
        buffer.deallocate()
    }

    /// The next page's bytes, fewer than a page's at the end of data that broke off; nil at the end.
    ///
    /// They stay in place until the next call.
    func page() -> UnsafeRawBufferPointer? {
        while filled - taken < pageSize, refill() {}
        let size = min(pageSize, filled - taken)
        guard size > 0 else { return nil }
        pageStart = taken
        taken += size
        return UnsafeRawBufferPointer(rebasing: buffer[pageStart..<taken])
    }

    /// Where a byte of the page last yielded lies in the file; for compressed data, where its chunk does.
    func offset(inPage byte: Int) -> UInt64 {
        inflater == nil ? origin + UInt64(pageStart + byte) : origin
    }

    private func refill() -> Bool {
        keepRest()
        if let places { return readPage(places) }
        guard let inflater else { return readPages() }
        return parted == nil ? inflateChunk(inflater) : takePart(inflater)
    }

    /// Moves the bytes that aren't yielded yet to the front.
    private func keepRest() {
        let rest = filled - taken
        if rest > 0, taken > 0 {
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[taken..<filled]))
        }
        origin += UInt64(inflater == nil ? taken : 0)
        taken = 0
        filled = rest
    }

    /// Of pages that lie anywhere each is read, and yielded, by itself.
    private func readPage(_ places: [UInt64]) -> Bool {
        guard placesRead < places.count else { return false }
        origin = places[placesRead]
        placesRead += 1
        filled = file.read(at: origin, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<pageSize]))
        progress?.advance(by: filled)
        if filled < pageSize { breakOff(at: origin, "a whole page of \(part)") }
        return filled > 0
    }

    private func readPages() -> Bool {
        let wanted = Int(min(UInt64(buffer.count - filled), end - next))
        guard wanted > 0 else { return false }
        let count = file.read(
            at: next, into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + wanted)]))
        filled += count
        next += UInt64(count)
        progress?.advance(by: count)
        if count < wanted { breakOff(at: next, "\(end - next) more bytes of \(part)") }
        return count > 0
    }

    /// Nothing more is read.
    private func breakOff(at offset: UInt64, _ expected: String) {
        cut = TraceCut(offset: offset, expected: expected)
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
        guard let start else { return breakOff(at: file.size, "the chunks of \(part)") }
        (chunksLeft, chunk) = start
        next += 4
    }

    private func inflateChunk(_ inflater: ChunkInflater) -> Bool {
        let limit = max(Self.largestChunk, Self.pagesInChunk * pageSize)
        let chunk = chunk
        guard chunksLeft > 0 else {
            if next < end { breakOff(at: next, "the end of \(part)'s chunks") }
            return false
        }
        guard (1...limit).contains(chunk.inflated), chunk.compressed <= 2 * limit else {
            breakOff(at: chunk.offset, "a chunk of \(part) of at most \(limit) bytes")
            return false
        }
        guard inflater.charge(chunk) else {
            breakOff(at: chunk.offset, "no more than \(inflater.most) bytes of inflated data (--max-size)")
            return false
        }
        chunksLeft -= 1
        origin = chunk.offset
        let isParted = chunk.inflated > room
        ChunkInflater.grow(&buffer, to: isParted ? pageSize + room : filled + chunk.inflated, keeping: filled)
        let (result, behind) =
            isParted
            ? inflater.hold(chunk)
            : inflater.inflate(chunk, into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
        progress?.advance(by: min(chunk.compressed, Int(clamping: file.size - min(file.size, chunk.offset))))
        next = chunk.offset.addingClamped(UInt64(ChunkInflater.Place.headerSize + chunk.compressed))
        let following = chunksLeft > 0 ? place(behind, at: next) : chunk
        if !result.isRead || following == nil {
            breakOff(at: file.size, "\(chunksLeft + 1) more chunks of \(part)")
        } else if !result.isWhole {
            breakOff(at: origin, "a chunk of \(part) that inflates to \(chunk.inflated) bytes")
        } else if let following {
            self.chunk = following
        }
        guard result.made > 0 else { return false }
        guard isParted else {
            filled += result.made
            return true
        }
        parted = (chunk, 0, result.made)
        return takePart(inflater)
    }

    /// Goes on with a chunk that the buffer can't hold.
    private func takePart(_ inflater: ChunkInflater) -> Bool {
        guard let (chunk, taken, made) = parted else { return false }
        let count = inflater.copy(
            chunk, from: taken,
            to: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<min(buffer.count, filled + room)]))
        filled += count
        origin = chunk.offset
        parted = count > 0 && taken + count < made ? (chunk, taken + count, made) : nil
        return count > 0
    }
}
