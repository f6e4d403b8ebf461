// SPDX-License-Identifier: Apache-2.0

extension ReportBuilder {
    /// What the trace can't show, most important first.
    var limits: [Limit] {
        var limits = coverage.doubts.map { doubt in
            let missing = doubt.missing.subtracting(machine.info.absentKinds)
            return missing.isEmpty
                ? Limit(doubt.text) : Limit("\(doubt.text) Not recorded: \(missing.names).", missing: missing)
        }
        if !selectsAny {
            limits.append("Nothing that --vm and --vcpu ask for is in the trace.")
        }
        if ended.unlisted.vms > 0 {
            let (vms, findings) = (ended.unlisted.vms, ended.unlisted.findings)
            limits.append(
                Limit(
                    "\(vms) VMs more ended and left something: \(findings) findings"
                        + (ended.unlisted.grade.map { ", \($0.rawValue) at most" } ?? "")
                        + " and \(ended.unlisted.observations) observations, which are not listed."))
        }
        if machine.unattributed > 0 {
            limits.append("\(machine.unattributed) events could not be tied to a VM.")
        }
        for vm in machine.vms.indices where machine.vms[vm].apicv.keptUntil != nil {
            limits.append(
                "VM \(machine.vms[vm].serial) changed its inhibits \(machine.vms[vm].apicv.total) times; the first are listed."
            )
        }
        if ended.totals.hadPostedDevices || machine.vms.contains(where: \.hasPostedDevices) {
            limits.append("The IOMMU posts interrupts of assigned devices: they are accepted without any event.")
        }
        if ended.totals.hadHiddenSVI || machine.vms.indices.contains(where: { machine.hidesSVI(ofVM: $0) }) {
            limits.append(
                Limit(
                    "What kvm_intel holds of a vCPU was not read: it was built without BTF, or came after live. A stale SVI "
                        + "that no event shows stays unseen (signs C1 and C2; apictrace doctor)."))
        }
        if !machine.measuresTime {
            limits.append(
                "The clock \(machine.info.clock.name) measures no durations: signs that need them were not judged.")
        }
        var unbracketed = ended.totals.accessesUnbracketed
        for vcpu in machine.vcpus.elements where vcpu.hasNested { unbracketed.add(vcpu.accessesUnbracketed) }
        if unbracketed.reads &+ unbracketed.writes > 0 {
            limits.append("\(unbracketed.reads &+ unbracketed.writes) APIC accesses are of a level that can't be told.")
        }
        return limits + totals.notes.map { Limit($0) } + standingLimits
    }

    /// What holds for every recording of the kind.
    private var standingLimits: [Limit] {
        var limits: [Limit] = []
        if ended.totals.hadAPICv || machine.vms.contains(where: { $0.isa == .vmx && $0.apicv.everActive }) {
            limits.append(
                Limit(
                    "With APICv active hardware delivers and ends interrupts of L1 without any event.",
                    isStanding: true))
        }
        if ended.totals.isInferred || machine.vms.indices.contains(where: { machine.grouping.isInferred($0) }) {
            limits.append(
                Limit(
                    "The file names no process: threads were tied to VMs, and a VM to its pid, by inference.",
                    isStanding: true))
        }
        if tracesMore {
            limits.append(
                Limit(
                    "The kernel was not told which VMs to trace: the events of all VMs of this host were, and what was not asked "
                        + "for is left out.",
                    isStanding: true))
        }
        return limits
    }
}
