// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import TraceCore

/// A file of JSON lines beside what is shown.
struct JSONLinesFile {
    private let path: String
    private let stream: OutputStream
    /// What takes its lines.
    let out: OutputQueue

    /// - Throws: also of what is no regular file: a pipe would wait for its reader, and a link may be somebody else's.
    init(path: String) throws(TraceWriterError) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw TraceWriterError(
                file: path, what: "no lines are written there", reason: "it is no regular file; name another file")
        }
        self.path = path
        stream = try OutputStream(path: path)
        out = stream.queue()
    }

    /// Waits until all of it was written.
    func finish() throws(TraceWriterError) {
        let trouble = out.finish(unless: [], isAsked: true) ?? (out.dropped > 0 ? "it was written too slowly" : nil)
        if let trouble { throw TraceWriterError(file: path, what: "lines are missing", reason: trouble) }
    }
}
