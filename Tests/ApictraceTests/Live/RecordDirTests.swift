// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// `live --record-dir` on real KVM.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct RecordDirTests {
    private static let tool = Command.directory.appending(path: "apictrace").path
    private static let guest = Command.directory.appending(path: "apictrace-guest").path
    private let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path

    private func shell(_ line: String) throws -> Command {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return try ExitStatusTableTests.shell("cd '\(folder)'; guest='\(Self.guest)'; " + line)
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    private func files(_ name: String = "parts") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/" + name).sorted().map {
            "\(folder)/\(name)/\($0)"
        }
    }

    private func report(_ file: String) throws -> Report {
        try Report(json: try Command("analyze", "--json", file).output)
    }

    /// Starts it with a guest that sends itself interrupts for the time.
    private func run(_ options: String, seconds: Int) throws -> Command {
        try shell(
            """
            $guest 2000000000 0 >guest & guest=$!
            apictrace live --json --record-dir parts \(options) --duration \(seconds); status=$?
            kill -KILL $guest; echo $guest >pid; exit $status
            """)
    }

    @Test(arguments: LiveBackend.allCases)
    func `each file says by itself what a VM that runs on is, and together they hold all`(backend: LiveBackend) throws {
        defer { remove() }
        let run = try run("--backend \(backend.rawValue) --rotate-time 1s --buffer 256M", seconds: 5)
        let line = try #require(run.output.split(separator: "\n").last.map(String.init))
        let live = try Report(json: line)
        let process = Int32(try String(contentsOfFile: folder + "/pid", encoding: .utf8).dropLast())
        var sums: [String: UInt64] = [:]
        let files = try files()
        #expect(files.count >= 2)
        for file in files {
            let report = try report(file)
            #expect(report.vms.map(\.pid) == [process])
            #expect(report.vms.flatMap(\.vcpus).count == 1)
            #expect(report.findings.isEmpty)
            if backend == .bpf {
                // Told, where a file without the vCPU's state would infer it.
                #expect(report.vms.flatMap(\.vcpus).map(\.id) == [0])
                #expect(report.vms.flatMap(\.apicv).allSatisfy { !$0.inferred })
                // A busy machine may have lost something in one of them.
                #expect(report.verdict == live.verdict || live.loss.overrun != 0)
            }
            #expect(report.loss.overrun == 0 || live.loss.overrun != 0)
            sums.merge(report.source.events.byName) { $0 + $1 }
        }
        let hits = live.source.events.byName
        #expect(sums.filter { $0.value > 0 } == hits.filter { $0.value > 0 })
        #expect(sums["kvm_apic_ipi"] ?? 0 > 1000)
    }

    @Test func `a run that is killed leaves files that can be read, of all but the last second`() throws {
        defer { remove() }
        let run = try shell(
            """
            $guest 2000000000 0 >guest & guest=$!
            '\(Self.tool)' live --quiet --record-dir parts --rotate-time 1s & live=$!
            sleep 4; read -r uptime _ </proc/uptime; kill -KILL $live $guest; echo $uptime
            """)
        let files = try files()
        #expect(files.count >= 2)
        var last: UInt64 = 0
        for file in files {
            var recording = try Recording(path: file)
            var seen = SeenEvents()
            last = max(last, try recording.read(into: &seen).last ?? 0)
        }
        let killed = try #require(Double(run.output.split(separator: "\n").last ?? ""))
        #expect(Double(last) / 1e9 > killed - 1)
    }

    @Test func `a disk that gets full ends the files, not the trace, and 6`() throws {
        defer { remove() }
        let run = try shell(
            """
            mkdir parts; mount -t tmpfs -o size=800k tmpfs parts || exit 99
            apictrace live --quiet --record-dir parts -- $guest 60000 0; status=$?
            mkdir copy; cp parts/* copy; umount parts; exit $status
            """)
        #expect(run.status == 6)
        #expect(run.output.hasPrefix("ipis 60000\ntimers 0\n"))
        #expect(run.errors.contains("can't be written: No space left on device; tracing goes on, and another file is"))
        for file in try files("copy") {
            #expect(try Command("analyze", "--quiet", file).status == 2)
        }
    }

    @Test func `a command that can't be started costs no recording, and leaves none`() throws {
        defer { remove() }
        let run = try shell(
            """
            apictrace live --quiet --record-dir parts -- $guest 20 0; ls parts
            apictrace live --quiet --record-dir parts --keep 1 -- /nonexistent; echo $?; ls parts
            """)
        let lines = run.output.split(separator: "\n").map(String.init)
        let names = lines.filter { $0.hasPrefix("apictrace-") }
        #expect(names.count == 2 && Set(names).count == 1)
        #expect(lines.contains("5"))
    }

    @Test func `a folder that is removed is told, and 6`() throws {
        defer { remove() }
        let run = try shell("apictrace live --quiet --record-dir parts -- rm -r parts")
        #expect(run.status == 6)
        #expect(!run.output.isEmpty)
        #expect(run.errors.contains("is gone: removed while it was written"))
    }

    @Test(arguments: ["", "--flight 10s"])
    func `a folder that can't be used ends it before anything is traced, and 6`(option: String) throws {
        defer { remove() }
        for path in ["a/b/c", "file", "/proc/self/fdinfo"] {
            let run = try shell("echo >file; apictrace live \(option) --record-dir \(path) -- touch traced; exit $?")
            #expect(run.status == 6, "\(path): \(run.errors)")
            #expect(run.output == "")
            #expect(!FileManager.default.fileExists(atPath: folder + "/traced"))
        }
    }

    @Test func `two runs don't share a folder`() throws {
        defer { remove() }
        let run = try shell(
            "apictrace live --quiet --record-dir parts -- '\(Self.tool)' live --record-dir parts --duration 1")
        #expect(run.errors.contains("parts: can't be used: another run records into this folder; name another one"))
    }

    @Test func `a flight without a finding leaves no file and says so`() throws {
        defer { remove() }
        let run = try shell("apictrace live --quiet --record-dir parts --flight 10s -- $guest 500 5")
        #expect(run.status == 0, "\(run.errors)")
        #expect(try files() == [])
        #expect(run.errors.contains("parts: 0 recordings of findings; "))
    }

    private static let wrong: [(String, String?)] = [
        ("--record a --record-dir b", "give one of them"), ("--keep 3", "--keep is for a --record-dir."),
        ("--rotate-size 2M", "--rotate-size is for a --record-dir."), ("--rotate-time 1m", "is for a --record-dir."),
        ("--record-dir b --keep 0", "--keep takes 1 or more"), ("--record-dir b --rotate-size 100", "1M at least"),
        ("--record-dir ''", "takes a folder"), ("--record-dir -", "takes a folder"),
        ("--flight 2m", "--flight is for a --record-dir."), ("--record-dir b --flight 2", nil),
        ("--record-dir b --flight-size 8M", "--flight-size is for a --record-dir with --flight."),
        ("--record-dir b --flight-rest 8s", "with --flight."),
        ("--record-dir b --record-grade hazard", "with --flight."),
        ("--record-dir b --flight 2m --flight-size 1M", "8M at least"),
        ("--record-dir b --flight 0", "'--flight <time>'"),
        ("--record-dir b --flight 2m --rotate-time 1m", "--rotate-time says nothing there"),
        ("--record-dir b --flight 2m --record-grade clean", "exposed or a graver one"),
        ("--record-dir b --rotate-time 99999999999999999999d", "--rotate-time"),
        ("--summary-every 1m", "is for --json"),
    ]

    @Test(arguments: wrong)
    func `options that don't go together are told`(options: String, text: String?) throws {
        defer { remove() }
        let run = try shell("apictrace live --quiet --duration 0.1 \(options)")
        guard let text else {
            #expect(run.status == 2, "\(run.errors)")
            return
        }
        #expect(run.status == 64)
        #expect(run.errors.contains(text), "\(run.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [])
    }
}
