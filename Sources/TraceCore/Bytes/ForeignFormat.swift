// SPDX-License-Identifier: Apache-2.0

/// A kind of file that people have at hand when they trace KVM, and that isn't a trace.dat.
public enum ForeignFormat: Equatable, Sendable {
    /// Written where its recorder can have been no x86 host; only its byte order is known where `machine` is nil.
    case otherArchitecture(machine: String?)
    /// perf was killed before it wrote the formats of its events, which come last.
    case unfinishedPerfData
    /// A perf.data without a tracepoint.
    case profile
    /// What `perf record --threads` writes.
    case perfDirectory
    /// The `.cpuN` piece that a trace-cmd that was killed leaves behind; `restored` names the file to make of the pieces.
    case rawPages(restored: String)
    case packed(by: Packer)
    case archive(Archive)
    /// A text without a line of a trace.
    case text
    case unknown

    /// What a whole file can be compressed with and is not inflated here: other tools', and what was compressed twice or needs
    /// more memory than reading may take.
    public enum Packer: String, CaseIterable, Sendable {
        case xz, bzip2, lz4, gzip, zstd

        fileprivate var command: String { self == .zstd ? "zstd --long=31" : rawValue }
    }

    /// Several files in one.
    public struct Archive: Equatable, Sendable {
        public enum Kind: String, Sendable {
            case zip, tar
        }

        public var kind: Kind
        /// Its first file; nil where a shell would need more than quotes for its name.
        public var member: String?

        fileprivate var command: String {
            let name = member.map {
                $0.allSatisfy { $0.isLetter || $0.isNumber || "._-/".contains($0) } ? $0 : "'\($0)'"
            }
            return switch kind {
            case .zip: "unzip -p FILE \(name ?? "NAME")"
            case .tar: "tar -xOf FILE \(name ?? "NAME")"
            }
        }
    }

    /// The piece's format, and the file that it belongs to, by the name that trace-cmd gives it.
    static func rawPiece(_ file: String) -> ForeignFormat? {
        guard let dot = file.lastIndex(of: "."), file[dot...].hasPrefix(".cpu"),
            Int(file[dot...].dropFirst(4)) != nil
        else { return nil }
        return .rawPages(restored: String(file[..<dot]))
    }

    private static let perfCommand = "perf record -a -e 'kvm:*' -e 'kvmmmu:*'"

    /// By what `uname -m` calls them. KVM has been on all of them.
    private static let otherMachines = [
        "aarch64", "arm", "riscv", "s390", "ppc", "powerpc", "mips", "loongarch", "ia64",
    ]

    /// Nil for an x86 host, and where nothing is known.
    init?(architecture machine: String?) {
        guard let machine, Self.otherMachines.contains(where: machine.hasPrefix) else { return nil }
        self = .otherArchitecture(machine: machine)
    }

    public var name: String {
        switch self {
        case .otherArchitecture(let machine):
            "a recording of KVM on \(machine ?? "a big-endian host")"
        case .unfinishedPerfData: "a perf.data file that perf was killed over"
        case .profile: "a perf.data file without tracepoints, a profile"
        case .perfDirectory: "a perf.data directory, as perf record --threads writes it"
        case .rawPages: "one CPU's raw pages of an unfinished trace-cmd recording"
        case .packed(let packer): "a file compressed with \(packer)"
        case .archive(let archive):
            "a \(archive.kind.rawValue) archive" + (archive.member.map { " with \($0) in it" } ?? "")
        case .text: "text without a line of a trace"
        case .unknown: "an unknown kind of file"
        }
    }

    public var advice: String {
        switch self {
        case .otherArchitecture:
            "only x86 hosts have APICv or AVIC, and only KVM's events of those are read"
        case .unfinishedPerfData:
            "the formats of its events were never written, and nothing can be told without them; perf that writes to a pipe "
                + "writes them first: `\(Self.perfCommand) -o - >perf.data`"
        case .profile:
            "record KVM's events: `\(Self.perfCommand)`"
        case .perfDirectory:
            "its files can't be read one by one; record without --threads: `\(Self.perfCommand)`"
        case .rawPages(let restored):
            "join the pieces, on the traced host under the same kernel, with "
                + "`trace-cmd restore -o \(restored) \(restored).cpu*` and analyse \(restored)"
        case .packed(let packer):
            "unpack it: `\(packer.command) -dc FILE | apictrace analyze -`"
        case .archive(let archive):
            "unpack what is in it: `\(archive.command) | apictrace analyze -`"
        case .text:
            "KVM's events are wanted one a line, as trace-cmd report, perf script and tracefs' trace print them with their names; "
                + "tables, sums and the trace options raw, hex and bin leave those out"
        case .unknown:
            "a trace.dat starts with the bytes 17 08 44 and `tracing`"
        }
    }
}
