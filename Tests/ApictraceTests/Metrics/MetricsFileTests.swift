// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// The file of `live --metrics`.
@Suite struct MetricsFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)")
    private var path: String { folder.appending(path: "apictrace.prom").path }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path) }

    @Test func `each page replaces the one before in one step, for anybody to read`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = MetricsFile(path: path)
        try file.write("a longer page\n")
        let reader = try #require(fopen(path, "r"))
        defer { fclose(reader) }
        #expect(chmod(path, 0o600) == 0)
        file.put("page\n")
        try file.finish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "page\n")
        // Who had it open reads on in what was there.
        var line = [CChar](repeating: 0, count: 64)
        #expect(fgets(&line, 64, reader) != nil)
        #expect(line.starts(with: "a longer page\n".utf8.map { CChar(bitPattern: $0) }))
        #expect(try names() == ["apictrace.prom"])
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o644)
    }

    @Test func `the latest of many pages is there in the end, and none in halves meanwhile`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = MetricsFile(path: path)
        try file.write("start\n")
        for number in 0..<2000 {
            file.put("page \(number)\n")
            if number.isMultiple(of: 50) {
                #expect(try String(contentsOfFile: path, encoding: .utf8).hasSuffix("\n"))
            }
        }
        try file.finish()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "page 1999\n")
        #expect(try names() == ["apictrace.prom"])
    }

    @Test func `what is no file of its own is left as it is`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let other = folder.appending(path: "other").path
        try "precious".write(toFile: other, atomically: true, encoding: .utf8)
        #expect(symlink(other, path) == 0)
        for name in [path, folder.path, "/dev/null"] {
            let error = #expect(throws: TraceWriterError.self) { try MetricsFile(path: name).write("x") }
            #expect(error?.reason == "it is no regular file; name another file")
        }
        #expect(try String(contentsOfFile: other, encoding: .utf8) == "precious")
        #expect(try names().sorted() == ["apictrace.prom", "other"])
    }

    @Test func `what can't be written is told, and once it can be again that is forgotten`() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let gone = folder.appending(path: "gone")
        let file = MetricsFile(path: gone.appending(path: "x.prom").path)
        file.put("x")
        let error = #expect(throws: TraceWriterError.self) { try file.finish() }
        #expect(error?.description == "\(file.path): can't be written: No such file or directory")
        try FileManager.default.createDirectory(at: gone, withIntermediateDirectories: true)
        file.put("x")
        try file.finish()
        #expect(file.failure == nil)
    }

    @Test func `only what node_exporter reads has its format`() {
        #expect(MetricsFile(path: "a/x.prom").format == .prometheus)
        #expect(MetricsFile(path: "x.prom.txt").format == .openMetrics)
    }
}
