// SPDX-License-Identifier: Apache-2.0

/// Text as bytes, put straight to its place: a listing makes no String for an event, and an array would look for other
/// owners at every append.
extension OutputSpan<UInt8> {
    @inline(__always)
    mutating func add(_ text: StaticString) {
        text.withUTF8Buffer { bytes in
            for byte in bytes { append(byte) }
        }
    }

    @inline(__always)
    mutating func add(_ text: [UInt8]) {
        for byte in text { append(byte) }
    }

    mutating func add(blanks count: Int) {
        for _ in 0..<max(0, count) { append(UInt8(ascii: " ")) }
    }

    /// Right-aligned in `width` columns.
    mutating func add(decimal value: UInt64, width: Int = 1, padding: UInt8 = UInt8(ascii: " ")) {
        if value < 10, width <= 1 { return append(UInt8(ascii: "0") + UInt8(value)) }
        // From the last one on: a division tells two of them.
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var (first, rest) = (20, value)
        while rest >= 10 {
            let pair = rest % 100
            rest /= 100
            first -= 2
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair / 10)
            digits[first + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: pair % 10)
        }
        if rest > 0 {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)
        }
        for _ in 0..<max(0, width - (20 - first)) { append(padding) }
        for index in first..<20 { append(digits[index]) }
    }

    mutating func add(decimal value: Int64, width: Int = 1) {
        guard value < 0 else { return add(decimal: value.magnitude, width: width) }
        append(UInt8(ascii: "-"))
        add(decimal: value.magnitude)
    }

    /// `0x` and at least `digits` lowercase digits, as ``Hex`` writes them.
    mutating func add(hex value: UInt64, digits: Int = 1) {
        add("0x")
        if value == 0, digits == 1 { return append(UInt8(ascii: "0")) }
        var shift = 4 * UInt64(max(digits, (67 - value.leadingZeroBitCount) / 4))
        while shift > 0 {
            shift -= 4
            add(hexDigit: UInt8(truncatingIfNeeded: value >> shift & 0xf))
        }
    }

    mutating func add(hexDigitsOf byte: UInt8) {
        add(hexDigit: byte >> 4)
        add(hexDigit: byte & 15)
    }

    @inline(__always)
    private mutating func add(hexDigit digit: UInt8) {
        append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
    }
}
