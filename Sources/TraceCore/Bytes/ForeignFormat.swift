// SPDX-License-Identifier: Apache-2.0

/// A kind of file that people have at hand when they trace KVM, and that isn't a trace.dat.
public enum ForeignFormat: Equatable, Sendable {
    case perfData
    /// The `.cpuN` piece that a trace-cmd that was killed leaves behind; `restored` names the file to make of the pieces.
    case rawPages(restored: String)
    case packed(by: Packer)
    case text
    case unknown

    /// What a whole file can be compressed with and is not inflated here: other tools', and what was compressed twice or needs
    /// more memory than reading may take.
    public enum Packer: String, CaseIterable, Sendable {
        case xz, bzip2, lz4, gzip, zstd

        fileprivate var magic: [UInt8] {
            switch self {
            case .xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]
            case .bzip2: Array("BZh".utf8)
            case .lz4: [0x04, 0x22, 0x4d, 0x18]
            case .gzip: [0x1f, 0x8b]
            case .zstd: [0x28, 0xb5, 0x2f, 0xfd]
            }
        }

        fileprivate var command: String { self == .zstd ? "zstd --long=31" : rawValue }
    }

    /// By the input's first bytes; nil for a trace.dat.
    init?(head: [UInt8], file: String, size: UInt64) {
        if head.starts(with: TraceHead.magic) { return nil }
        if head.starts(with: "PERFILE2".utf8) || head.starts(with: "2ELIFREP".utf8) {
            self = .perfData
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

    /// The piece's format, and the file that it belongs to, by the name that trace-cmd gives it.
    static func rawPiece(_ file: String) -> ForeignFormat? {
        guard let dot = file.lastIndex(of: "."), file[dot...].hasPrefix(".cpu"),
            Int(file[dot...].dropFirst(4)) != nil
        else { return nil }
        return .rawPages(restored: String(file[..<dot]))
    }

    public var name: String {
        switch self {
        case .perfData: "a perf.data file"
        case .rawPages: "one CPU's raw pages of an unfinished trace-cmd recording"
        case .packed(let packer): "a file compressed with \(packer)"
        case .text: "text"
        case .unknown: "an unknown kind of file"
        }
    }

    public var advice: String {
        switch self {
        case .perfData:
            "record with `trace-cmd record -e kvm -e kvmmmu`"
        case .rawPages(let restored):
            "join the pieces, on the traced host under the same kernel, with "
                + "`trace-cmd restore -o \(restored) \(restored).cpu*` and analyse \(restored)"
        case .packed(let packer):
            "unpack it: `\(packer.command) -dc FILE | apictrace analyze -`"
        case .text:
            "text has lost fields that the analysis needs; it wants the trace.dat that `trace-cmd record` wrote"
        case .unknown:
            "a trace.dat starts with the bytes 17 08 44 and `tracing`"
        }
    }
}
