// SPDX-License-Identifier: Apache-2.0

/// What an input is that no reader takes.
extension ForeignFormat {
    /// By the input's first bytes; nil for what a reader takes.
    /// - Parameter size: the whole input's, in bytes.
    init?(head: [UInt8], file: String, size: UInt64) {
        if head.starts(with: TraceHead.magic) || head.starts(with: PerfContainer.magic) { return nil }
        if head.starts(with: PerfContainer.reversedMagic) {
            self = .otherArchitecture(machine: nil)
        } else if let packer = Packer.allCases.first(where: { head.starts(with: $0.magic) }) {
            self = .packed(by: packer)
        } else if Self.isRawPage(head, size: size) {
            self = Self.rawPiece(file) ?? .rawPages(restored: "trace.dat")
        } else if !head.contains(where: { $0 < 0x20 && !(9...13).contains($0) && $0 != 0x1b }) {
            self = .text
        } else {
            // Of another page size or byte order the name tells.
            self = Self.rawPiece(file) ?? .unknown
        }
    }

    /// A first page whose records fill its used bytes exactly.
    private static func isRawPage(_ head: [UInt8], size: UInt64) -> Bool {
        guard size % 4096 == 0, head.count == 4096 else { return false }
        return head.withUnsafeBytes { bytes in
            guard var cursor = PageCursor(page: bytes, layout: PageLayout(order: .little)) else { return false }
            let tally = RecordTally()
            _ = cursor.next(tally)
            return cursor.fault == nil && !tally.seen.isEmpty
        }
    }
}

extension ForeignFormat.Packer {
    fileprivate var magic: [UInt8] {
        switch self {
        case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]
        case .bzip2: Array("BZh".utf8)
        case .lz4: [0x04, 0x22, 0x4d, 0x18]
        case .gzip: [0x1f, 0x8b]
        case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
        }
    }
}
