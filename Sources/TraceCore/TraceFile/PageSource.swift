// SPDX-License-Identifier: Apache-2.0

/// Yields one CPU's pages in order, through one buffer that is used again and again.
///
/// It knows chunks and compression, not what is in a page.
@usableFromInline
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
    /// Set for compressed data. One serves all CPUs, since chunks don't depend on each other.
    private let inflater: Inflater?
    private let progress: ReadProgress?
    private var chunksLeft: UInt32 = 0
    private var chunk = Chunk()
    private var compressed: UnsafeMutableRawBufferPointer
    private var buffer: UnsafeMutableRawBufferPointer
    private var pageStart = 0
    private var taken = 0
    private var filled = 0
    /// Where the buffer's first byte, or its chunk, lies in the file.
    private var origin: UInt64
    /// Where the data broke off.
    private(set) var cut: TraceCut?

    /// - Parameter room: bytes to read at once, at least a page's.
    init(
        _ part: String, of file: InputFile, _ data: Range<UInt64>, pageSize: Int, order: ByteOrder, room: Int,
        inflater: Inflater?, progress: ReadProgress? = nil
    ) {
        self.part = part
        self.file = file
        self.pageSize = pageSize
        self.order = order
        self.inflater = inflater
        self.progress = progress
        next = data.lowerBound
        origin = next
        end = data.upperBound
        let room = inflater == nil ? max(pageSize, Int(min(UInt64(room), end - next))) : 0
        buffer = .allocate(byteCount: room, alignment: 8)
        compressed = .allocate(byteCount: 0, alignment: 8)
        if inflater != nil { startChunks() }
    }

    deinit {
        buffer.deallocate()
        compressed.deallocate()
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
        return inflater.map(inflateChunk) ?? readPages()
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

    private struct Chunk {
        static let headerSize = 8

        var compressed: Int
        var inflated: Int

        init() {
            compressed = 0
            inflated = 0
        }

        init(_ bytes: UnsafeMutableRawBufferPointer, at offset: Int, _ order: ByteOrder) {
            compressed = Int(order.value(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            inflated = Int(order.value(bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
        }
    }

    /// Reads the number of chunks and the first one's sizes.
    private func startChunks() {
        let head = 4 + Chunk.headerSize
        Self.grow(&compressed, to: head, keeping: 0)
        guard file.read(at: next, into: UnsafeMutableRawBufferPointer(rebasing: compressed[..<head])) == head else {
            return breakOff(at: file.size, "the chunks of \(part)")
        }
        chunksLeft = order.value(compressed.loadUnaligned(as: UInt32.self))
        chunk = Chunk(compressed, at: 4, order)
        next += 4
    }

    private func inflateChunk(_ inflater: Inflater) -> Bool {
        let limit = max(Self.largestChunk, Self.pagesInChunk * pageSize)
        let chunk = chunk
        guard chunksLeft > 0 else { return false }
        guard (1...limit).contains(chunk.inflated), chunk.compressed <= 2 * limit else {
            breakOff(at: next, "a chunk of \(part) of at most \(limit) bytes")
            return false
        }
        chunksLeft -= 1
        origin = next
        next += UInt64(Chunk.headerSize)
        // The next chunk's sizes come along, to spare a system call.
        let wanted = chunk.compressed + (chunksLeft > 0 ? Chunk.headerSize : 0)
        Self.grow(&compressed, to: wanted, keeping: 0)
        let read = file.read(at: next, into: UnsafeMutableRawBufferPointer(rebasing: compressed[..<wanted]))
        Self.grow(&buffer, to: filled + chunk.inflated, keeping: filled)
        var input = UnsafeRawBufferPointer(rebasing: compressed[..<min(read, chunk.compressed)])
        var output = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<(filled + chunk.inflated)])
        progress?.advance(by: read)
        inflater.restart()
        let progress = inflater.inflate(&input, into: &output)
        let made = chunk.inflated - output.count
        filled += made
        next += UInt64(chunk.compressed)
        if read < wanted {
            breakOff(at: file.size, "\(chunksLeft + 1) more chunks of \(part)")
        } else if progress != .end || made < chunk.inflated {
            breakOff(at: origin, "a chunk of \(part) that inflates to \(chunk.inflated) bytes")
        } else if chunksLeft > 0 {
            self.chunk = Chunk(compressed, at: chunk.compressed, order)
        }
        return made > 0
    }

    private static func grow(_ bytes: inout UnsafeMutableRawBufferPointer, to size: Int, keeping count: Int) {
        guard bytes.count < size else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        bytes.deallocate()
        bytes = larger
    }
}
