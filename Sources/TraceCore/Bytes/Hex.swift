// SPDX-License-Identifier: Apache-2.0

/// How reports write numbers that people know in hexadecimal.
public enum Hex {
    /// An address, a mask or an instruction pointer: `0xfee000b0`.
    public static func string(_ value: UInt64) -> String {
        "0x" + String(value, radix: 16)
    }

    /// An interrupt vector, always two digits: `0x41`, `0x00`.
    public static func vector(_ vector: UInt8) -> String {
        (vector < 0x10 ? "0x0" : "0x") + String(vector, radix: 16)
    }
}

extension UInt8 {
    /// As an interrupt vector is written.
    var hex: String { Hex.vector(self) }
}
