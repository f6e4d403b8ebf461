// SPDX-License-Identifier: Apache-2.0

/// A protobuf message as it is built, field by field (protobuf.dev/programming-guides/encoding). What Perfetto's trace needs of it is
/// this; a library would be larger than the rest of the output.
struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    /// Room for a number below 2^63 that is put there later: of nine bytes whatever it is, which readers take as well.
    mutating func room(_ field: UInt64) -> Int {
        varint(field << 3)
        bytes += Array(repeating: 0x80, count: 8) + [0]
        return bytes.count - 9
    }

    /// As ``room(_:)``, for eight bytes.
    mutating func fixedRoom(_ field: UInt64) -> Int {
        varint(field << 3 | 1)
        bytes += Array(repeating: 0, count: 8)
        return bytes.count - 8
    }

    /// UTF-8, in which nothing needs to be escaped.
    mutating func text(_ field: UInt64, _ value: String) {
        bytes(field, Array(value.utf8))
    }

    mutating func message(_ field: UInt64, _ message: ProtobufMessage) {
        bytes(field, message.bytes)
    }

    private mutating func bytes(_ field: UInt64, _ value: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(value.count))
        bytes += value
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
