// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Checks that the kernel's type information answers.
enum TypeChecks {
    static func btf(_ types: borrowing KernelTypes) -> DoctorCheck {
        let list = types.names.joined(separator: " ")
        return types.hasKVM
            ? DoctorCheck("btf", .ok, list)
            : DoctorCheck(
                "btf", .failed, "\(list), but nothing of kvm",
                advice: "load kvm; if it is, its modules were built without BTF: use the distribution's")
    }

    static func noTypes(_ error: BPFError) -> DoctorCheck {
        guard SystemFile.exists("/sys/kernel") else {
            return DoctorCheck(
                "btf", .failed, "not known: sysfs isn't mounted", advice: TracingUnavailable.noSysfs.text)
        }
        return switch TracingUnavailable(error) {
        case .outOfDescriptors(let error):
            DoctorCheck("btf", .failed, "not known: " + error.text, advice: TracingUnavailable(error).text)
        default:
            DoctorCheck(
                "btf", .failed, error.text,
                advice: "use a kernel with CONFIG_DEBUG_INFO_BTF=y; distribution kernels have it")
        }
    }

    static func tracepoints(_ types: borrowing KernelTypes) -> DoctorCheck {
        var missing: [String] = []
        for kind in EventKind.allCases where !types.has(kind) { missing.append(kind.tracepoints[0]) }
        let required = LiveSource.requiredTracepoints.filter(missing.contains)
        let found = "\(EventKind.allCases.count - missing.count) of \(EventKind.allCases.count)"
        guard required.isEmpty else {
            return DoctorCheck(
                "tracepoints", .failed, "no " + required.joined(separator: ", "),
                advice: "use Linux 5.10 or later with KVM loaded")
        }
        // Each kernel has only one of these two.
        let expected = missing.filter { $0 != "kvm_apicv_inhibit_changed" && $0 != "kvm_apicv_update_request" }
        return expected.isEmpty
            ? DoctorCheck(
                "tracepoints", .ok,
                missing.isEmpty
                    ? found : "\(found); another kernel's \(missing.joined(separator: " ")) is missing, rightly")
            : DoctorCheck(
                "tracepoints", .note, "\(found); this kernel lacks " + expected.joined(separator: " "),
                advice: "reports then say what could not be seen")
    }

    static func fields(_ types: borrowing KernelTypes) -> DoctorCheck {
        var found: [String] = []
        var missing: [String] = []
        for field in KernelTypes.laterFields {
            if types.hasField(field) { found.append(field) } else { missing.append(field) }
        }
        let text = found.isEmpty ? "none of the later ones" : found.joined(separator: " ")
        return DoctorCheck(
            "fields", .ok, missing.isEmpty ? text : "\(text); not in this kernel: " + missing.joined(separator: " "))
    }

    static func fix(_ types: borrowing KernelTypes, _ host: HostFacts) -> DoctorCheck {
        guard host.isa == .vmx || host.isa == .unknown else {
            return DoctorCheck(
                "svi-fix", .ok, "none needed: stale SVI is a matter of VMX, and this is \(host.isa.rawValue)")
        }
        let fix = FixState(types)
        let text = "\(fix.state.rawValue) (\(fix.basis.rawValue)): \(fix.evidence)"
        switch fix.state {
        case .present: return DoctorCheck("svi-fix", .ok, text)
        case .absent:
            return DoctorCheck(
                "svi-fix", .note, text,
                advice: "use a kernel with mainline 04bc93cf49d1: 6.14, or stable 6.12.17, 6.1.149 and later of each")
        case .unknown:
            return DoctorCheck(
                "svi-fix", .note, text, advice: "use the distribution's kvm_intel, which has BTF, and load it")
        }
    }

    /// Whether the proofs C1 and C2 can be had: their probes read the VMCS's copies in kvm_intel's `struct vcpu_vmx`.
    /// - Parameter hasProbes: BPF can be used; ftrace reads no memory.
    static func memoryProofs(
        _ types: borrowing KernelTypes, _ host: HostFacts, hasProbes: Bool
    ) -> DoctorCheck {
        let name = "memory-proofs"
        switch host.isa {
        case .vmx where !hasProbes:
            return DoctorCheck(
                name, .note, "C1 and C2 are not judged: only probes read memory", advice: "see the line of tracing")
        case .vmx:
            return types.hasMember("vmcs01", of: "vcpu_vmx") == true
                ? DoctorCheck(name, .ok, "C1 and C2 are judged")
                : DoctorCheck(
                    name, .note, "C1 and C2 are not judged: no type information of kvm_intel",
                    advice:
                        "a stale SVI that events don't show stays unseen; use a kvm_intel with BTF, the distribution's")
        case .unknown:
            return DoctorCheck(
                name, .note, "not known whether C1 and C2 are judged: whether the CPU is of VMX isn't",
                advice: "see the lines of kvm and proc")
        default:
            return DoctorCheck(name, .ok, "none needed: C1 and C2 are of VMX, and this is \(host.isa.rawValue)")
        }
    }
}
