// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Checks that the kernel's type information answers.
enum TypeChecks {
    static func btf(_ types: borrowing KernelTypes) -> DoctorCheck {
        let list = types.names.joined(separator: " ")
        return types.hasKVM
            ? DoctorCheck("btf", .ok, list)
            : noTypes(
                "\(list), but nothing of kvm",
                "load kvm; if it is, its modules were built without BTF: use the distribution's")
    }

    /// Only probes need types: `live` reads the tracepoints with ftrace then.
    static func noTypes(_ finding: String, _ advice: String) -> DoctorCheck {
        Tracefs.hasKVMEvents
            ? DoctorCheck(
                "btf", .note, finding,
                advice: "apictrace live uses ftrace here, and sees no more than a file holds; for probes " + advice)
            : DoctorCheck("btf", .failed, finding, advice: advice)
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
            ? DoctorCheck("tracepoints", .ok, found)
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
        let fix = FixState(types)
        let text = "\(fix.state.rawValue) (\(fix.basis.rawValue)): \(fix.evidence)"
        switch fix.state {
        case .present: return DoctorCheck("svi-fix", .ok, text)
        case .absent:
            return DoctorCheck(
                "svi-fix", .note, text,
                advice: "use a kernel with mainline 04bc93cf49d1: 6.14, or stable 6.12.17, 6.1.149 and later of each")
        case .unknown: return DoctorCheck("svi-fix", host.isa == .vmx ? .note : .ok, text)
        }
    }
}
