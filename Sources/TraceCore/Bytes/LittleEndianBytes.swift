// SPDX-License-Identifier: Apache-2.0

/// Bytes put together from numbers, strings and texts: the counterpart of ``SectionReader``.
struct LittleEndianBytes {
    private(set) var bytes: [UInt8]

    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    var count: UInt64 { UInt64(bytes.count) }

    mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    mutating func string(_ text: String) {
        bytes += Array(text.utf8) + [0]
    }

    /// A text behind its length of 64 bits.
    mutating func text(_ text: String) {
        self.text(Array(text.utf8))
    }

    mutating func text(_ text: [UInt8]) {
        number(UInt64(text.count))
        bytes += text
    }

    mutating func pad(to size: Int) {
        bytes += [UInt8](repeating: 0, count: (size - bytes.count % size) % size)
    }

    static func += (left: inout LittleEndianBytes, right: LittleEndianBytes) {
        left.bytes += right.bytes
    }
}
