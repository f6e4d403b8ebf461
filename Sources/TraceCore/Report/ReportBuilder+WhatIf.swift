// SPDX-License-Identifier: Apache-2.0

extension ReportBuilder {
    /// - Parameter findings: those that are reported, each with what it was made of.
    func whatIf(_ findings: [(RuleFinding, Report.Finding)]) -> Report.WhatIf? {
        guard let policy else { return nil }
        let vms = machine.vms.indices.filter { !machine.vms[$0].isVacant && isSelected(vm: $0) }
        return Report.WhatIf(
            policy: .inhibitOnL2Access,
            vms: vms.map { vm in
                whatIf(policy.settled(vm, in: machine), vm, findings.filter { $0.0.vm == vm })
            }.sorted { $0.vm < $1.vm },
            limits: limits(of: policy, vms))
    }

    private func whatIf(
        _ watch: InhibitOnL2Access.Watch, _ vm: VMIndex, _ findings: [(RuleFinding, Report.Finding)]
    ) -> Report.WhatIf.VM {
        let trigger = watch.trigger
        return Report.WhatIf.VM(
            vm: machine.vms[vm].serial, outcome: outcome(of: watch),
            trigger: trigger.map { trigger in
                Report.Evidence(
                    time: relative(trigger.entry.stamp.time), cpu: trigger.entry.stamp.knownCPU,
                    tid: trigger.entry.stamp.knownThread, event: trigger.entry.event, text: trigger.entry.text)
            },
            isLate: trigger?.isLate ?? false,
            l2Direct: .init(
                reads: trigger == nil ? nil : watch.direct.reads, writes: trigger == nil ? nil : watch.direct.writes,
                registers: Report.registers(watch.direct)),
            findings: trigger.map { paths(of: findings, since: $0.entry.stamp.time) } ?? [],
            cost: trigger.flatMap { cost(watch, since: $0, vm) })
    }

    private func outcome(of watch: InhibitOnL2Access.Watch) -> Report.WhatIf.Outcome {
        if watch.trigger != nil { return .inhibited }
        if watch.reachedWhileUnknown { return .unknown }
        if watch.reachedWhileInhibited { return .alreadyInhibited }
        return machine.recordsNestedExits && machine.info.recordedKinds.contains(.mmio) ? .notReached : .unknown
    }

    private func paths(
        of findings: [(RuleFinding, Report.Finding)], since trigger: UInt64
    ) -> [Report.WhatIf.Finding] {
        findings.filter { $0.0.rule.isAboutLostInterrupts && $0.0.grade > .exposed }.map { finding, reported in
            let first = finding.evidence.entries.map(\.stamp.time).reduce(finding.first, min)
            let isStale = finding.rule == .staleSVI
            return .init(id: reported.id, path: isStale ? first >= trigger ? .emulated : .before : .otherCause)
        }
    }

    private func cost(
        _ watch: InhibitOnL2Access.Watch, since trigger: InhibitOnL2Access.Trigger, _ vm: VMIndex
    ) -> Report.WhatIf.Cost? {
        guard machine.info.recordedKinds.contains(.apicAcceptIRQ) else { return nil }
        let coalesced = Self.difference(machine.coalesced(ofVM: vm), trigger.coalesced)
        return Report.WhatIf.Cost(
            duration: machine.measuresTime ? watch.held(until: totals.last ?? base) : nil,
            exits: Self.difference(machine.exits(ofVM: vm), trigger.exits), accepted: watch.accepted,
            coalesced: coalesced, eoiExits: Self.difference(Self.difference(watch.accepted, coalesced), watch.ended),
            deliveryExits: watch.posted)
    }

    /// None where the counts are of different things after a loss.
    private static func difference(_ all: UInt64, _ part: UInt64) -> UInt64 { all > part ? all - part : 0 }

    private func limits(of policy: InhibitOnL2Access, _ vms: [VMIndex]) -> [String] {
        let watches = vms.map { policy.settled($0, in: machine) }
        var limits = [
            "What the guest would have done otherwise no replay knows: emulated interrupts come at other times.",
            "With APICv active L1 reads its APIC and sets its TPR without exits or events: each would be an exit, and is not counted.",
        ]
        if watches.contains(where: { $0.trigger?.isLate ?? false }) {
            limits.append(
                "Where the fault itself is not in the trace the inhibit would have come at the access that is, at the latest."
            )
        }
        if watches.contains(where: { $0.trigger != nil }), !totals.isWhole {
            limits.append("Events were lost: L2 may have reached the page before, and counts are too low.")
        }
        let x2apic = watches.reduce(0) { $0 &+ $1.x2apic }
        if x2apic > 0 {
            limits.append(
                "L2 reached L1's APIC through x2APIC's registers \(x2apic.times), too: the policy watches the page alone."
            )
        }
        if watches.contains(where: { $0.trigger != nil }), vms.contains(where: { machine.vms[$0].hasPostedDevices }) {
            limits.append("The IOMMU posts interrupts of assigned devices: their deliveries and EOIs are not counted.")
        }
        if vms.contains(where: { machine.vms[$0].isa == .svm }) {
            limits.append("On SVM a vCPU's AVIC is off while it runs L2, with the inhibit and without.")
        }
        return limits
    }
}
