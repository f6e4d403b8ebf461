// SPDX-License-Identifier: Apache-2.0

/// Bytes of a text, each read checked.
extension Span<UInt8> {
    static var lineFeed: UInt8 { 0x0a }

    /// The first such byte at or after a place; nil where there is none. Many bytes at a time: most of a text is only passed over.
    @inline(__always)
    func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int? {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var index = start
        while index &+ 8 <= end {
            let word = bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) ^ pattern
            // A byte of 0 is the one that was looked for: it alone borrows from a bit that it doesn't have.
            let found = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            if found != 0 { return index &+ found.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end {
            if self[index] == byte { return index }
            index &+= 1
        }
        return nil
    }

    /// The first other byte at or after a place, or `end`.
    @inline(__always)
    func firstIndex(otherThan byte: UInt8, from start: Int, to end: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var index = start
        while index &+ 8 <= end {
            let different = bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) ^ pattern
            if different != 0 { return index &+ different.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < end, self[index] == byte { index &+= 1 }
        return index
    }

    /// The place of the line feed at or after a place, or `end`: of a line, which is longer than what is looked for otherwise.
    func lineEnd(from start: Int, to end: Int) -> Int {
        let pattern = SIMD32<UInt8>(repeating: Self.lineFeed)
        var index = start
        while index &+ 32 <= end {
            let bytes = bytes.unsafeLoadUnaligned(fromByteOffset: index, as: SIMD32<UInt8>.self)
            let found = unsafeBitCast(bytes .== pattern, to: SIMD4<UInt64>.self)
            let halves = found.lowHalf | found.highHalf
            if halves.x | halves.y != 0 { break }
            index &+= 32
        }
        return firstIndex(of: Self.lineFeed, from: index, to: end) ?? end
    }

    /// Where the token begins that ends before `end`: behind the blank before it, or at `start`.
    @inline(__always)
    func tokenStart(before end: Int, from start: Int) -> Int {
        var index = end
        while index > start, !self[index - 1].isSpace { index -= 1 }
        return index
    }

    /// Without blanks at the end.
    @inline(__always)
    func trimmedEnd(_ end: Int, from start: Int) -> Int {
        var index = end
        while index > start, self[index - 1].isSpace { index -= 1 }
        return index
    }

    /// Without blanks, and marks of who quotes whom, at the beginning.
    func unquotedStart(_ range: Range<Int>) -> Int {
        var index = firstIndex(otherThan: 0x20, from: range.lowerBound, to: range.upperBound)
        while index < range.upperBound, self[index].isQuoteMark { index += 1 }
        return index
    }

    /// A number of nothing but decimal digits, which fits.
    @inline(__always)
    func decimal(_ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count < 20 else { return nil }
        var value: UInt64 = 0
        for index in range {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    @inline(__always)
    func hasPrefix(_ prefix: StaticString, at start: Int) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard start + length <= count else { return false }
        return prefix.withUTF8Buffer { prefix in
            for index in 0..<length where self[start + index] != prefix[index] { return false }
            return true
        }
    }

    /// Both lines begin with the same sixteen bytes, which a thread's name is among: one is no rest of the other.
    func haveSameStart(_ line: Range<Int>, _ other: Range<Int>) -> Bool {
        guard line.count >= 16, other.count >= 16 else { return false }
        let (first, second) = (line.lowerBound, other.lowerBound)
        return bytes.unsafeLoadUnaligned(fromByteOffset: first, as: SIMD2<UInt64>.self)
            == bytes.unsafeLoadUnaligned(fromByteOffset: second, as: SIMD2<UInt64>.self)
    }

    func text(_ range: Range<Int>) -> String {
        let piece = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            for index in range { buffer.initializeElement(at: index - range.lowerBound, to: self[index]) }
            count = range.count
        }
        return String(decoding: piece, as: UTF8.self)
    }
}

extension UInt8 {
    /// Line ends of any kind count: a line that a mailer broke is one text.
    @inline(__always)
    var isSpace: Bool { isAmong(0x1_0000_3e00, 0) }

    /// By a bit for each byte below 64 and from there to 128, and without a branch: a text is looked at byte by byte, and which kind
    /// the next one is nobody can foretell.
    @inline(__always)
    func isAmong(_ low: UInt64, _ high: UInt64) -> Bool {
        (self & 64 == 0 ? low : high) &>> UInt64(self & 63) & 1 & ~UInt64(self &>> 7) != 0
    }

    @inline(__always)
    var isDigit: Bool { self &- 0x30 < 10 }

    @inline(__always)
    var isQuoteMark: Bool { isSpace || self == UInt8(ascii: ">") || self == UInt8(ascii: "|") }

    @inline(__always)
    var isLetter: Bool { (self | 0x20) &- UInt8(ascii: "a") < 26 }

    /// The digit's value in base 16; nil for another byte.
    @inline(__always)
    var hexDigit: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }
}
