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
        } else if let archive = Archive(head: head) {
            self = .archive(archive)
        } else if Self.isRawPage(head, size: size) {
            self = Self.rawPiece(file) ?? .rawPages(restored: "trace.dat")
        } else if TextEncoding.isText(head: head) {
            return nil
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

extension ForeignFormat.Archive {
    /// What ZIP's local headers and ustar's begin with (APPNOTE 4.3.7; POSIX pax, ustar interchange format).
    init?(head: [UInt8]) {
        if head.starts(with: [0x50, 0x4b, 0x03, 0x04]), head.count >= 30 {
            let length = Int(head[26]) | Int(head[27]) << 8
            self.init(kind: .zip, member: Self.name(head[30...].prefix(length)))
            return
        }
        // Folders come before what is in them.
        for place in stride(from: 0, through: head.count - 512, by: 512) {
            guard head[(place + 257)...].starts(with: "ustar".utf8) else { return nil }
            guard head[place + 156] != UInt8(ascii: "5") else { continue }
            self.init(kind: .tar, member: Self.name(head[place...].prefix(100)))
            return
        }
        return nil
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        let name = bytes.prefix { $0 != 0 }
        guard !name.isEmpty, name.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "'") }) else { return nil }
        return name.text
    }
}
