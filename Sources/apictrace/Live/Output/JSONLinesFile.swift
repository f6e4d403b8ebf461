// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// A file of JSON lines beside what is shown.
struct JSONLinesFile {
    private let path: String
    private let stream: OutputStream
    /// What takes its lines.
    let out: OutputQueue

    init(path: String) throws(TraceWriterError) {
        try OutputStream.requireRegularFile(path, else: "no lines are written there")
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
