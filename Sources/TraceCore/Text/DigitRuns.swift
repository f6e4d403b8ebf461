// SPDX-License-Identifier: Apache-2.0

/// Hexadecimal digits from a place on, eight at a time.
struct HexDigits {
    /// How many of the eight bytes are digits, up to the first that isn't.
    let count: Int
    /// Of those.
    let value: UInt64

    @inline(__always)
    init(_ line: Span<UInt8>, at place: Int) {
        let each: UInt64 = 0x0101_0101_0101_0101
        let top = each &* 0x80
        let word = line.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
        let any = word | top
        let lower = any | (each &* 0x20)
        // The top bit of each byte stays set where the byte is no less than what is taken off.
        let digits = (any &- each &* 0x30) & ~(any &- each &* 0x3a)
        let letters = (lower &- each &* 0x61) & ~(lower &- each &* 0x67) & top
        let others = ~((digits | letters) & ~word) & top
        count = others.trailingZeroBitCount &>> 3
        var nibbles = (word & (each &* 0x0f)) &+ (letters &>> 7) &* 9
        // The digits go to the end, with zeros in front of them; where there is none nothing is left.
        nibbles = (nibbles << UInt64(truncatingIfNeeded: 64 &- count &* 8)).byteSwapped
        nibbles = (nibbles | nibbles &>> 4) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles &>> 8) & 0x0000_ffff_0000_ffff
        value = (nibbles | nibbles &>> 16) & 0xffff_ffff
    }
}

/// Decimal digits from a place on, eight at a time.
struct DecimalDigits {
    /// How many of the eight bytes are digits, up to the first that isn't.
    let count: Int
    /// Of those.
    let value: UInt64

    @inline(__always)
    init(_ line: Span<UInt8>, at place: Int) {
        let each: UInt64 = 0x0101_0101_0101_0101
        let top = each &* 0x80
        let word = line.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
        let any = word | top
        let digits = (any &- each &* 0x30) & ~(any &- each &* 0x3a)
        let others = ~(digits & ~word) & top
        count = others.trailingZeroBitCount &>> 3
        // The digits go to the end, with zeros in front of them. Then two become one, three times.
        var parts = (word & (each &* 0x0f)) << UInt64(truncatingIfNeeded: 64 &- count &* 8)
        parts = (parts &* 10 &+ (parts &>> 8)) & 0x00ff_00ff_00ff_00ff
        parts = (parts &* 100 &+ (parts &>> 16)) & 0x0000_ffff_0000_ffff
        value = (parts &* 10_000 &+ (parts &>> 32)) & 0xffff_ffff
    }
}
