// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Why a recording could not be written, or not to its end: what was written until then can be read.
public struct TraceWriterError: Error, Equatable, Sendable, CustomStringConvertible {
    public var file: String
    public var what: String
    /// The system's text for the failure.
    public var reason: String

    /// Right after a call that has set errno.
    static func last(_ what: String, file: String) -> TraceWriterError {
        TraceWriterError(what, file: file, code: errno)
    }

    public init(file: String, what: String, reason: String) {
        self.file = file
        self.what = what
        self.reason = reason
    }

    init(_ what: String, file: String, code: Int32) {
        self.init(file: file, what: what, reason: "\(Errno(rawValue: code))")
    }

    /// For a reason that lies in the file, which another name helps.
    static func refused(_ file: String, _ why: String) -> TraceWriterError {
        TraceWriterError(file: file, what: "no recording is written there", reason: "\(why); name another file")
    }

    public var description: String { "\(file): \(what): \(reason)" }
}
