// SPDX-License-Identifier: Apache-2.0
import TraceCore

extension LiveAnalysis {
    /// - Parameters:
    ///   - base: the clock's time that times count from.
    ///   - now: the clock's time.
    ///   - totals: what the source knows by now.
    ///   - perSecond: hits since the last moment.
    ///   - seconds: since that.
    mutating func moment(
        base: UInt64, now: UInt64, totals: TraceTotals, perSecond: UInt64, seconds: Double
    ) -> LiveMoment {
        let shown = analysis.machine.vms.indices.filter { vm in
            !analysis.machine.vms[vm].hasEnded && !vcpus(of: vm).isEmpty
                && analysis.machine.isSelected(vm, analysis.wanted)
        }
        let work = work(
            since: shown.reduce(into: [:]) { $0[analysis.machine.vms[$1].serial] = total(of: $1) })
        return LiveMoment(
            time: now > base ? now - base : 0, hits: totals.byName.values.reduce(0, &+), perSecond: perSecond,
            dropped: totals.overrun ?? 0,
            vms: shown.map { index in
                var vm = vm(index, base)
                vm.perSecond = UInt64(Double(work[vm.id] ?? 0) / max(seconds, 0.001))
                return vm
            }.sorted { LiveMoment.VM.ranks($0, before: $1) },
            parked: parked(besides: shown),
            findings: findings.map { finding in
                LiveMoment.Finding(
                    grade: finding.grade, rule: finding.rule, place: place(of: finding), vectors: finding.vectors,
                    since: finding.first > base ? finding.first - base : 0, statement: finding.statement)
            },
            verdict: verdict(totals))
    }

    /// The names of VMs that were there before tracing began, still are, and have not run a vCPU since.
    private func parked(besides shown: [VMIndex]) -> [String] {
        running.filter { found in
            !shown.contains { analysis.machine.isVM($0, of: found.process) }
                && SystemFile.exists("/proc/\(found.process)")
        }.map(\.name)
    }

    /// What the report would say if the trace ended now.
    func verdict(_ totals: TraceTotals) -> Grade {
        let unlisted = analysis.ended.unlisted.grade
        return (findings.map(\.grade) + [unlisted].compactMap(\.self)).max() ?? gradeOfNothingFound(totals)
    }

    private func gradeOfNothingFound(_ totals: TraceTotals) -> Grade {
        let fix = analysis.rules.fixState(in: analysis.machine)
        let coverage = Coverage(analysis.machine, totals, fix: fix, ended: analysis.ended)
            .of(analysis.wanted, in: analysis.machine)
        return coverage.isComplete && analysis.machine.hasAny(of: analysis.wanted) ? .clean : .inconclusive
    }

    /// `vCPU 0 of qemu-system-x86 (pid 214)`.
    func place(of finding: RuleFinding) -> String {
        let vcpu = finding.vcpu.flatMap { analysis.machine.vcpus[$0].id }
        return Report.place(vcpu: vcpu, of: analysis.machine.name(ofVM: finding.vm))
    }

    private func vcpus(of vm: VMIndex) -> [VCPUIndex] {
        analysis.machine.vms[vm].vcpus.filter { analysis.machine.vcpus[$0].tid != nil }
    }

    private func vm(_ index: VMIndex, _ base: UInt64) -> LiveMoment.VM {
        let current = analysis.machine.vms[index].apicv.current
        let names = analysis.machine.inhibitNames.names(of: current.mask).joined(separator: ", ")
        let mask = current.state == .inhibited ? " \(Hex.string(current.mask)) (\(names))" : ""
        return LiveMoment.VM(
            id: analysis.machine.vms[index].serial, grade: findings.filter { $0.vm == index }.map(\.grade).max(),
            runsL2: vcpus(of: index).contains { analysis.machine.vcpus[$0].hasNested },
            dropped: analysis.machine.vms[index].eventsLost,
            name: analysis.machine.name(ofVM: index), apicv: current.state.rawValue + mask,
            since: current.from.map { $0 > base ? $0 - base : 0 },
            vcpus: vcpus(of: index).map { vcpu($0) }.sorted { $0.id ?? .max < $1.id ?? .max },
            accesses: accesses(of: vcpus(of: index)))
    }

    /// Exits, accesses, IPIs and interrupts: what a VM has done so far.
    private func total(of vm: VMIndex) -> UInt64 {
        vcpus(of: vm).reduce(0) { sum, index in
            let vcpu = analysis.machine.vcpus[index]
            let exits = vcpu.exits.total(.l1) &+ vcpu.exits.total(.l2) &+ vcpu.exits.total(.unknown)
            return [vcpu.accessesByL1, vcpu.accessesUnbracketed, vcpu.accessesDirect.total, vcpu.accessesHooked]
                .reduce(sum &+ exits &+ vcpu.ipis.total) { $0 &+ $1.reads &+ $1.writes }
        }
    }

    private func vcpu(_ index: VCPUIndex) -> LiveMoment.VCPU {
        let vcpu = analysis.machine.vcpus[index]
        let vectors = Set(findings.filter { $0.vcpu == index && $0.grade >= .hazard }.flatMap(\.vectors)).sorted()
        return LiveMoment.VCPU(
            id: vcpu.id, tid: vcpu.tid ?? 0, level: vcpu.mode, isHalted: vcpu.bracket.isBlocked,
            troubled: vectors.map { vector in
                let account = vcpu.ledger[vector]
                return LiveMoment.Vector(
                    vector: vector, accepted: account.accepted.total, acknowledged: account.acknowledged.total,
                    ended: account.ended.total)
            })
    }

    private func accesses(of vcpus: [VCPUIndex]) -> [LiveMoment.Accesses] {
        var (l1, direct, hooked) = (APICAccessCounts(), APICAccessCounts(), APICAccessCounts())
        for index in vcpus {
            l1.add(analysis.machine.vcpus[index].accessesByL1)
            l1.add(analysis.machine.vcpus[index].accessesUnbracketed)
            direct.add(analysis.machine.vcpus[index].accessesDirect.total)
            hooked.add(analysis.machine.vcpus[index].accessesHooked)
        }
        return [("L1", l1), ("L2 direct", direct), ("L2 hooked", hooked)].filter { !$0.1.isEmpty }.map { path, counts in
            let registers = Report.registers(counts).sorted { left, right in
                let (most, least) = (left.value.reads &+ left.value.writes, right.value.reads &+ right.value.writes)
                return most == least ? left.key < right.key : most > least
            }
            return LiveMoment.Accesses(
                path: path, registers: registers.map { ($0.key, $0.value.reads, $0.value.writes) })
        }
    }
}
