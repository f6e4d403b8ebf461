// SPDX-License-Identifier: Apache-2.0

/// Text that is put together as bytes in one array, used again and again: a listing makes no String for each event.
struct ByteText {
    private(set) var bytes: [UInt8] = []

    static let space = UInt8(ascii: " ")

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    mutating func reserve(_ count: Int) {
        bytes.reserveCapacity(count)
    }

    @inline(__always)
    mutating func add(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    @inline(__always)
    mutating func add(_ text: [UInt8]) {
        bytes.append(contentsOf: text)
    }

    @inline(__always)
    mutating func add(byte: UInt8, count: Int = 1) {
        bytes.append(contentsOf: repeatElement(byte, count: max(0, count)))
    }

    /// Right-aligned in `width` columns.
    mutating func add(decimal value: UInt64, width: Int = 1, padding: UInt8 = space) {
        var digits = 1
        var limit: UInt64 = 10
        while value >= limit {
            digits += 1
            let (next, overflow) = limit.multipliedReportingOverflow(by: 10)
            if overflow { break }
            limit = next
        }
        add(byte: padding, count: max(width, digits))
        var rest = value
        var span = bytes.mutableSpan
        for index in 1...digits {
            span[span.count - index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    mutating func add(decimal value: Int64, width: Int = 1) {
        guard value < 0 else { return add(decimal: value.magnitude, width: width) }
        add(byte: UInt8(ascii: "-"))
        add(decimal: value.magnitude)
    }

    /// `0x` and at least `digits` lowercase digits, as ``Hex`` writes them.
    mutating func add(hex value: UInt64, digits: Int = 1) {
        add("0x")
        let count = max(digits, (67 - value.leadingZeroBitCount) / 4)
        add(byte: UInt8(ascii: "0"), count: count)
        var rest = value
        var span = bytes.mutableSpan
        for index in 1...count {
            let digit = UInt8(truncatingIfNeeded: rest & 0xf)
            span[span.count - index] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
            rest >>= 4
        }
    }
}
