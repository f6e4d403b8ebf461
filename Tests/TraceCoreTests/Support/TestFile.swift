// SPDX-License-Identifier: Apache-2.0
import Glibc

@testable import TraceCore

/// Files for tests: recorded ones, and bytes that were put together.
enum TestFile {
    static func fixture(_ name: String) -> String {
        let support = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(support)/Fixtures/\(name)"
    }

    static func bytes(of path: String) throws -> [UInt8] {
        let file = try InputFile(path: path)
        return file.bytes(at: 0, count: Int(file.size))
    }

    /// A descriptor of an unlinked file that holds these bytes.
    static func descriptor(_ bytes: some Sequence<UInt8>) -> Int32 {
        var template = Array("/tmp/apictrace-test-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        unlink(template)
        let bytes = Array(bytes)
        _ = write(descriptor, bytes, bytes.count)
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    /// What a trace tells, and what it amounts to.
    static func read(_ bytes: some Sequence<UInt8>) throws -> (info: TraceInfo, lines: [String], totals: TraceTotals) {
        try read(open(bytes))
    }

    static func open(_ bytes: some Sequence<UInt8>) throws -> Recording {
        try Recording(descriptor: descriptor(bytes), name: "test.dat")
    }

    static func read(_ file: Recording) throws -> (info: TraceInfo, lines: [String], totals: TraceTotals) {
        var file = file
        var sink = TestSink()
        let totals = try file.read(into: &sink)
        return (file.info, sink.lines, totals)
    }
}
