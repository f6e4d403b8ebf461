// SPDX-License-Identifier: Apache-2.0
import Glibc

@testable import TraceCore

/// A file that a ``TraceWriter`` writes, gone with the value.
struct TestRecording: ~Copyable {
    let path: String

    init(_ info: TraceInfo, _ write: (inout TraceWriter) throws -> Void) throws {
        var template = Array("/tmp/apictrace-test-XXXXXX".utf8CString)
        close(mkstemp(&template))
        path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        var writer = try TraceWriter(path: path, info: info)
        try write(&writer)
    }

    /// A recording written once more.
    init(rewriting path: String) throws {
        var file = try Recording(path: path)
        try self.init(file.info) { writer in
            let totals = try file.read(into: &writer)
            try writer.finish(totals)
        }
    }

    deinit {
        unlink(path)
    }

    func items() throws -> [LiveTestSink.Item] {
        var file = try Recording(path: path)
        var sink = LiveTestSink()
        _ = try file.read(into: &sink)
        return sink.items
    }
}
