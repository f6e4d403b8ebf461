// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import apictrace

/// Hosts that can't be traced, made of this one: in a mount namespace of its own the command sees other types or lockdown.
@Suite(
    LiveHost.needs[0], LiveHost.needs[2], LiveHost.needs[3],
    .enabled(if: access("/usr/bin/unshare", X_OK) == 0, "unshare is not installed"),
    .enabled(if: access("/sys/kernel/btf/kvm", F_OK) != 0, "kvm is a module here: its types are in a file of its own"))
struct HostConditionTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path

    /// Runs the command with `folder` in the place of a directory.
    private func run(over place: String, _ arguments: String...) throws -> Command {
        let script = "mount --bind \(folder) \(place) && exec \"$0\" \"$@\""
        let tool = Command.directory.appendingPathComponent("apictrace").path
        return try Command(
            running: URL(fileURLWithPath: "/usr/bin/unshare"), ["-m", "/bin/sh", "-c", script, tool] + arguments)
    }

    /// The running kernel's types with one name changed to another of its length; nil for no types.
    private func makeTypes(renaming name: String?, to other: String = "") throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard let name else { return }
        var types = try Data(contentsOf: URL(fileURLWithPath: "/sys/kernel/btf/vmlinux"))
        let range = try #require(types.range(of: Data("\0\(name)\0".utf8)))
        types.replaceSubrange(range, with: Data("\0\(other)\0".utf8))
        try types.write(to: URL(fileURLWithPath: folder + "/vmlinux"))
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test(arguments: [
        (nil, "", "the kernel has no type information"),
        ("btf_trace_kvm_exit", "btf_trace_kvm_exix", "KVM isn't loaded"),
        ("btf_trace_kvm_entry", "btf_trace_kvm_entrx", "this kernel has no tracepoint kvm_entry"),
        ("apicv_inhibit_reasons", "apicv_inhibit_reasonx", "the kernel refused a probe"),
    ])
    func `types that don't do are told in one line, with status 4`(name: String?, other: String, text: String) throws {
        defer { remove() }
        try makeTypes(renaming: name, to: other)
        let run = try run(over: "/sys/kernel/btf", "live", "--backend", "bpf", "--duration", "1")
        #expect(run.status == 4)
        #expect(run.errors.contains(text))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func `types that can't be read are told in one line`() throws {
        defer { remove() }
        try makeTypes(renaming: nil)
        try Data("no types".utf8).write(to: URL(fileURLWithPath: folder + "/vmlinux"))
        let run = try run(over: "/sys/kernel/btf", "live", "--backend", "bpf", "--duration", "1")
        #expect(run.status == 4)
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func `the log of a refusal is shown on request`() throws {
        defer { remove() }
        try makeTypes(renaming: "apicv_inhibit_reasons", to: "apicv_inhibit_reasonx")
        let run = try run(
            over: "/sys/kernel/btf", "live", "--backend", "bpf", "--verifier-log", "--duration", "1")
        #expect(run.status == 4)
        #expect(run.errors.contains("BEGIN PROG LOAD LOG"))
    }

    @Test func `without KVM's types doctor says that live falls back to ftrace, as it does`() throws {
        defer { remove() }
        try makeTypes(renaming: "btf_trace_kvm_exit", to: "btf_trace_kvm_exix")
        let doctor = try run(over: "/sys/kernel/btf", "doctor")
        #expect(doctor.output.contains("load kvm"))
        #expect(doctor.output.contains("-> apictrace live uses ftrace here") == Tracefs.hasKVMEvents)
        let live = try run(over: "/sys/kernel/btf", "live", "--duration", "1")
        #expect((doctor.status == 4) == (live.status == 4))
        #expect(live.errors.contains("reading the same tracepoints with ftrace") == Tracefs.hasKVMEvents)
    }

    @Test(
        .enabled(if: access("/sys/kernel/security", F_OK) == 0, "there is no securityfs"),
        arguments: LiveBackend.allCases)
    func `lockdown is told in one line, with status 4`(_ backend: LiveBackend) throws {
        defer { remove() }
        try makeTypes(renaming: nil)
        try Data("none integrity [confidentiality]\n".utf8).write(to: URL(fileURLWithPath: folder + "/lockdown"))
        let run = try run(over: "/sys/kernel/security", "live", "--backend", backend.rawValue, "--duration", "1")
        #expect(run.status == 4)
        #expect(run.errors.contains("lockdown"))
        #expect(run.errors.split(separator: "\n").count == 1)
    }
}
