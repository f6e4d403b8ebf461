// SPDX-License-Identifier: Apache-2.0

/// Bytes of a file as text.
extension ArraySlice<UInt8> {
    var text: String { String(decoding: self, as: UTF8.self) }

    /// The lines that aren't empty.
    var lines: [ArraySlice<UInt8>] { split(separator: UInt8(ascii: "\n")) }
}
