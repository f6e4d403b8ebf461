// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// `analyze --perfetto`, and what Perfetto itself makes of its files.
@Suite(.serialized) struct PerfettoTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(arguments: [
        "bitvisor/6.1.192-asshipped-smp2/trace", "intel/6.12.107/nofix-hooked-only", "amd/6.12-force_avic/lost",
    ])
    func `Perfetto's own UI and SQL find in the file what the report says`(recording: String) throws {
        try Self.open(ExitStatusTableTests.fixture(recording))
    }

    @Test func `a hostile name is a track's name in Perfetto's UI`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).dat").path
        defer { unlink(path) }
        var file = try Recording(path: ExitStatusTableTests.fixture("intel/6.12.107/nofix-passthrough-4ev"))
        var writer = try TraceWriter(path: path, info: file.info)
        for thread in file.info.commands.keys {
            let name = Comm("\"</script>'\u{1b}\u{202e}")
            writer.take(.fact(.command(name)), at: EventStamp(time: 0, cpu: 0, tid: thread))
        }
        let totals = try file.read(into: &writer)
        try writer.finish(totals)
        try Self.open(path)
    }

    /// Without Chromium and Perfetto's UI the test says so, and tests nothing.
    private static func open(_ recording: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (trace, report) = (folder.appending(path: "x.pftrace").path, folder.appending(path: "x.json").path)
        let made = try Command("analyze", "--perfetto", trace, "--json", "-o", report, recording)
        #expect(made.errors == "")
        let ownPython = root.appending(path: ".build/python/bin/python3").path
        let python = FileManager.default.isExecutableFile(atPath: ownPython) ? ownPython : "/usr/bin/python3"
        let opened = try Command(
            running: URL(filePath: python), [root.appending(path: "Tests/Outputs/perfetto.py").path, trace, report])
        if opened.status == 77 { return print("Perfetto's UI: \(opened.output)") }
        #expect(opened.status == 0, "\(opened.output)\n\(opened.errors)")
    }

    @Test func `the file is written beside the report, whose exit status stays`() throws {
        let run = try ExitStatusTableTests.shell(
            """
            file=$(mktemp) && trap 'rm "$file"' EXIT
            apictrace analyze --perfetto "$file" -q $found; echo $?; head -c 1 "$file" | od -An -tx1
            apictrace analyze --perfetto - $found | cmp - "$file" && echo same
            """)
        #expect(run.output.contains(": confirmed"))
        #expect(run.output.hasSuffix("\n1\n 0a\nsame\n"))
        #expect(run.errors == "")
    }

    @Test func `of several recordings it has no one clock, and what can't be written is 6`() throws {
        #expect(try ExitStatusTableTests.shell("apictrace analyze --perfetto x $found $clean").status == 64)
        let full = try ExitStatusTableTests.shell("apictrace analyze -q --perfetto /dev/full $found")
        #expect(full.status == 6)
        #expect(full.errors.contains("/dev/full: can't be written: No space left on device"))
        #expect(try ExitStatusTableTests.shell("apictrace analyze --perfetto /no/such/x $found").status == 6)
    }
}
