// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Bytes put together number by number, in either byte order.
struct Bytes {
    var order = ByteOrder.little
    var bytes: [UInt8] = []

    mutating func number<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: order == .little ? value.littleEndian : value.bigEndian) { bytes += $0 }
    }

    mutating func string(_ text: String) {
        bytes += Array(text.utf8) + [0]
    }

    mutating func pad(to boundary: Int) {
        while bytes.count % boundary != 0 { bytes.append(0) }
    }
}
