// SPDX-License-Identifier: Apache-2.0

/// Why nothing at all can be said of an input. What can be said of a damaged file is no error: see ``TraceTotals/cut``.
public enum InputError: Error, Equatable, Sendable {
    /// `reason` is the system's text for the failure.
    case cannotOpen(file: String, reason: String)
    case cannotRead(file: String, offset: UInt64, reason: String)
    case empty(file: String)
    /// Another kind of file, recognised by its first bytes.
    case foreign(file: String, ForeignFormat)
    case unsupportedVersion(file: String, version: String)
    case unsupportedCompression(file: String, name: String)
    /// A file of a tracer's text (`latency` in version 6, BUFFER_TEXT in version 7), which holds no records.
    case textOnly(file: String)
    /// Compressed input of more than so many bytes.
    case inflatesTooFar(file: String, bytes: UInt64)
    /// A trace.dat of which not even the head makes sense.
    case damaged(file: String, TraceCut)
}

extension InputError: CustomStringConvertible {
    /// One line: what is wrong, and what to do.
    public var description: String {
        switch self {
        case .cannotOpen(let file, let reason): "\(file): can't be opened: \(reason)"
        case .cannotRead(let file, let offset, let reason): "\(file): can't be read at offset \(offset): \(reason)"
        case .empty(let file):
            ForeignFormat.rawPiece(file).map { "\(file): empty; \($0.advice)" }
                ?? "\(file): empty: the recorder wrote nothing"
        case .foreign(let file, let format): "\(file): \(format.name): \(format.advice)"
        case .unsupportedVersion(let file, let version):
            "\(file): trace.dat version \(version): only 6 and 7 are known; `trace-cmd convert --file-version 7` may help"
        case .unsupportedCompression(let file, let name):
            "\(file): compressed with \(name): only zlib and zstd are known; try `trace-cmd convert --compression none`"
        case .textOnly(let file):
            "\(file): holds a latency tracer's text and no events: record events with `trace-cmd record -e kvm -e kvmmmu`"
        case .inflatesTooFar(let file, let bytes):
            "\(file): inflates to more than \(bytes) bytes, which no recording of its size does; if it is one nevertheless, give "
                + "--max-size"
        case .damaged(let file, let cut): "\(file): damaged at offset \(cut.offset): expected \(cut.expected)"
        }
    }
}
