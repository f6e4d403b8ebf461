// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// A script of Tests/Outputs, which opens an output with the program that it is made for.
struct ConsumerScript {
    let name: String
    /// Of the output's name, by which the program knows it.
    var suffix = ""

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Analyses a recording and hands the script the output and the report. Where the program is missing the test says so, and
    /// tests nothing.
    ///
    /// - Parameter option: of `analyze`, for the output.
    func check(_ recording: String, option: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (output, report) = (folder.appending(path: "output" + suffix).path, folder.appending(path: "x.json").path)
        let made = try Command("analyze", option, output, "--json", "-o", report, recording)
        #expect(made.errors == "")
        try open([output, report])
    }

    /// Hands the script files that are there.
    func open(_ files: [String]) throws {
        let ownPython = Self.root.appending(path: ".build/python/bin/python3").path
        let python = FileManager.default.isExecutableFile(atPath: ownPython) ? ownPython : "/usr/bin/python3"
        let opened = try Command(
            running: URL(filePath: python), [Self.root.appending(path: "Tests/Outputs/\(name)").path] + files)
        if opened.status == 77 { return print("\(name): \(opened.output)") }
        #expect(opened.status == 0, "\(opened.output)\n\(opened.errors)")
    }

    /// The same with a recording whose threads have a name that would be markup, end a string or turn the text around.
    func checkHostileNames(option: String) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).dat").path
        defer { unlink(path) }
        var file = try Recording(path: ExitStatusTableTests.fixture("intel/6.12.107/nofix-passthrough-4ev"))
        var writer = try TraceWriter(path: path, info: file.info)
        for thread in file.info.commands.keys {
            writer.take(.fact(.command(Comm(Self.hostile))), at: EventStamp(time: 0, cpu: 0, tid: thread))
        }
        let totals = try file.read(into: &writer)
        try writer.finish(totals)
        try check(path, option: option)
    }

    static let hostile = "\"</script>'\u{1b}\u{202e}"
}
