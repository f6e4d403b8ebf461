// SPDX-License-Identifier: Apache-2.0
import Glibc

@testable import TraceCore

/// A part of a recording in a file, gone with the value.
struct TestPart: ~Copyable {
    let path: String
    let events: (taken: UInt64, whole: UInt64)

    init(of path: String, finding: String) throws {
        var request = CutRequest()
        request.finding = finding
        try self.init(of: path, request)
    }

    init(of whole: String, _ request: CutRequest) throws {
        var recording = try Recording(path: whole)
        let part = try RecordingPart(of: &recording, request)
        var template = Array("/tmp/apictrace-test-XXXXXX".utf8CString)
        close(mkstemp(&template))
        let path = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        try part.write(path: path)
        self.path = path
        events = part.events
    }

    deinit {
        unlink(path)
    }

    func totals() throws -> TraceTotals {
        var file = try Recording(path: path)
        var analysis = Analysis(info: file.info)
        return try file.read(into: &analysis)
    }

    func report() throws -> Report {
        var file = try Recording(path: path)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    func bytes() throws -> [UInt8] { try TestFile.bytes(of: path) }
}
