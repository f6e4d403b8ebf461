// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// `analyze --perfetto`, and what Perfetto itself makes of its files.
@Suite(.serialized) struct PerfettoTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    @Test(arguments: [
        "bitvisor/6.1.192-asshipped-smp2/trace", "intel/6.12.107/nofix-hooked-only", "amd/6.12-force_avic/lost",
    ])
    func `Perfetto's own UI and SQL find in the file what the report says`(recording: String) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let made = try ExitStatusTableTests.shell(
            """
            cd '\(folder.path)'
            apictrace analyze --perfetto trace.pftrace --json '\(ExitStatusTableTests.fixture(recording))' >report.json
            """)
        #expect(made.errors == "")
        let ownPython = Self.root.appending(path: ".build/python/bin/python3").path
        let python = FileManager.default.isExecutableFile(atPath: ownPython) ? ownPython : "/usr/bin/python3"
        let opened = try Command(
            running: URL(filePath: python),
            [
                Self.root.appending(path: "Tests/Outputs/perfetto.py").path,
                folder.appending(path: "trace.pftrace").path, folder.appending(path: "report.json").path,
            ])
        if opened.status == 77 {
            print("Perfetto's UI: \(opened.output)")
            return
        }
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
