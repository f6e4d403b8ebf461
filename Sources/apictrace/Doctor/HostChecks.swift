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
        guard host.modules.contains("kvm") else {
            return DoctorCheck("kvm", .failed, "not loaded", advice: "run: modprobe kvm_intel, or modprobe kvm_amd")
        }
        let list = host.modules.joined(separator: " ")
        guard SystemFile.exists("/dev/kvm") else {
            return DoctorCheck(
                "kvm", .failed, "\(list), but no /dev/kvm", advice: "switch on virtualization in the firmware")
        }
        return host.isa == .vmx || host.isa == .svm
            ? DoctorCheck("kvm", .ok, "\(list) (\(host.isa.rawValue))")
            : DoctorCheck(
                "kvm", .note, "\(list) (\(host.isa.rawValue))",
                advice: "neither VMX nor SVM is in use: no nested guests, and no APICv, on this host")
    }

    /// The parameters that decide whether APICv is used and how a fault on the APIC page looks.
    private static let telling = [
        "enable_apicv", "avic", "force_avic", "nested", "enable_ipiv", "enable_device_posted_irqs", "mmio_caching",
        "tdp_mmu",
    ]

    static func parameters(_ host: HostFacts) -> DoctorCheck {
        let found = host.parameters.filter { telling.contains($0.name) }
        let text = found.map { "\($0.module).\($0.name)=\($0.value)" }.joined(separator: " ")
        guard host.modules.contains("kvm") else { return DoctorCheck("parameters", .note, "none: kvm isn't loaded") }
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

    static func lockdown() -> DoctorCheck {
        HostFacts.isLockedDown
            ? DoctorCheck(
                "lockdown", .failed, "confidentiality: BPF may not read kernel memory",
                advice: "boot with lockdown=integrity or lockdown=none")
            : DoctorCheck("lockdown", .ok, SystemFile.text("/sys/kernel/security/lockdown") ?? "none")
    }

    static func capabilities() -> DoctorCheck {
        let current = Capabilities.current
        let missing = Capabilities.probing.filter { !current.has($0) }
        let list = Capabilities.probing.map(\.name).joined(separator: " ")
        if missing.isEmpty {
            return current.has(.sysPtrace)
                ? DoctorCheck("capabilities", .ok, list)
                : DoctorCheck(
                    "capabilities", .note, "\(list), but no CAP_SYS_PTRACE",
                    advice: "other users' VMs are not listed before they show an event; grant CAP_SYS_PTRACE for that")
        }
        let usesInstance = geteuid() == 0 || Capabilities.instance.allSatisfy(current.has)
        return DoctorCheck(
            "capabilities", usesInstance ? .note : .failed, "missing " + missing.map(\.name).joined(separator: " "),
            advice: (usesInstance ? "--backend ftrace should work; for probes " : "")
                + "run it as root (sudo), or grant them (docs/privileges.md): "
                + "setcap \(Capabilities.fileCapabilities) apictrace")
    }

    static func tracefs() -> DoctorCheck {
        if let directory = Tracefs.directory {
            return Tracefs.hasKVMEvents
                ? DoctorCheck("tracefs", .ok, directory)
                : DoctorCheck("tracefs", .failed, "\(directory) has no kvm events", advice: "load kvm")
        }
        return geteuid() == 0
            ? DoctorCheck(
                "tracefs", .failed, "not mounted", advice: "run: mount -t tracefs nodev \(Tracefs.candidates[0])")
            : DoctorCheck("tracefs", .failed, "not mounted, or only root may read it", advice: "run it as root (sudo)")
    }

    static func leftovers() -> DoctorCheck {
        let left = Tracefs.leftovers()
        guard !left.isEmpty else { return DoctorCheck("leftovers", .ok, "none") }
        let names = left.joined(separator: " ")
        return Tracefs.removeLeftovers().isEmpty
            ? DoctorCheck("leftovers", .ok, "removed what a killed run had left: \(names)")
            : DoctorCheck(
                "leftovers", .note, "a run that was killed has left \(names)", advice: "run as root: rmdir \(names)")
    }
}
