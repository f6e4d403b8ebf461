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

    @Test(LiveHost.needs[2])
    func `probes load with their capabilities`() throws {
        let run = try run(Capabilities.probing, "live", "--duration", "0.1")
        // Inconclusive where no guest happened to run.
        #expect([0, 2].contains(run.status), "\(run.errors)")
    }

    /// CAP_SYS_ADMIN, where that is one of them, stands for those that were split off from it.
    @Test(LiveHost.needs[2], arguments: KernelTypes.areModules ? [.sysAdmin, .dacReadSearch] : Capabilities.probing)
    func `no capability of them can be spared`(_ spared: Capability) throws {
        let run = try run(
            Capabilities.probing.filter { $0 != spared }, "live", "--backend", "bpf", "--duration", "0.1")
        #expect(run.status == 4)
        #expect(run.errors.contains("not permitted to trace"))
    }

    /// As docs/privileges.md says to grant them: on a file, to a user who has none.
    @Test(LiveHost.needs[2], GrantedTool.needs[2], GrantedTool.needs[3])
    func `probes load with capabilities of the file`() throws {
        let run = try GrantedTool().run("live", "--backend", "bpf", "--duration", "0.1")
        // Inconclusive where no guest happened to run.
        #expect([0, 2].contains(run.status), "\(run.errors)")
    }

    @Test(LiveHost.needs[2], GrantedTool.needs[2], GrantedTool.needs[3])
    func `doctor of a file with capabilities says that live works`() throws {
        let run = try GrantedTool().run("doctor")
        #expect(run.output.contains("apictrace live should work here."))
        #expect(run.status == 0)
    }

    @Test func `ftrace is for root alone, and says so`() throws {
        let run = try run(Capabilities.probing, "live", "--backend", "ftrace", "--duration", "0.1")
        #expect(run.status == 4)
        #expect(run.errors.contains("--backend ftrace must be run as root"))
        #expect(Tracefs.leftovers() == [])
    }

    /// The set with CAP_SYS_ADMIN, for a KVM that is a module: doctor leaves it out where it isn't needed.
    @Test(arguments: ["README.md", "docs/privileges.md"])
    func `the documents grant what doctor names`(_ document: String) throws {
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../\(document)").standardized
        let grants = try String(contentsOf: file, encoding: .utf8).matches(of: /cap_[a-z_,]+/).map { $0.output }
        let known = Set(Capability.allCases.map { $0.name.lowercased() })
        #expect(!grants.isEmpty)
        for grant in grants where grant.contains(",") {
            #expect(Set(grant.split(separator: ",").map(String.init)) == known)
        }
    }

    @Test(arguments: LiveBackend.allCases)
    func `without capabilities it says what to do and ends with 4`(_ backend: LiveBackend) throws {
        let run = try run([], "live", "--backend", backend.rawValue, "--duration", "0.1")
        #expect(run.status == 4)
        #expect(run.errors.contains("run it as root") || run.errors.contains("must be run as root"))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func `doctor names what is missing, and grants nothing that leads to root`() throws {
        let run = try run([.perfmon], "doctor")
        let missing = Capabilities.probing.filter { $0 != .perfmon }.map(\.name).joined(separator: " ")
        #expect(run.output.contains("missing \(missing)\n"))
        #expect(run.output.contains("setcap \(Capabilities.fileCapabilities) apictrace"))
        #expect(!run.output.contains("cap_dac_override") && !run.output.contains("cap_sys_ptrace"))
        #expect(run.output.contains("mounted, but this user may not look into it"))
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
        let none = Set(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { "\($0):\t0000000000000000" })
        var lines: Set<String> = []
        for _ in 0..<1500 where !lines.isSuperset(of: none) {
            usleep(20_000)
            lines = Set(SystemFile.text(status)?.split(separator: "\n").map(String.init) ?? [])
        }
        kill(process.processIdentifier, SIGTERM)
        process.waitUntilExit()
        #expect(lines.isSuperset(of: none))
        #expect(lines.contains("NoNewPrivs:\t1"))
        #expect([0, 2].contains(process.terminationStatus))
    }

    @Test(LiveHost.needs[2])
    func `a command of root's keeps root's capabilities`() throws {
        let run = try Command("live", "--duration", "60", "--", "/bin/grep", "CapEff", "/proc/self/status")
        let effective = try #require(run.output.firstMatch(of: /CapEff:\t([0-9a-f]+)/)?.1)
        #expect(UInt64(effective, radix: 16) == Capabilities.permitted.bits)
    }
}
