// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// How live tracing ends: its exit status, its report and its recording, whatever ends it.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct LiveStatusTests {
    private static let tool = Command.directory.appending(path: "apictrace").path
    private static let guest = Command.directory.appending(path: "apictrace-guest").path
    private let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path

    private var recording: String { folder + "/trace.dat" }

    private func shell(_ line: String) throws -> Command {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try ExitStatusTableTests.shell("cd '\(folder)'; guest='\(Self.guest)'; " + line)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Starts the command and waits until its probes are there.
    private func start(_ line: String) throws -> Process {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "cd '\(folder)'; exec \(line.replacing("apictrace", with: "'\(Self.tool)'"))"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        try #require(BPFPrograms.attached(by: process.processIdentifier) != nil)
        return process
    }

    /// Runs a guest until its events are in the recording: probes that are there need not be attached yet. Without them the process goes.
    private func recordGuest(_ process: Process) throws {
        let guest = try Guest(ipis: 2_000_000_000, timers: 0)
        defer { guest.stop() }
        var size = 0
        for _ in 0..<1500 where size < 256 << 10 {
            usleep(20_000)
            size = (try? FileManager.default.attributesOfItem(atPath: recording)[.size] as? Int) ?? 0
        }
        if size < 256 << 10 { kill(process.processIdentifier, SIGKILL) }
        try #require(size >= 256 << 10)
    }

    private func events(_ path: String) throws -> (seen: SeenEvents, totals: TraceTotals) {
        var file = try Recording(path: path)
        var seen = SeenEvents()
        let totals = try file.read(into: &seen)
        return (seen, totals)
    }

    // MARK: - The traced command

    @Test(arguments: [
        ("false", "false failed: it ended with status 1"), ("sh -c 'exit 7'", "sh failed: it ended with status 7"),
        ("sh -c 'kill -9 $$'", "sh was killed: Killed"),
        ("/no/such/command", "/no/such/command: can't be started: No such file or directory"),
    ])
    func `a command that fails is reported, and 5 where nothing was found`(command: String, text: String) throws {
        defer { remove() }
        let run = try shell("apictrace live --quiet -- \(command)")
        #expect(run.status == 5)
        #expect(run.errors == "apictrace: \(text)\n")
        // The report of what was traced, if anything was.
        #expect(run.output.isEmpty == command.hasPrefix("/"))
        // Inconclusive findings there are none of; 5 outranks what else nothing would be.
        #expect(try shell("apictrace live --quiet --allow-inconclusive -- \(command)").status == 5)
    }

    @Test func `a command that can't be started costs no recording`() throws {
        defer { remove() }
        let run = try shell("echo precious >trace.dat; apictrace live --record trace.dat -- ./typo; cat trace.dat")
        #expect(run.output == "precious\n")
    }

    @Test func `a parent that has its children reaped unseen learns the command's end all the same`() throws {
        defer { remove() }
        let run = try shell("trap '' CHLD; timeout -s KILL 60 '\(Self.tool)' live --quiet -- sh -c 'exit 3'")
        #expect(run.status == 5)
        #expect(run.errors.contains("it ended with status 3"))
    }

    @Test func `a command that does well leaves the status to the verdict`() throws {
        defer { remove() }
        #expect(try shell("apictrace live --quiet -- $guest 10 0").status == 0)
        #expect(try shell("apictrace live --quiet -- true").status == 2)
        #expect(try shell("apictrace live --quiet --allow-inconclusive -- true").status == 0)
    }

    // MARK: - Output

    @Test(arguments: ["", "--quiet", "--json"])
    func `a report that can't be written goes to standard error, and 6`(form: String) throws {
        defer { remove() }
        for (stream, reason) in [(">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")] {
            let run = try shell("apictrace live \(form) --record trace.dat --duration 0.2 \(stream)")
            #expect(run.status == 6)
            #expect(run.errors.contains("apictrace: standard output: \(reason); the report:\n"))
            #expect(run.errors.split(separator: "\n").count > 1)
            // The file is not what standard output was.
            #expect(try events(recording).totals.cut == nil)
        }
    }

    @Test(arguments: [
        ("/dev/full", "can't be written: No space left on device"),
        ("small/trace.dat", "can't be written: No space left on device"),
    ])
    func `a recording that can't be written costs no report, and 6`(path: String, text: String) throws {
        defer { remove() }
        let run = try shell(
            """
            mkdir small; mount -t tmpfs -o size=600k tmpfs small || exit 99
            apictrace live --quiet --record \(path) -- $guest 3000 0; status=$?
            [ ! -e small/trace.dat ] || cp small/trace.dat trace.dat
            umount small; exit $status
            """)
        #expect(run.status == 6)
        #expect(run.output.hasPrefix("ipis 3000\ntimers 0\n"))
        #expect(run.output.split(separator: "\n").count == 3)
        #expect(run.errors.contains("\(path): \(text)"))
        guard path.hasPrefix("small") else { return }
        // What found room is whole, and never clean: the rest is counted as lost.
        let (seen, totals) = try events(recording)
        #expect(seen.total > 1000)
        #expect(totals.cut == nil)
        #expect(totals.overrun ?? 0 > 1000)
        #expect(try Command("analyze", "--quiet", recording).status == 2)
    }

    @Test func `a recording that may not grow ends there, and tracing goes on`() throws {
        defer { remove() }
        let run = try shell("ulimit -f 600; apictrace live --quiet --record trace.dat -- $guest 3000 0")
        #expect(run.status == 6)
        #expect(run.output.hasPrefix("ipis 3000\ntimers 0\n"))
        #expect(run.output.split(separator: "\n").count == 3)
        #expect(run.errors.contains("trace.dat: can't be written: File too large"))
        #expect(try events(recording).seen.total > 1000)
    }

    @Test func `a recording whose folder is removed meanwhile is reported`() throws {
        defer { remove() }
        let run = try shell("mkdir gone; apictrace live --quiet --record gone/trace.dat -- rm -r gone")
        #expect(run.status == 6)
        #expect(!run.output.isEmpty)
        #expect(run.errors.contains("gone/trace.dat: is gone: removed while it was written"))
    }

    @Test func `a recording that can't be made ends it before anything is traced`() throws {
        defer { remove() }
        for path in ["/no/such/trace.dat", "fifo"] {
            let run = try shell(
                "mkfifo fifo; apictrace live --record \(path) -- touch traced; status=$?; rm fifo; [ ! -e traced ] && exit $status"
            )
            #expect(run.status == 6)
            #expect(run.output == "")
        }
    }

    @Test func `a reader who leaves ends it with the report on standard error and a whole recording`() throws {
        defer { remove() }
        let run = try shell("apictrace live --json --record trace.dat | head -1 >/dev/null; echo ${PIPESTATUS[0]}")
        #expect(run.output == "6\n")
        #expect(run.errors.contains("standard output: Broken pipe; the report:\n"))
        #expect(try events(recording).totals.cut == nil)
    }

    @Test func `a reader who takes nothing holds up neither tracing nor its end`() throws {
        defer { remove() }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // A pipe that is full from the start, with a reader who sleeps.
        var pipe: [Int32] = [0, 0]
        try #require(Glibc.pipe(&pipe) == 0)
        _ = fcntl(pipe[1], F_SETFL, O_NONBLOCK)
        while write(pipe[1], [UInt8](repeating: 0, count: 4096), 4096) > 0 {}
        _ = fcntl(pipe[1], F_SETFL, 0)
        defer { close(pipe[0]) }
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: Self.tool)
        process.arguments = ["live", "--json", "--record", recording]
        process.standardOutput = FileHandle(fileDescriptor: pipe[1], closeOnDealloc: true)
        process.standardError = errors
        try process.run()
        try recordGuest(process)
        // Longer than a summary takes to come.
        sleep(2)
        kill(process.processIdentifier, SIGTERM)
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 6)
        #expect(text.contains("standard output: nobody reads it; the report:\n"))
        #expect(text.contains("\n  vCPU 0, thread "))
        let (seen, totals) = try events(recording)
        #expect(totals.cut == nil)
        #expect(seen.total > 1000)
    }

    // MARK: - Signals

    @Test(arguments: [SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGXCPU, SIGXFSZ])
    func `a signal ends it with the report and a whole recording`(_ signal: Int32) throws {
        defer { remove() }
        let process = try start("apictrace live --record trace.dat >report")
        try recordGuest(process)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect([0, 2].contains(process.terminationStatus))
        #expect(try String(contentsOfFile: folder + "/report", encoding: .utf8).contains("\n  vCPU 0, thread "))
        let (seen, totals) = try events(recording)
        #expect(totals.cut == nil)
        #expect(seen.total > 1000)
    }

    @Test(
        .enabled(if: access("/usr/bin/script", X_OK) == 0, "script is not installed"),
        arguments: ["HUP", "QUIT", "TERM"])
    func `after a signal the terminal is as it was, with the report on it`(signal: String) throws {
        defer { remove() }
        let run = try shell(
            """
            TERM=xterm script -qfc 'echo $$ >pid; exec "\(Self.tool)" live' typescript </dev/null >/dev/null &
            for i in {1..400}; do grep -q 1049h typescript && break; sleep 0.05; done
            kill -\(signal) $(cat pid); wait; cat typescript
            """)
        let parts = run.output.split(separator: "\u{1b}[?25h\u{1b}[?1049l")
        #expect(parts.count == 2)
        #expect(parts.last?.contains("live (BPF), ") == true)
    }

    @Test func `under nohup it outlives its terminal`() throws {
        defer { remove() }
        let process = try start("nohup apictrace live --quiet --duration 1 >report 2>errors")
        kill(process.processIdentifier, SIGHUP)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(try !String(contentsOfFile: folder + "/report", encoding: .utf8).isEmpty)
    }

    /// A part of `make kill`.
    @Test func `what a killed run has recorded is there but for the last second`() throws {
        defer { remove() }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Kill/run.sh")
        let run = try Command(running: script, ["5", Self.tool, Self.guest, "200"])
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.hasPrefix("5 of 5 recordings "))
    }

    // MARK: - Names

    @Test func `guests that are gone at once have names`() throws {
        defer { remove() }
        let run = try shell(
            "apictrace live --json --quiet -- bash -c 'for i in {1..40}; do '$guest' 1 0; done' 2>/dev/null")
        let report = try Report(json: run.output)
        let named = report.vms.filter { $0.command == "apictrace-guest" }
        #expect(named.count >= 40)
        #expect(report.vms.allSatisfy { $0.command != nil })
    }

    @Test func `a name that would be two lines is one, live and recorded`() throws {
        defer { remove() }
        let run = try shell(
            """
            name=$'A\\n77 evil\\u202e'; cp $guest "$name"
            apictrace live --record trace.dat -- "./$name" 10 0 && apictrace analyze trace.dat && apictrace analyze --json trace.dat
            """)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("A\\x0a77 evil\\u{202e} (pid "))
        #expect(!run.output.unicodeScalars.contains("\u{202e}"))
        #expect(run.output.contains("\n77 evil") == false)
        #expect(run.output.contains(#""command":"A\\x0a77"#) || run.output.contains(#""command":"A\n77"#))
    }
}
