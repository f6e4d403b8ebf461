// SPDX-License-Identifier: Apache-2.0

/// A word as two numbers and a length: its first sixteen bytes, which are compared at once.
struct WordKey: Equatable {
    private(set) var low: UInt64 = 0
    private(set) var high: UInt64 = 0
    private(set) var length = 0

    init(_ word: String) {
        for byte in word.utf8 { append(byte) }
    }

    /// A word of a line.
    @inline(__always)
    init(_ line: Span<UInt8>, _ range: Range<Int>) {
        guard range.lowerBound &+ 16 <= line.count else {
            for index in range { append(line[index]) }
            return
        }
        length = range.upperBound &- range.lowerBound
        low = line.bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: UInt64.self) & Self.mask(length)
        high =
            line.bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound &+ 8, as: UInt64.self)
            & Self.mask(length &- 8)
    }

    /// The low bytes, as many as there are.
    @inline(__always)
    private static func mask(_ bytes: Int) -> UInt64 {
        bytes >= 8 ? .max : bytes <= 0 ? 0 : (1 &<< UInt64(truncatingIfNeeded: bytes &* 8)) &- 1
    }

    private mutating func append(_ byte: UInt8) {
        if length < 8 {
            low |= UInt64(byte) << UInt64(truncatingIfNeeded: length * 8)
        } else if length < 16 {
            high |= UInt64(byte) << UInt64(truncatingIfNeeded: (length - 8) * 8)
        }
        length += 1
    }

    /// All of the word.
    var isWhole: Bool { length <= 16 }

    var hash: UInt64 {
        var hash = (low ^ high &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(truncatingIfNeeded: length)) &* 0xff51_afd7_ed55_8ccd
        hash ^= hash >> 32
        return hash
    }
}
