// SPDX-License-Identifier: Apache-2.0

/// Inflates the chunks of all CPUs of a trace, one at a time: they don't depend on each other.
///
/// A chunk that is too large for every CPU to hold its own stays here until another CPU's takes its place, and is inflated
/// again where its CPU isn't through with it.
final class ChunkInflater {
    /// What came of a chunk.
    struct Result {
        var made: Int
        /// All of it was in the file.
        var isRead: Bool
        /// It inflated to what its sizes say.
        var isWhole: Bool
    }

    /// A chunk's place in the file, that of its two sizes.
    struct Place {
        static let headerSize = 8

        var offset: UInt64
        var compressed: Int
        var inflated: Int
    }

    private let file: InputFile
    private let inflater: Inflater
    private var input: UnsafeMutableRawBufferPointer
    private var output: UnsafeMutableRawBufferPointer
    /// What all chunks together may inflate to, and what is left of that.
    let most: UInt64
    private var left: UInt64
    /// Where the chunk in `output` lies in the file, and what came of it.
    private var held: (offset: UInt64, result: Result)?

    /// Nil for `none`.
    init?(_ compression: Compression, of file: InputFile, atMost most: UInt64 = .max) {
        self.most = most
        left = most
        guard let inflater = Inflater(compression) else { return nil }
        self.inflater = inflater
        self.file = file
        input = .allocate(byteCount: 1 << 16, alignment: 8)
        output = .allocate(byteCount: 0, alignment: 8)
    }

    deinit {
        input.deallocate()
        output.deallocate()
    }

    /// Counts a chunk that comes next; false where it goes beyond what all may be.
    func charge(_ chunk: Place) -> Bool {
        guard UInt64(chunk.inflated) <= left else { return false }
        left -= UInt64(chunk.inflated)
        return true
    }

    /// Inflates a chunk to `target`, which has room for it.
    /// - Returns: with what came of it the bytes behind it, where it was read as a whole: the next one's sizes.
    func inflate(
        _ chunk: Place, into target: UnsafeMutableRawBufferPointer
    ) -> (result: Result, next: UnsafeRawBufferPointer) {
        let wanted = chunk.compressed + Place.headerSize
        Self.grow(&input, to: wanted, keeping: 0)
        let start = chunk.offset.addingClamped(UInt64(Place.headerSize))
        let read = file.read(at: start, into: UnsafeMutableRawBufferPointer(rebasing: input[..<wanted]))
        var source = UnsafeRawBufferPointer(rebasing: input[..<min(read, chunk.compressed)])
        var rest = UnsafeMutableRawBufferPointer(rebasing: target[..<chunk.inflated])
        inflater.restart()
        let progress = inflater.inflate(&source, into: &rest)
        let result = Result(
            made: chunk.inflated - rest.count, isRead: read >= chunk.compressed,
            isWhole: progress == .end && rest.isEmpty)
        return (result, UnsafeRawBufferPointer(rebasing: input[min(read, chunk.compressed)..<read]))
    }

    /// Inflates a chunk that stays here for ``copy(_:from:to:)``.
    func hold(_ chunk: Place) -> (result: Result, next: UnsafeRawBufferPointer) {
        Self.grow(&output, to: chunk.inflated, keeping: 0)
        let inflated = inflate(chunk, into: output)
        held = (chunk.offset, inflated.result)
        return inflated
    }

    /// Copies as many of a held chunk's bytes as `target` has room for.
    func copy(_ chunk: Place, from start: Int, to target: UnsafeMutableRawBufferPointer) -> Int {
        if held?.offset != chunk.offset { _ = hold(chunk) }
        let end = min(held?.result.made ?? 0, start + target.count)
        guard start < end else { return 0 }
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[start..<end]))
        return end - start
    }

    static func grow(_ bytes: inout UnsafeMutableRawBufferPointer, to size: Int, keeping count: Int) {
        guard bytes.count < size else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        bytes.deallocate()
        bytes = larger
    }
}
