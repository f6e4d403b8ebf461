// SPDX-License-Identifier: Apache-2.0

extension ReportBuilder {
    /// - Parameter findings: those that are reported, each with what it was made of.
    func whatIf(_ findings: [(RuleFinding, Report.Finding)]) -> Report.WhatIf? {
        guard let policy else { return nil }
        let vms = machine.vms.indices.filter { !machine.vms[$0].isVacant && isSelected(vm: $0) }
        let watches = vms.map { policy.settled($0, in: machine) }
        let told = zip(vms, watches).map { vm, watch in whatIf(watch, vm, findings.filter { $0.0.vm == vm }) }
        return Report.WhatIf(
            policy: .inhibitOnL2Access, vms: told.sorted { $0.vm < $1.vm },
            limits: limits(told, vms, x2apic: watches.reduce(0) { $0 &+ $1.x2apic }))
    }

    private func whatIf(
        _ watch: InhibitOnL2Access.Watch, _ vm: VMIndex, _ findings: [(RuleFinding, Report.Finding)]
    ) -> Report.WhatIf.VM {
        let trigger = watch.trigger
        let isLate = trigger.map { $0.isLate || !showsAllSinceCreation(ofVM: vm) } ?? false
        return Report.WhatIf.VM(
            vm: machine.vms[vm].serial, outcome: outcome(of: watch, vm),
            trigger: trigger.map { trigger in
                Report.Evidence(
                    time: relative(trigger.entry.stamp.time), cpu: trigger.entry.stamp.knownCPU,
                    tid: trigger.entry.stamp.knownThread, event: trigger.entry.event, text: trigger.entry.text)
            },
            isLate: isLate,
            l2Direct: .init(
                reads: trigger == nil ? nil : watch.direct.reads, writes: trigger == nil ? nil : watch.direct.writes,
                registers: Report.registers(watch.direct)),
            findings: trigger.map { paths(of: findings, since: $0.entry.stamp.time, isLate: isLate) } ?? [],
            cost: trigger == nil ? nil : cost(watch, vm))
    }

    /// Nothing that this VM did can have come before the trace, or got lost or been left out of it.
    private func showsAllSinceCreation(ofVM vm: VMIndex) -> Bool {
        machine.vms[vm].apicv.isSeenFromCreation && totals.isWhole && totals.part == nil
    }

    private func outcome(of watch: InhibitOnL2Access.Watch, _ vm: VMIndex) -> Report.WhatIf.Outcome {
        if watch.trigger != nil { return .inhibited }
        let showsAccesses = machine.recordsNestedExits && machine.recordedKinds.contains(.mmio)
        guard !watch.reachedWhileUnknown, showsAllSinceCreation(ofVM: vm), window.upperBound == .max,
            showsAccesses || watch.reachedWhileInhibited
        else { return .unknown }
        return watch.reachedWhileInhibited ? .alreadyInhibited : .notReached
    }

    private func paths(
        of findings: [(RuleFinding, Report.Finding)], since trigger: UInt64, isLate: Bool
    ) -> [Report.WhatIf.Finding] {
        findings.filter { $0.0.rule.isAboutLostInterrupts && $0.0.grade > .exposed }.map { finding, reported in
            .init(id: reported.id, path: path(of: finding, since: trigger, isLate: isLate))
        }
    }

    private func path(of finding: RuleFinding, since trigger: UInt64, isLate: Bool) -> Report.WhatIf.Path {
        guard finding.rule == .staleSVI, !finding.crossings.isEmpty else { return .unknown }
        let first = finding.evidence.entries.map(\.stamp.time).reduce(finding.first, min)
        if first < trigger { return isLate ? .unknown : .before }
        // It begins with the acknowledgement: where that left no event it may have come before anything.
        let showsBegin = !finding.crossings.contains(where: \.inferred)
        return showsBegin && first > trigger ? .emulated : .unknown
    }

    private func cost(_ watch: InhibitOnL2Access.Watch, _ vm: VMIndex) -> Report.WhatIf.Cost? {
        guard machine.recordedKinds.contains(.apicAcceptIRQ) else { return nil }
        let held = watch.held(
            until: min(totals.last ?? base, window.upperBound), exits: machine.exits(ofVM: vm))
        // What is left out of a part took time, too.
        let measuresTime = machine.measuresTime && totals.part == nil
        return Report.WhatIf.Cost(
            duration: measuresTime ? held.time : nil, exits: held.exits, accepted: watch.accepted,
            coalesced: watch.coalesced, eoiExits: watch.accepted &- watch.coalesced &- watch.ended,
            deliveryExits: watch.posted)
    }

    /// - Parameter x2apic: accesses by L2 that the policy takes no notice of.
    private func limits(_ told: [Report.WhatIf.VM], _ vms: [VMIndex], x2apic: UInt64) -> [String] {
        var limits = [
            "What the guest would have done otherwise no replay knows: emulated interrupts come at other times.",
            """
            Exits that leave no trace with APICv active are in no figure: L1's reads of its APIC, its TPR, and the window that L1 opens \
            to take an interrupt after a nested exit.
            """,
        ]
        if told.contains(where: \.isLate) {
            limits.append(
                """
                Where the trace doesn't have all of a VM's life L2 may have reached the page before: the inhibit would have come then \
                at the latest.
                """)
        }
        if x2apic > 0 {
            limits.append(
                "L2 reached L1's APIC through x2APIC's registers \(x2apic.times), too: the policy watches the page alone."
            )
        }
        let isAnyInhibited = told.contains { $0.outcome == .inhibited }
        if isAnyInhibited, !totals.isWhole { limits.append("Events were lost: counts are too low.") }
        if isAnyInhibited, vms.contains(where: { machine.vms[$0].hasPostedDevices }) {
            limits.append("The IOMMU posts interrupts of assigned devices: their deliveries and EOIs are not counted.")
        }
        if vms.contains(where: { machine.vms[$0].isa == .svm }) {
            limits.append("On SVM a vCPU's AVIC is off while it runs L2, with the inhibit and without.")
        }
        return limits
    }
}
