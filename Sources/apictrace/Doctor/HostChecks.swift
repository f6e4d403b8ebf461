// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// Checks that /proc and /sys answer.
enum HostChecks {
    static func kernel(_ host: HostFacts) -> DoctorCheck {
        host.machine == "x86_64"
            ? DoctorCheck("kernel", .ok, host.kernel)
            : DoctorCheck(
                "kernel", .failed, "\(host.kernel) on \(host.machine)",
                advice: "APICv and AVIC are x86; trace an x86-64 host")
    }

    static func kvm(_ host: HostFacts) -> DoctorCheck {
        guard SystemFile.exists(HostFacts.moduleDirectory) else {
            return DoctorCheck(
                "kvm", .failed, "not known: sysfs isn't mounted", advice: "run: mount -t sysfs sysfs /sys")
        }
        guard host.modules.contains("kvm") else {
            return DoctorCheck("kvm", .failed, "not loaded", advice: "run: modprobe kvm_intel, or modprobe kvm_amd")
        }
        let list = host.modules.joined(separator: " ")
        guard host.modules.contains(where: { $0 != "kvm" }) else {
            return DoctorCheck(
                "kvm", .note, "\(list), without kvm_intel or kvm_amd",
                advice:
                    "no VM can run yet; load the one for this CPU before live, which can judge no memory of a kvm_intel "
                    + "that comes later (C1, C2)")
        }
        let text = "\(list) (\(host.isa.rawValue))"
        // The vendor's module makes it once it has found the CPU's virtualization switched on.
        guard SystemFile.exists("/sys/class/misc/kvm") else {
            return DoctorCheck(
                "kvm", .note, "\(text), but it has no device",
                advice: "no VM can run yet; switch on virtualization in the firmware")
        }
        guard SystemFile.exists("/dev/kvm") else {
            return DoctorCheck(
                "kvm", .note, "\(text), but no /dev/kvm here, as in a container",
                advice: "nothing to do: live needs none, and shows the host's VMs")
        }
        return host.isa == .vmx || host.isa == .svm
            ? DoctorCheck("kvm", .ok, text)
            : DoctorCheck(
                "kvm", .note, text,
                advice: "neither VMX nor SVM is known to be in use: no nested guests, and no APICv, on this host")
    }

    /// The parameters that decide whether APICv is used and how a fault on the APIC page looks.
    private static let telling = [
        "enable_apicv", "avic", "force_avic", "nested", "enable_ipiv", "enable_device_posted_irqs", "mmio_caching",
        "tdp_mmu",
    ]

    static func parameters(_ host: HostFacts) -> DoctorCheck {
        let found = host.parameters.filter { telling.contains($0.name) }
        let text = found.map { "\($0.module).\($0.name)=\($0.value)" }.joined(separator: " ")
        guard host.modules.contains("kvm") else {
            return DoctorCheck("parameters", .note, "not known: kvm is not seen")
        }
        func isOff(_ name: String) -> Bool {
            let values = found.filter { $0.name == name }.map(\.value)
            return !values.isEmpty && values.allSatisfy { $0 == "N" || $0 == "0" }
        }
        if isOff("nested") {
            return DoctorCheck(
                "parameters", .note, text,
                advice: "nested virtualization is off: no VM here can run a nested guest")
        }
        if isOff("enable_apicv") || (isOff("avic") && host.isa == .svm) {
            return DoctorCheck(
                "parameters", .note, text, advice: "APICv is off: what apictrace looks for can't happen on this host")
        }
        return DoctorCheck("parameters", .ok, text.isEmpty ? "none of those that matter" : text)
    }

    static func proc() -> DoctorCheck {
        SystemFile.exists("/proc/self/stat")
            ? DoctorCheck("proc", .ok, "/proc")
            : DoctorCheck(
                "proc", .note, "not mounted",
                advice:
                    "run: mount -t proc proc /proc; without it VMs have no names, and no memory is judged (C1, C2), as "
                    + "the CPU's vendor is not known")
    }

    static func lockdown() -> DoctorCheck {
        if HostFacts.isLockedDown {
            return DoctorCheck(
                "lockdown", .failed, "confidentiality: BPF may not read kernel memory",
                advice: "boot with lockdown=integrity or lockdown=none")
        }
        if let text = SystemFile.text("/sys/kernel/security/lockdown") { return DoctorCheck("lockdown", .ok, text) }
        // securityfs has this file on every kernel that has securityfs.
        return SystemFile.exists("/sys/kernel/security/lsm")
            ? DoctorCheck("lockdown", .ok, "this kernel has none")
            : DoctorCheck(
                "lockdown", .note, "not known: securityfs isn't mounted here",
                advice: "see the line of tracing, which lockdown in confidentiality mode would forbid")
    }

    static func capabilities() -> DoctorCheck {
        if HostFacts.isInUserNamespace {
            return DoctorCheck(
                "capabilities", .failed, "those of a user namespace, which tracing doesn't go by",
                advice: "run it outside: on the host, or in a container without a user namespace")
        }
        let permitted = Capabilities.permitted
        let missing = Capabilities.probing.filter { !permitted.allow($0) }.map(\.name).joined(separator: " ")
        guard !missing.isEmpty else {
            return DoctorCheck("capabilities", .ok, Capabilities.probing.map(\.name).joined(separator: " "))
        }
        return DoctorCheck(
            "capabilities", .failed, "missing \(missing)",
            advice: getuid() == 0
                ? "this root has lost them, as in a container: start it with them, or run it on the host"
                : "run it as root (sudo), or grant them (docs/privileges.md): setcap \(Capabilities.fileCapabilities) apictrace"
        )
    }

    static func tracefs() -> DoctorCheck {
        guard let directory = Tracefs.directory else {
            return Tracefs.isMounted
                ? DoctorCheck(
                    "tracefs", .failed, "mounted, but this user may not look into it",
                    advice: "run it as root (sudo), or grant CAP_DAC_READ_SEARCH")
                : DoctorCheck(
                    "tracefs", .failed, "not mounted", advice: "run: mount -t tracefs nodev \(Tracefs.candidates[0])")
        }
        guard Tracefs.hasKVMEvents else {
            return DoctorCheck("tracefs", .failed, "\(directory) has no kvm events", advice: "load kvm")
        }
        return Tracefs.isReadOnly
            ? DoctorCheck("tracefs", .note, "\(directory), read-only", advice: "--backend ftrace can't be used here")
            : DoctorCheck("tracefs", .ok, directory)
    }

    static func leftovers() -> DoctorCheck {
        guard Tracefs.directory != nil else {
            return DoctorCheck("leftovers", .note, "not known: tracefs can't be read")
        }
        let left = Tracefs.leftovers()
        guard !left.isEmpty else { return DoctorCheck("leftovers", .ok, "none") }
        let names = left.joined(separator: " ")
        return Tracefs.removeLeftovers().isEmpty
            ? DoctorCheck("leftovers", .ok, "removed what a killed run had left: \(names)")
            : DoctorCheck(
                "leftovers", .note, "a run that was killed has left \(names)", advice: "run as root: rmdir \(names)")
    }

    /// What `live` would do on this host, done: BPF, and where that fails ftrace.
    static func tracing() -> DoctorCheck {
        let lack: TracingUnavailable
        do throws(TracingUnavailable) {
            return DoctorCheck(
                "tracing", .ok, "BPF: the kernel takes the probes, \(try LiveSession.rehearse()) programs")
        } catch {
            lack = error
        }
        guard lack.leavesFtrace else { return DoctorCheck("tracing", .failed, lack.text) }
        do throws(TracingUnavailable) {
            _ = try FtraceSession()
            return DoctorCheck(
                "tracing", .note, "no BPF: \(lack.text)",
                advice: "apictrace live uses ftrace here, and sees no more than a file holds")
        } catch {
            return DoctorCheck("tracing", .failed, "BPF: \(lack.text)", advice: "ftrace: \(error.text)")
        }
    }
}
