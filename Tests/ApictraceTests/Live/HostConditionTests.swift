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

    /// Runs the command after a shell's commands in namespaces of its own.
    private func run(after setup: String, in namespaces: String = "-m", _ arguments: String...) throws -> Command {
        let tool = Command.directory.appendingPathComponent("apictrace").path
        return try Command(
            running: URL(fileURLWithPath: "/usr/bin/unshare"),
            [namespaces, "/bin/sh", "-c", setup + " && exec \"$0\" \"$@\"", tool] + arguments)
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
    func `types that don't do are reported in one line, with status 4`(name: String?, other: String, text: String)
        throws
    {
        defer { remove() }
        try makeTypes(renaming: name, to: other)
        let run = try run(over: "/sys/kernel/btf", "live", "--backend", "bpf", "--duration", "1")
        #expect(run.status == 4)
        #expect(run.errors.contains(text))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        ("btf_trace_kvm_entry", "btf_trace_kvm_entrx", "no kvm_entry"),
        ("btf_trace_kvm_eoi", "btf_trace_kvm_eox", "this kernel lacks kvm_eoi"),
    ])
    func `doctor names the tracepoint that is missing`(name: String, other: String, text: String) throws {
        defer { remove() }
        try makeTypes(renaming: name, to: other)
        let doctor = try run(over: "/sys/kernel/btf", "doctor")
        #expect(line("tracepoints", of: doctor).contains(text), "\(doctor.output)")
    }

    @Test func `types that can't be read are reported in one line`() throws {
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
        #expect(doctor.output.contains("FAILED") != Tracefs.hasKVMEvents)
        let live = try run(over: "/sys/kernel/btf", "live", "--duration", "1")
        #expect((doctor.status == 4) == (live.status == 4))
        #expect(live.errors.contains("reading the same tracepoints with ftrace") == Tracefs.hasKVMEvents)
    }

    @Test(
        .enabled(if: access("/sys/kernel/security", F_OK) == 0, "there is no securityfs"),
        arguments: LiveBackend.allCases)
    func `lockdown is reported in one line, with status 4`(_ backend: LiveBackend) throws {
        defer { remove() }
        try makeTypes(renaming: nil)
        try Data("none integrity [confidentiality]\n".utf8).write(to: URL(fileURLWithPath: folder + "/lockdown"))
        let run = try run(over: "/sys/kernel/security", "live", "--backend", backend.rawValue, "--duration", "1")
        #expect(run.status == 4)
        #expect(run.errors.contains("lockdown"))
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    // MARK: - What doctor says of them

    /// A line of a check, and what it advises.
    private func line(_ check: String, of doctor: Command) -> String {
        let lines = doctor.output.split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.firstIndex(where: { $0.dropFirst(8).hasPrefix(check + " ") }) else { return "" }
        let isAdvised = index + 1 < lines.count && lines[index + 1].hasPrefix("  ")
        return lines[index...(isAdvised ? index + 1 : index)].joined(separator: " ")
    }

    @Test func `a tracefs that is read-only is reported, and does for probes`() throws {
        let setup = "mount -o remount,bind,ro /sys/kernel/tracing"
        let doctor = try run(after: setup, "doctor")
        #expect(line("tracefs", of: doctor).contains("read-only"))
        #expect(doctor.status == 0)
        let live = try run(after: setup, "live", "--backend", "ftrace", "--duration", "0.1")
        #expect(live.status == 4)
        #expect(live.errors.contains("tracefs is read-only here"))
    }

    @Test func `where neither probes nor a writable tracefs are to be had doctor doesn't promise ftrace`() throws {
        defer { remove() }
        try makeTypes(renaming: nil)
        let setup = "mount -o remount,bind,ro /sys/kernel/tracing && mount --bind \(folder) /sys/kernel/btf"
        let doctor = try run(after: setup, "doctor")
        #expect(doctor.output.contains("apictrace live can't work here yet."))
        #expect(!doctor.output.contains("should work"))
        #expect(doctor.status == 4)
        #expect(try run(after: setup, "live", "--duration", "0.1").status == 4)
    }

    @Test func `a container without the device is no lack, as live needs none`() throws {
        let setup = "mount -t tmpfs none /dev"
        let doctor = try run(after: setup, "doctor")
        #expect(line("kvm", of: doctor).contains("no /dev/kvm here"))
        #expect(doctor.status == 0)
        #expect([0, 2].contains(try run(after: setup, "live", "--quiet", "--duration", "0.1").status))
    }

    @Test func `a user namespace's capabilities are not taken for the host's`() throws {
        let doctor = try run(after: "true", in: "-Ur", "doctor")
        #expect(line("capabilities", of: doctor).contains("those of a user namespace"))
        // Tracefs goes by the user alone, who is the host's root here.
        let whatever = try run(after: "true", in: "-Ur", "live", "--quiet", "--duration", "0.1")
        #expect((whatever.status == 4) == (doctor.status == 4))
        let live = try run(after: "true", in: "-Ur", "live", "--backend", "bpf", "--duration", "0.1")
        #expect(live.status == 4)
        #expect(live.errors.contains("user namespace"))
    }

    @Test func `a kvm without its vendor's module is reported, and live waits for it`() throws {
        defer { remove() }
        try FileManager.default.createDirectory(atPath: folder + "/kvm", withIntermediateDirectories: true)
        let doctor = try run(over: "/sys/module", "doctor")
        #expect(line("kvm", of: doctor).hasPrefix("note"))
        #expect(line("kvm", of: doctor).contains("without kvm_intel or kvm_amd"))
        #expect(line("memory-proofs", of: doctor).hasPrefix("note"))
        #expect(doctor.status == 0)
        #expect([0, 2].contains(try run(over: "/sys/module", "live", "--quiet", "--duration", "0.1").status))
    }

    @Test func `without proc it heeds its arguments, and doctor says what is missing`() throws {
        let setup = "umount -l /proc"
        #expect(try run(after: setup, "explain", "stale-svi").output.contains("stale-svi"))
        #expect(try run(after: setup, "explain", "no-such-rule").status == 64)
        let doctor = try run(after: setup, "doctor")
        #expect(line("proc", of: doctor).contains("mount -t proc"))
        #expect(doctor.status == 0)
        #expect([0, 2].contains(try run(after: setup, "live", "--quiet", "--duration", "0.1").status))
    }

    /// debugfs brings tracefs along.
    @Test(arguments: ["umount -lR /sys", "{ umount -lR /sys/kernel/debug; umount -l /sys/kernel/tracing; }"])
    func `without a file system doctor says which, as live does`(setup: String) throws {
        let doctor = try run(after: setup, "doctor")
        #expect(!doctor.output.contains("modprobe") && !doctor.output.contains("CONFIG_DEBUG_INFO_BTF"))
        #expect(doctor.status == 4)
        let live = try run(after: setup, "live", "--duration", "0.1")
        #expect(live.status == 4)
        let advice = live.errors.split(separator: ":").last.map(String.init) ?? ""
        #expect(advice.contains("mount -t"))
        #expect(doctor.output.contains(advice.trimmingCharacters(in: .newlines)))
    }

    @Test(arguments: [8, 20, 40, 80])
    func `a lack of descriptors is reported as that`(limit: Int) throws {
        let setup = "ulimit -n \(limit)"
        let live = try run(after: setup, "live", "--backend", "bpf", "--duration", "0.1")
        #expect(live.status == 4)
        #expect(live.errors.contains("no file descriptor is left"))
        let doctor = try run(after: setup, "doctor")
        #expect(line("tracing", of: doctor).contains("no file descriptor is left"))
        #expect(doctor.status == 4)
    }

    @Test func `what isn't known is not called ok`() throws {
        defer { remove() }
        for module in ["kvm", "kvm_intel"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(module)", withIntermediateDirectories: true)
        }
        // Which CPU it is only /proc tells.
        let doctor = try run(
            after: "mount --bind \(folder) /sys/module && umount -l /proc && (umount /sys/kernel/security || true)",
            "doctor")
        for check in ["svi-fix", "memory-proofs", "lockdown"] {
            #expect(!line(check, of: doctor).hasPrefix("ok"), "\(line(check, of: doctor))")
        }
    }
}
