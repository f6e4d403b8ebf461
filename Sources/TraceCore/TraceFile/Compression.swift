// SPDX-License-Identifier: Apache-2.0

/// How a file's sections, or a whole file, are compressed.
enum Compression: String {
    case none, zlib, zstd, gzip

    /// A whole compressed file, by its first bytes; `none` for anything else.
    init(head: [UInt8]) {
        if head.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) {
            self = .zstd
        } else {
            self = .none
        }
    }
}
