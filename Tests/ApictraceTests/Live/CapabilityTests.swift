// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import apictrace

/// Live tracing by a user who isn't root and has capabilities instead.
@Suite(
    .serialized, LiveHost.needs[0], LiveHost.needs[3],
    .enabled(if: access("/usr/bin/setpriv", X_OK) == 0, "setpriv is not installed"))
struct CapabilityTests {
    /// Runs the tool as user 65534 with these capabilities and no other. The binary comes as a descriptor, for its folder may
    /// be closed to that user.
    private func run(_ capabilities: [Capability], _ arguments: String...) throws -> Command {
        let list = "-all" + capabilities.map { ",+" + $0.name.dropFirst(4).lowercased() }.joined()
        return try Command(
            running: URL(fileURLWithPath: "/usr/bin/setpriv"),
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps", list, "--ambient-caps", list,
                "--", "/proc/self/fd/0",
            ] + arguments, input: Command.directory.appendingPathComponent("apictrace"))
    }

    private static let heedsFileCapabilities: Bool = {
        var volume = statvfs()
        return statvfs(FileManager.default.temporaryDirectory.path, &volume) == 0
            && volume.f_flag & UInt(ST_NOSUID) == 0
    }()

    @Test(LiveHost.needs[2])
    func `probes load with their capabilities`() throws {
        let run = try run(Capabilities.probing, "live", "--duration", "0.1")
        // Inconclusive where no guest happened to run.
        #expect([0, 2].contains(run.status), "\(run.errors)")
    }

    /// As docs/privileges.md says to grant them: on a file, to a user who has none.
    @Test(
        LiveHost.needs[2], .enabled(if: access("/usr/sbin/setcap", X_OK) == 0, "setcap is not installed"),
        .enabled(if: heedsFileCapabilities, "the folder for temporary files is mounted nosuid"))
    func `probes load with capabilities of the file`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        defer { try? FileManager.default.removeItem(at: folder) }
        let copy = folder.appendingPathComponent("apictrace")
        try FileManager.default.copyItem(at: Command.directory.appendingPathComponent("apictrace"), to: copy)
        let names = Capabilities.probing.map { $0.name.lowercased() }.joined(separator: ",")
        let grant = try Command(running: URL(fileURLWithPath: "/usr/sbin/setcap"), [names + "+ep", copy.path])
        try #require(grant.status == 0, "\(grant.errors)")
        let run = try Command(
            running: URL(fileURLWithPath: "/usr/bin/setpriv"),
            [
                "--reuid", "65534", "--regid", "65534", "--clear-groups", "--", copy.path, "live", "--backend", "bpf",
                "--duration", "0.1",
            ])
        // Inconclusive where no guest happened to run.
        #expect([0, 2].contains(run.status), "\(run.errors)")
    }

    @Test func `an instance can be made with its own`() throws {
        let run = try run(Capabilities.instance, "live", "--backend", "ftrace", "--duration", "0.1")
        // Inconclusive where no guest happened to run.
        #expect([0, 2].contains(run.status), "\(run.errors)")
        #expect(Tracefs.leftovers() == [])
    }

    @Test func `ftrace is chosen by itself where BPF is not to be had, and said`() throws {
        let run = try run(Capabilities.instance, "live", "--quiet", "--duration", "0.1")
        #expect([0, 2].contains(run.status))
        #expect(run.errors.contains("reading the same tracepoints with ftrace"))
        #expect(Tracefs.leftovers() == [])
    }

    @Test(arguments: LiveBackend.allCases)
    func `without capabilities it says what to do and ends with 4`(_ backend: LiveBackend) throws {
        let run = try run([], "live", "--backend", backend.rawValue, "--duration", "0.1")
        #expect(run.status == 4)
        #expect(run.errors.contains("run it as root") || run.errors.contains("tracefs isn't mounted"))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func `doctor names what is missing`() throws {
        let run = try run([.bpf, .perfmon], "doctor")
        #expect(run.output.contains("missing CAP_SYS_ADMIN CAP_DAC_READ_SEARCH\n"))
        #expect(run.output.contains("setcap cap_dac_override,"))
        #expect(run.status == 4)
    }

    @Test(arguments: LiveBackend.allCases)
    func `while it traces it has none left`(_ backend: LiveBackend) throws {
        if backend == .bpf, !SystemFile.exists("/sys/kernel/btf/vmlinux") { return }
        let process = Process()
        process.executableURL = Command.directory.appendingPathComponent("apictrace")
        process.arguments = ["live", "--backend", backend.rawValue, "--duration", "60"]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let status = "/proc/\(process.processIdentifier)/status"
        var lines: Set<Substring> = []
        for _ in 0..<500 where !lines.contains("NoNewPrivs:\t1") {
            usleep(20_000)
            lines = Set(SystemFile.text(status)?.split(separator: "\n") ?? [])
        }
        // NoNewPrivs is the step before.
        usleep(20_000)
        lines = Set(SystemFile.text(status)?.split(separator: "\n") ?? [])
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        for name in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            #expect(lines.contains("\(name):\t0000000000000000"))
        }
        #expect([0, 2].contains(process.terminationStatus))
    }

    @Test(LiveHost.needs[2])
    func `a command of root's keeps root's capabilities`() throws {
        let run = try Command("live", "--duration", "60", "--", "/bin/grep", "CapEff", "/proc/self/status")
        let effective = try #require(run.output.firstMatch(of: /CapEff:\t([0-9a-f]+)/)?.1)
        #expect(UInt64(effective, radix: 16) == Capabilities.current.bits)
    }
}
