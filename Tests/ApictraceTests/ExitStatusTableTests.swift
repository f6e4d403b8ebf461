// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The README's table of exit statuses, each cell by the built command. Those that need live tracing are in LiveStatusTests.
@Suite struct ExitStatusTableTests {
    static func fixture(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "TraceCoreTests/Fixtures/\(name).dat").path
    }

    /// Runs a line of shell, in which `apictrace` is the built command, and some recordings have names.
    static func shell(_ line: String) throws -> Command {
        let script = """
            apictrace() { '\(Command.directory.appending(path: "apictrace").path)' "$@"; }
            clean='\(fixture("intel/6.12.107/inhibit"))'
            exposed='\(fixture("intel/6.12.107/passthrough-2v"))'
            found='\(fixture("intel/6.12.107/nofix-hooked-only"))'
            inconclusive='\(fixture("amd/6.12-force_avic/lost"))'
            cut='\(fixture("amd/6.12-force_avic/truncated-v7-zstd-90pct"))'
            \(line)
            """
        return try Command(running: URL(filePath: "/bin/bash"), ["-c", script])
    }

    private static let cells: [(String, Int32)] = [
        ("analyze $clean", 0),
        ("analyze --fail-on confirmed $exposed", 0),
        ("analyze $found", 1),
        ("analyze --allow-inconclusive $found", 1),
        ("analyze $inconclusive", 2),
        ("analyze --fail-on inconclusive $inconclusive", 2),
        ("analyze --allow-inconclusive $inconclusive", 0),
        ("analyze --fail-on inconclusive --allow-inconclusive $inconclusive", 64),
        ("analyze $clean $inconclusive", 2),
        ("analyze $inconclusive $found $clean", 1),
        ("analyze $found /no/such/file.dat", 3),
        ("analyze /no/such/file.dat", 3),
        ("analyze /etc/passwd", 3),
        ("analyze --max-size 4G $clean", 0), ("analyze --max-size 1000 $inconclusive", 2),
        ("analyze --max-size 0 $clean", 64), ("analyze --max-size 99999999T $clean", 64),
        ("analyze --vcpu -1 $clean", 64), ("analyze --vm 424242 $clean", 2), ("events --vm 424242 $clean", 2),
        ("events $clean", 0),
        ("events $cut", 2),
        ("events /no/such/file.dat", 3),
        ("cut --finding 1 $found", 0), ("cut --from +0 --to +0.1 --vm 'VM 0' $found", 0),
        ("cut --vm 424242 $found", 2), ("cut --from 99999 $found", 2), ("cut --finding 1 $clean", 64),
        ("cut $found", 64), ("cut --around 1ms --from 1 $found", 64), ("cut --finding 1 --around soon $found", 64),
        ("cut --finding 1 /no/such/file.dat", 3), ("cut --finding 1 -o /no/such/folder/part.dat $found", 6),
        ("diff $clean $clean", 0), ("diff $found $found", 0), ("diff $exposed $clean", 2),
        ("diff $inconclusive $clean", 2), ("diff $cut $clean", 2),
        ("diff $clean $inconclusive", 2), ("diff $clean $found", 1), ("diff --quiet $clean $exposed", 1),
        ("diff $clean /no/such/file.dat", 3), ("diff /no/such/file.dat $found", 3), ("diff $clean", 64),
        ("diff --from 5 --to 3 $clean $clean", 64), ("diff -o /no/such/folder/x $clean $clean", 6),
        ("explain stale-svi", 0), ("explain ghost-irq", 64), ("schema", 0), ("--help", 0), ("--version", 0),
        ("bogus", 64),
    ]

    @Test(arguments: cells)
    func `a command ends as the table says`(arguments: String, status: Int32) throws {
        let run = try Self.shell("apictrace \(arguments)")
        #expect(run.status == status, "\(run.errors)")
    }

    @Test(arguments: ["analyze", "events"])
    func `a time that can't be is 64`(command: String) throws {
        for times in [
            "--from 1.2s", "--from 99999999999", "--to 18446744073709551616", "--from 5 --to 3", "--from 5.1 --to 5",
        ] {
            let run = try Self.shell("apictrace \(command) \(times) $clean")
            #expect(run.status == 64, "\(times)")
            #expect(run.output == "")
            #expect(run.errors != "")
        }
    }

    @Test(arguments: ["analyze", "analyze --quiet", "events"])
    func `a time outside of the recording is reported and settles nothing`(command: String) throws {
        for times in ["--from 99999", "--to 0.000001"] {
            let run = try Self.shell("apictrace \(command) \(times) $clean")
            #expect(run.status == 2, "\(times)")
            #expect(run.errors.contains("no event lies between --from and --to"))
        }
    }

    @Test(arguments: [
        "analyze $found", "analyze --json $found", "analyze --quiet $clean", "events $clean",
        "cut --finding 1 $found", "diff $clean $found", "diff --json $clean $found",
        "explain", "explain stale-svi", "schema", "schema --live", "doctor", "doctor --json", "--help", "live --help",
        "--version", "--generate-completion-script bash",
    ])
    func `output that can't be written is reported, and 6`(arguments: String) throws {
        for (stream, reason) in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
            let run = try Self.shell("apictrace \(arguments) \(stream)")
            #expect(run.status == 6, "\(stream)")
            #expect(run.errors.contains("apictrace: standard output: \(reason)"))
        }
    }

    @Test func `a file that may not grow is a disk that is full`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { unlink(path) }
        let run = try Self.shell("ulimit -f 8; apictrace events $found >'\(path)'")
        #expect(run.status == 6)
        #expect(run.errors.contains("apictrace: standard output: File too large"))
    }

    @Test func `a reader who leaves ends it without a word, as any tool in a pipe`() throws {
        let run = try Self.shell("apictrace events $found | head -1 >/dev/null; echo ${PIPESTATUS[0]}")
        #expect(run.output == "\(128 + SIGPIPE)\n")
        #expect(run.errors == "")
    }

    @Test func `the README has the table`() throws {
        let readme = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "README.md"), encoding: .utf8)
        for code in [0, 1, 2, 3, 4, 5, 6, 64] { #expect(readme.contains("\n| \(code) | ")) }
    }
}
