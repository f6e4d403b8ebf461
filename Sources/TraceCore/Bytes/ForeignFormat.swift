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

        fileprivate var command: String { self == .zstd ? "zstd --long=31" : rawValue }
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
