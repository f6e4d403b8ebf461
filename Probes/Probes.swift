// SPDX-License-Identifier: Apache-2.0

/// The compiled BPF object, as the build embeds it: base64 without padding.
public enum Probes {
    /// Lends the object's bytes, aligned to 8 as libelf wants them.
    public static func withObject<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let object = UnsafeMutableRawBufferPointer.allocate(byteCount: encoded.utf8CodeUnitCount, alignment: 8)
        defer { object.deallocate() }
        let count = encoded.withUTF8Buffer { decode($0, into: object) }
        return try body(UnsafeRawBufferPointer(rebasing: object[..<count]))
    }

    /// Returns how many bytes there were; `output` has room for one a digit.
    private static func decode(
        _ digits: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableRawBufferPointer
    ) -> Int {
        var bits: UInt32 = 0
        var width = 0
        var count = 0
        for digit in digits {
            bits = bits << 6 | value(of: digit)
            width += 6
            guard width >= 8 else { continue }
            width -= 8
            output[count] = UInt8(truncatingIfNeeded: bits >> UInt32(width))
            count += 1
        }
        return count
    }

    private static func value(of digit: UInt8) -> UInt32 {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        default: 63
        }
    }
}
