// SPDX-License-Identifier: Apache-2.0

/// How a file's sections, or a whole file, are compressed.
enum Compression: String {
    case none, zlib, zstd, gzip

    /// A whole compressed file, by its first bytes; `none` for anything else.
    init(head: [UInt8]) {
        if head.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || Self.startsSkippable(head) {
            self = .zstd
        } else {
            self = .none
        }
    }

    /// A frame of user data, which pzstd puts in front of its own (RFC 8878, 3.1.2).
    private static func startsSkippable(_ head: [UInt8]) -> Bool {
        head.count > 4 && head[0] & 0xf0 == 0x50 && head[1...].starts(with: [0x2a, 0x4d, 0x18])
    }
}
