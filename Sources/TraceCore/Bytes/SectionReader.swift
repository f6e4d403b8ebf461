// SPDX-License-Identifier: Apache-2.0

/// Reads numbers, strings and texts one after the other from a part of a file, compressed or not.
///
/// Holds a small window of the part, whatever its size. Running out is reported as a ``TraceCut`` with the place in the file.
struct SectionReader {
    private static let window = 1 << 16
    /// The largest text that is taken at once: beyond any format file or list of command lines.
    private static let largestText = 1 << 22

    let order: ByteOrder
    private let file: InputFile?
    /// What the part holds, for messages.
    private let part: String
    private let inflater: Inflater?
    private let start: UInt64
    /// Where the next bytes are fetched from, and where the part ends.
    private var next: UInt64
    private let end: UInt64
    private var compressed: ArraySlice<UInt8> = []
    /// Bytes that are still to come out of a compressed part.
    private var uninflated: UInt64
    private var bytes: [UInt8] = []
    private var position = 0
    /// Where a compressed part broke off or stopped making sense, as far as it was read.
    private(set) var inflationCut: TraceCut?
    private(set) var needsLargerWindow = false
    /// Something came out of the compressed piece that is being read, which therefore has an end to come.
    private var isInsidePiece = false

    /// - Parameter size: of the part once it is inflated; more is not read.
    init(
        _ part: String, of file: InputFile, _ range: Range<UInt64>, order: ByteOrder,
        compression: Compression = .none, size: UInt64 = .max
    ) {
        self.part = part
        self.file = file
        self.order = order
        inflater = Inflater(compression)
        start = range.lowerBound
        next = range.lowerBound
        end = range.upperBound
        uninflated = size
    }

    /// Over bytes at hand, which lie at `offset` of the file.
    init(_ part: String, bytes: [UInt8], at offset: UInt64, order: ByteOrder) {
        self.part = part
        self.bytes = bytes
        self.order = order
        file = nil
        inflater = nil
        start = offset
        next = offset + UInt64(bytes.count)
        end = next
        uninflated = 0
    }

    /// Where the next byte lies in the file; where a compressed part starts.
    var offset: UInt64 {
        inflater == nil ? next - UInt64(bytes.count - position) : start
    }

    var isAtEnd: Bool {
        mutating get { position == bytes.count && !refill() }
    }

    /// The place reached, as the end of what makes sense.
    var cut: TraceCut { TraceCut(offset: offset, expected: part) }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(TraceCut) -> T {
        var value: T = 0
        for index in 0..<T.bitWidth / 8 {
            let byte = T(truncatingIfNeeded: try self.byte())
            value |= byte << T(8 * (order == .little ? index : T.bitWidth / 8 - 1 - index))
        }
        return value
    }

    mutating func byte() throws(TraceCut) -> UInt8 {
        guard !isAtEnd else { throw cut }
        defer { position += 1 }
        return bytes[position]
    }

    /// A string up to its NUL; one that doesn't end within 4 KiB makes no sense.
    mutating func string() throws(TraceCut) -> String {
        let from = cut
        var text: [UInt8] = []
        while true {
            let byte = try byte()
            if byte == 0 { return String(decoding: text, as: UTF8.self) }
            guard text.count < 4096 else { throw from }
            text.append(byte)
        }
    }

    mutating func text(_ size: UInt64) throws(TraceCut) -> [UInt8] {
        guard size <= UInt64(Self.largestText) else { throw cut }
        var text: [UInt8] = []
        var rest = Int(size)
        while rest > 0 {
            guard let piece = chunk(atMost: rest) else { throw cut }
            text += piece
            rest -= piece.count
        }
        return text
    }

    mutating func skip(_ size: UInt64) throws(TraceCut) {
        if inflater == nil, size > UInt64(bytes.count - position) {
            let target = offset.addingReportingOverflow(size)
            guard !target.overflow, target.partialValue <= end else { throw cut }
            next = target.partialValue
            bytes = []
            position = 0
            return
        }
        var rest = size
        while rest > 0 {
            guard let piece = chunk(atMost: Int(clamping: rest)) else { throw cut }
            rest -= UInt64(piece.count)
        }
    }

    /// The next bytes, as many as are at hand; nil at the end.
    mutating func chunk(atMost limit: Int = .max) -> ArraySlice<UInt8>? {
        guard !isAtEnd else { return nil }
        let from = position
        position += min(limit, bytes.count - position)
        return bytes[from..<position]
    }

    private mutating func refill() -> Bool {
        position = 0
        bytes = inflater.map { inflate($0) } ?? fetch()
        return !bytes.isEmpty
    }

    private mutating func fetch() -> [UInt8] {
        guard let file, next < end else { return [] }
        let fetched = file.bytes(at: next, count: Int(min(UInt64(Self.window), end - next)))
        next += UInt64(fetched.count)
        return fetched
    }

    private mutating func inflate(_ inflater: Inflater) -> [UInt8] {
        let room = Int(min(UInt64(Self.window), uninflated))
        var output = [UInt8](repeating: 0, count: room)
        var filled = 0
        while filled < room {
            let dry = compressed.isEmpty
            if dry { compressed = fetch()[...] }
            let (used, made, progress) = output.withUnsafeMutableBytes { output in
                compressed.withUnsafeBytes { input in
                    var source = input
                    var target = UnsafeMutableRawBufferPointer(rebasing: output[filled...])
                    let progress = inflater.inflate(&source, into: &target)
                    return (input.count - source.count, output.count - filled - target.count, progress)
                }
            }
            let isOver = dry && used == 0 && made == 0
            switch progress {
            case .corrupt, .windowTooLarge:
                needsLargerWindow = progress == .windowTooLarge
                // Zeros behind the last piece are a tape's or a block's padding.
                if isInsidePiece || !compressed.allSatisfy({ $0 == 0 }) { noteInflationCut(used) }
                uninflated = UInt64(filled + made)
            case .end:
                // Compressed files may be several pieces in a row.
                inflater.restart()
                isInsidePiece = false
            case .more:
                isInsidePiece = isInsidePiece || made > 0 || used > 0
                if isOver, isInsidePiece { noteInflationCut(used) }
            }
            compressed = compressed.dropFirst(used)
            filled += made
            if isOver || progress == .corrupt || progress == .windowTooLarge { break }
        }
        uninflated -= uninflated == .max ? 0 : UInt64(filled)
        output.removeLast(room - filled)
        return output
    }

    private mutating func noteInflationCut(_ used: Int) {
        let offset = next - UInt64(compressed.count - used)
        inflationCut = inflationCut ?? TraceCut(offset: offset, expected: "\(part) that inflates")
    }
}
