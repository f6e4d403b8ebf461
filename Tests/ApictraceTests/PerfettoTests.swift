// SPDX-License-Identifier: Apache-2.0
import Testing

/// `analyze --perfetto`, and what Perfetto itself makes of its files.
@Suite(.serialized) struct PerfettoTests {
    private static let script = ConsumerScript(name: "perfetto.py")

    @Test(arguments: [
        "intel/6.12.107/nofix-hooked-only", "amd/6.12-force_avic/lost",
    ])
    func `Perfetto's own UI and SQL find in the file what the report says`(recording: String) throws {
        try Self.script.check(ExitStatusTableTests.fixture(recording), option: "--perfetto")
    }

    @Test func `a hostile name is a track's name in Perfetto's UI`() throws {
        try Self.script.checkHostileNames(option: "--perfetto")
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
