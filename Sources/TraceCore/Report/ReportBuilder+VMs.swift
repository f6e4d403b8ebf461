// SPDX-License-Identifier: Apache-2.0

extension ReportBuilder {
    func vm(_ index: VMIndex) -> Report.VM {
        let vm = machine.vms[index]
        return Report.VM(
            id: vm.serial, pid: machine.process(ofVM: index), command: machine.command(ofVM: index),
            guest: machine.guest(ofVM: index),
            apicv: intervals(vm.apicv), apicOfL2: vm.apicOfL2.kind,
            eventsLost: vm.eventsLost == 0 ? nil : vm.eventsLost,
            vcpus: vm.vcpus.filter { machine.vcpus[$0].tid != nil && isSelected(vcpu: $0) }.map { vcpu($0) })
    }

    /// Nothing where no VM was added up, and where the user asks for some VM: those of its were not.
    var endedVMs: Report.EndedVMs? {
        guard ended.totals.vms > 0, narrowing == nil else { return nil }
        let totals = ended.totals
        return Report.EndedVMs(
            vms: totals.vms, vcpus: totals.vcpus,
            exits: .init(
                l1: totals.exits.byName(.l1), l2: totals.exits.byName(.l2), unknown: totals.exits.byName(.unknown)),
            apicAccess: .init(
                l1: accesses(totals.accessesByL1, recorded: records(.mmio) || records(.exit)),
                l2Direct: accesses(totals.accessesDirect, recorded: records(.mmio)),
                l2Hooked: accesses(totals.accessesHooked, recorded: records(.pageFault)),
                l2Own: accesses(totals.accessesOwn, recorded: records(.pageFault))),
            ipisSent: records(.apicIPI) ? totals.ipisSent : nil,
            accepted: counts(totals.accepted, recorded: records(.apicAcceptIRQ)),
            acknowledged: counts(totals.acknowledged, recorded: records(.injVIRQ)),
            ended: counts(totals.ended, recorded: records(.eoi)))
    }

    private func intervals(_ timeline: APICvTimeline) -> [Report.APICvInterval] {
        let ends = timeline.intervals.dropFirst().map { $0.from ?? base } + [timeline.keptUntil ?? totals.last ?? base]
        return zip(timeline.intervals, ends).map { interval, end in
            Report.APICvInterval(
                from: relative(interval.from ?? base), to: relative(end), state: interval.state,
                mask: Hex.string(interval.mask), inhibits: machine.inhibitNames.names(of: interval.mask),
                inferred: interval.inferred, setBy: interval.setBy.flatMap { $0 < 0 ? nil : .init(tid: $0) })
        }
    }

    private func vcpu(_ index: VCPUIndex) -> Report.VCPU {
        let vcpu = machine.vcpus[index]
        return Report.VCPU(
            id: vcpu.id, tid: vcpu.tid.flatMap { $0 < 0 ? nil : $0 },
            exits: .init(l1: vcpu.exits.byName(.l1), l2: vcpu.exits.byName(.l2), unknown: vcpu.exits.byName(.unknown)),
            apicAccess: accesses(of: vcpu), ipisSent: records(.apicIPI) ? vcpu.ipis.total : nil,
            ipis: vcpu.ipis.lines.map { line in
                Report.IPI(dest: line.destination, vector: line.vector.hex, mode: line.mode, count: line.count)
            },
            interrupts: interrupts(of: index))
    }

    private func accesses(of vcpu: VCPU) -> Report.APICAccessReport {
        var l1 = vcpu.accessesByL1
        // Nothing nested was seen, so that whoever ran was L1.
        if !vcpu.hasNested { l1.add(vcpu.accessesUnbracketed) }
        let levelsKnown = machine.recordsNestedExits || !vcpu.hasNested
        let showsForwarded = levelsKnown && records(.pageFault) && records(.nestedVMExitInject)
        let isOwn = machine.vms[vcpu.vm].apicOfL2.kind == .virtualised
        return Report.APICAccessReport(
            l1: accesses(l1, recorded: levelsKnown && (records(.mmio) || records(.exit))),
            l2Direct: accesses(vcpu.accessesDirect.total, recorded: levelsKnown && records(.mmio)),
            l2Hooked: accesses(isOwn ? APICAccessCounts() : vcpu.accessesHooked, recorded: showsForwarded),
            l2Own: accesses(isOwn ? vcpu.accessesHooked : APICAccessCounts(), recorded: showsForwarded))
    }

    private func accesses(_ counts: APICAccessCounts, recorded: Bool) -> Report.APICAccesses {
        Report.APICAccesses(
            reads: recorded ? counts.reads : nil, writes: recorded ? counts.writes : nil,
            registers: Report.registers(counts))
    }

    private func interrupts(of index: VCPUIndex) -> [Report.InterruptLine] {
        let lost = Set(findings.filter { $0.vcpu == index && $0.grade >= .suspect }.flatMap(\.vectors))
        let ledger = machine.vcpus[index].ledger
        return (UInt8.min...UInt8.max).filter { !ledger[$0].isUntouched }.map { vector in
            let account = ledger[vector]
            let isOutstanding = account.pending != nil
            return Report.InterruptLine(
                vector: vector.hex, accepted: counts(account.accepted, recorded: records(.apicAcceptIRQ)),
                acknowledged: counts(account.acknowledged, recorded: records(.injVIRQ)),
                reinjected: records(.injVIRQ) ? account.reinjected : nil,
                ended: counts(account.ended, recorded: records(.eoi)),
                coalesced: records(.apicAcceptIRQ) ? account.coalesced : nil,
                outstanding: records(.apicAcceptIRQ) ? (isOutstanding ? 1 : 0) : nil,
                class: InterruptClass(of: vector, on: index, in: machine, isLost: lost.contains(vector)))
        }
    }

    private func counts(_ counts: LevelCounts, recorded: Bool) -> Report.LevelCounts {
        Report.LevelCounts(
            l1: recorded ? counts.l1 : nil, l2: recorded ? counts.l2 : nil, unknown: recorded ? counts.unknown : nil)
    }

    private func records(_ kind: EventKind) -> Bool {
        machine.info.recordedKinds.contains(kind)
    }
}
