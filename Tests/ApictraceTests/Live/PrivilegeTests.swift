// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// What the tool's file may and its caller may not is for tracing alone: no way to other files, nor to root.
@Suite(.serialized, GrantedTool.needs[0], GrantedTool.needs[1], GrantedTool.needs[2], GrantedTool.needs[3])
struct PrivilegeTests {
    private static let fixture = URL(fileURLWithPath: #filePath).appendingPathComponent(
        "../../../TraceCoreTests/Fixtures/bitvisor/6.1.192-svifix-undone-smp2/trace.dat"
    ).standardized

    /// Of a process, as /proc shows them.
    private func capabilities(of process: Process) -> [Substring] {
        let lines = SystemFile.text("/proc/\(process.processIdentifier)/status")?.split(separator: "\n") ?? []
        return lines.filter { $0.hasPrefix("CapPrm:") || $0.hasPrefix("CapEff:") || $0.hasPrefix("CapInh:") }
    }

    @Test(LiveHost.needs[2], LiveHost.needs[3])
    func `a recording doesn't overwrite a file that is root's`() throws {
        let tool = try GrantedTool()
        let secret = try tool.secret("precious", Data("precious".utf8))
        let run = try tool.run("live", "--quiet", "--duration", "0.1", "--record", secret.path)
        #expect(run.errors.contains("Permission denied"))
        #expect(try Data(contentsOf: secret) == Data("precious".utf8))
    }

    @Test(LiveHost.needs[2], LiveHost.needs[3])
    func `a recording isn't made in a folder that is root's`() throws {
        let tool = try GrantedTool()
        let path = tool.folder.appendingPathComponent("new").path
        let run = try tool.run("live", "--quiet", "--duration", "0.1", "--record", path)
        #expect(run.errors.contains("Permission denied"))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(LiveHost.needs[2], LiveHost.needs[3])
    func `a recording of the user's own is closed to others`() throws {
        let tool = try GrantedTool()
        let path = try tool.own("own").appendingPathComponent("trace.dat").path
        let run = try tool.run("live", "--quiet", "--duration", "0.1", "--record", path)
        // Inconclusive where no guest happened to run.
        #expect([0, 2].contains(run.status), "\(run.errors)")
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(attributes[.ownerAccountID] as? Int == Int(GrantedTool.user))
        #expect(try Recording(path: path).info.format.contains("v7"))
    }

    @Test(arguments: ["analyze", "events"])
    func `a recording that is root's isn't read`(_ command: String) throws {
        let tool = try GrantedTool()
        let secret = try tool.secret("trace.dat", Data(contentsOf: Self.fixture))
        let run = try tool.run(command, secret.path)
        #expect(run.status == 3)
        #expect(run.output == "")
        #expect(run.errors.contains("Permission denied"))
    }

    @Test func `symbols that are root's aren't read`() throws {
        let tool = try GrantedTool()
        let secret = try tool.secret("kallsyms", Data("0000000000000000 t vmx_vcpu_run\t[kvm_intel]\n".utf8))
        let recording = try tool.own("own").appendingPathComponent("trace.dat")
        try FileManager.default.copyItem(at: Self.fixture, to: recording)
        let run = try tool.run("analyze", "--kallsyms", secret.path, recording.path)
        #expect(run.status == 3)
        #expect(run.errors.contains("Permission denied"))
    }

    @Test(arguments: ["analyze", "events"])
    func `a report doesn't overwrite a file that is root's`(_ command: String) throws {
        let tool = try GrantedTool(nil)
        let secret = try tool.secret("precious", Data("precious".utf8))
        let recording = try tool.own("own").appendingPathComponent("trace.dat")
        try FileManager.default.copyItem(at: Self.fixture, to: recording)
        chmod(tool.folder.appendingPathComponent("apictrace").path, 0o4755)
        let run = try tool.run(command, "--output", secret.path, recording.path)
        #expect(run.errors.contains("Permission denied"))
        #expect(try Data(contentsOf: secret) == Data("precious".utf8))
    }

    @Test(arguments: ["analyze", "events"])
    func `a command that reads a recording has no capability`(_ command: String) throws {
        let tool = try GrantedTool()
        let input = Pipe()
        let process = try tool.start(command, "-", input: input)
        // It has read the first byte: before it reads, it gives up what it may.
        try input.fileHandleForWriting.write(contentsOf: Data([0]))
        var unread: CInt = 1
        for _ in 0..<3000 where unread > 0 {
            usleep(10_000)
            try #require(ioctl(input.fileHandleForWriting.fileDescriptor, UInt(FIONREAD), &unread) == 0)
        }
        try #require(unread == 0)
        #expect(
            capabilities(of: process) == [
                "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
            ])
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// For who makes the file root's own instead (chmod u+s): docs/privileges.md advises against it.
    @Test func `a file of root's with the set-user-ID bit reads nothing more`() throws {
        let tool = try GrantedTool(nil)
        let secret = try tool.secret("trace.dat", Data(contentsOf: Self.fixture))
        chmod(tool.folder.appendingPathComponent("apictrace").path, 0o4755)
        let run = try tool.run("events", secret.path)
        #expect(run.status == 3)
        #expect(run.errors.contains("Permission denied"))
    }

    @Test(LiveHost.needs[2], LiveHost.needs[3])
    func `a file of root's with the set-user-ID bit writes nothing more`() throws {
        let tool = try GrantedTool(nil)
        let secret = try tool.secret("precious", Data("precious".utf8))
        chmod(tool.folder.appendingPathComponent("apictrace").path, 0o4755)
        let run = try tool.run("live", "--quiet", "--duration", "0.1", "--record", secret.path)
        #expect(run.errors.contains("Permission denied"))
        #expect(try Data(contentsOf: secret) == Data("precious".utf8))
    }
}
