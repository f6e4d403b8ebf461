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

/// How far compressed input may inflate before it is refused: a small file must not fill the disk.
///
/// A record is some forty bytes, and its time, its address or its count is news: what recorders write, and tests have, inflates to
/// less than a hundredth of the ratio's. A gigabyte is free, since short recordings may hold nearly empty pages.
public struct InflationLimit: Sendable, Equatable {
    /// To so many bytes whatever the input's size.
    private var free: UInt64 = 1 << 30
    /// Beyond that to so many times the input's size.
    private var ratio: UInt64 = 250
    /// And to no more than this, where what is inflated takes room on the disk.
    private var most: UInt64 = 64 << 30

    public init() {}

    /// To this size, whatever the input's.
    public init(bytes: UInt64) {
        (free, ratio, most) = (bytes, 0, bytes)
    }

    /// For a whole file, which is inflated to the disk.
    func bytes(ofFile size: UInt64) -> UInt64 { min(most, bytes(ofChunks: size)) }

    /// For the chunks of a version 7 file, which are inflated one by one.
    func bytes(ofChunks size: UInt64) -> UInt64 {
        let (product, overflow) = size.multipliedReportingOverflow(by: ratio)
        return max(free, overflow ? .max : product)
    }
}
