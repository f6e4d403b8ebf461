// SPDX-License-Identifier: Apache-2.0

// What follows from a report's own values, for all who read one.

extension Report.VM {
    var name: String { Self.name(id: id, pid: pid, command: command, guest: guest) }

    /// `qemu-system-x86 (pid 214)`, as far as it is known.
    static func name(id: Int, pid: Int32?, command: String?, guest: String?) -> String {
        let pid = pid.map { "pid \($0)" }
        guard let command = guest ?? command else { return "VM \(id)" + (pid.map { " (\($0))" } ?? "") }
        return "\(command) (\(pid ?? "VM \(id)"))"
    }

    /// An L2 was seen to run in it, or to be entered.
    var hasL2: Bool { vcpus.contains(where: \.hasL2) }
}

extension Report.VCPU {
    /// Where nested exits are not recorded only L1's own instructions tell.
    var hasL2: Bool {
        !exits.l2.isEmpty || !apicAccess.l2Direct.isEmpty
            || [ExitReason.vmlaunch, .vmresume, .svmVMRUN].contains { reason in
                exits.l1[reason.name] != nil || exits.unknown[reason.name] != nil
            }
    }
}

extension Report.APICAccesses {
    var isEmpty: Bool { reads ?? 0 == 0 && writes ?? 0 == 0 }
}

extension Report.Loss {
    var isEmpty: Bool { gapsTotal == 0 && known == 0 && overrun ?? 0 == 0 }

    /// All that was lost was of VMs that are known to have lost it.
    var isOfVMsAlone: Bool { unknownGaps == 0 && ofVMs.map { max(known, overrun ?? 0) <= $0 } ?? false }
}

extension Report {
    /// Events were lost that may have been this VM's.
    func hasLost(ofVM vm: Int?) -> Bool {
        guard loss.isOfVMsAlone else { return !loss.isEmpty }
        return vms.contains { $0.id == vm && $0.eventsLost != nil }
    }
}

extension Report.SVIFix {
    /// The state, where it changes grades: nil where there are hints alone.
    var settled: FixState.State? {
        [.kallsyms, .btf, .behaviour].contains(basis) ? state : nil
    }
}

extension Report {
    /// `vCPU 0 of qemu-system-x86 (pid 214)`, as far as it is known.
    func name(of finding: Finding) -> String {
        name(ofVM: finding.vm, vcpu: finding.vcpu)
    }

    /// - Parameter owner: the VM's name.
    public static func place(vcpu: Int32?, of owner: String) -> String {
        vcpu.map { "vCPU \($0) of \(owner)" } ?? owner
    }

    func name(ofVM vm: Int?, vcpu: Int32?) -> String {
        let vm = vm.flatMap { id in vms.first { $0.id == id } }
        let owner = vm?.name ?? "a VM that the trace doesn't name"
        return Self.place(vcpu: vcpu, of: owner)
    }
}
