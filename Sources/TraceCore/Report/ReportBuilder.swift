// SPDX-License-Identifier: Apache-2.0

/// Puts an analysis into the report's words: relative times, names and hexadecimal strings. It judges nothing.
public struct ReportBuilder: ~Copyable {
    let machine: Machine
    let totals: TraceTotals
    let fix: FixState
    let findings: [RuleFinding]
    let seen: [Observation]
    let coverage: Coverage
    let ended: EndedVMs
    let policy: InhibitOnL2Access?
    let path: String?
    let selection: Selection
    let window: ClosedRange<UInt64>
    private var numbers: FindingNumbers
    /// Events of VMs that were not asked for were traced, too.
    let tracesMore: Bool
    /// The clock's time that all times of the report count from.
    let base: UInt64

    static let gapsShown = 64

    /// - Parameters:
    ///   - tracesMore: live tracing of VMs that the kernel did not choose.
    ///   - numbers: of findings that were reported before the end.
    public init<Other: Onlooker & ~Copyable>(
        _ analysis: consuming WatchedAnalysis<Other>, totals: TraceTotals, path: String?,
        selection: Selection = Selection(),
        tracesMore: Bool = false, numbers: FindingNumbers = FindingNumbers()
    ) {
        self.tracesMore = tracesMore
        self.numbers = numbers
        self.totals = totals
        self.path = path
        self.selection = selection
        window = analysis.window
        base = totals.first ?? 0
        let fix = analysis.rules.fixState(in: analysis.machine)
        self.fix = fix
        ended = analysis.ended
        coverage = Coverage(
            analysis.machine, totals, fix: fix, isWindowEmpty: analysis.isWindowEmpty, ended: analysis.ended
        ).of(selection, in: analysis.machine)
        findings = analysis.rules.findings(in: analysis.machine, fix: fix, ended: analysis.ended)
        seen =
            analysis.observations.list(
                in: analysis.machine, isWhole: totals.isWhole, ended: { analysis.ended[$0]?.observations })
            + analysis.rules.lateDeliveries(in: analysis.machine)
        policy = analysis.watchers.policy
        machine = analysis.machine
    }

    public consuming func report() -> Report {
        var reported: [(RuleFinding, Report.Finding)] = []
        var missing: EventKindSet = []
        for finding in self.findings where isSelected(finding) {
            let number = numbers.number(of: finding, in: machine)
            reported.append(
                (finding, Report.Finding(finding, number: number, base: base, fix: fix, in: machine)))
            for limit in finding.limits { missing.formUnion(limit.missing) }
        }
        let findings = reported.map(\.1)
        let limits = limits
        for limit in limits { missing.formUnion(limit.missing) }
        return Report(
            tool: .current, source: source, loss: loss, host: host, selection: narrowing,
            verdict: (findings.map(\.grade) + [ended.unlisted.grade].compactMap(\.self)).max()
                ?? (coverage.isComplete && selectsAny ? .clean : .inconclusive),
            reasons: findings.isEmpty ? coverage.reasons : [], findings: findings,
            vms: machine.vms.indices.filter { !machine.vms[$0].isVacant && isSelected(vm: $0) }.map { vm($0) }
                .sorted { $0.id < $1.id },
            endedVMs: endedVMs, whatIf: whatIf(reported), observations: observations(), limits: limits.map(\.text),
            unknowns: limits.map(Report.Unknown.init),
            recordCommand: missing.isEmpty
                ? nil : missing.union(Coverage.wanted).subtracting(machine.info.absentKinds).recordCommand)
    }

    func relative(_ time: UInt64) -> UInt64 {
        time > base ? time - base : 0
    }

    func isSelected(vm: VMIndex) -> Bool {
        machine.isSelected(vm, selection)
    }

    func isSelected(vcpu: VCPUIndex) -> Bool {
        selection.contains(vcpu: machine.vcpus[vcpu].id)
    }

    /// What the user asked for is in the trace; it must not be called clean where it isn't.
    var selectsAny: Bool { machine.hasAny(of: selection) }

    private func isSelected(_ finding: RuleFinding) -> Bool {
        isSelected(vm: finding.vm) && finding.vcpu.map { isSelected(vcpu: $0) } ?? true
    }

    private var source: Report.Source {
        let info = machine.info
        return Report.Source(
            path: path, format: info.format, kernel: info.kernel ?? "",
            clock: .init(name: info.clock.name, unit: info.clock.unit), cpus: info.cpus,
            eventsSelected: machine.knowsSelection ? info.eventsSelected : nil,
            cut: totals.cut.map { .init(offset: $0.offset, expected: $0.expected) },
            events: .init(total: totals.byName.values.reduce(0, &+), byName: totals.byName),
            span: .init(base: String(base), first: 0, last: relative(totals.last ?? base)))
    }

    private var loss: Report.Loss {
        let counts = totals.gapTotals
        let ofVMs = machine.losses.ofVMs
        return Report.Loss(
            known: counts.events, unknownGaps: counts.uncounted, overrun: totals.overrun,
            ofVMs: ofVMs == 0 ? nil : ofVMs,
            gapsTotal: counts.total,
            gaps: totals.gaps.prefix(Self.gapsShown).map { gap in
                Report.Gap(
                    instance: gap.instance, cpu: gap.knownCPU, process: gap.process, from: relative(gap.from ?? base),
                    to: relative(gap.to ?? totals.last ?? base), events: gap.events)
            })
    }

    private var host: Report.Host {
        Report.Host(
            isa: machine.vms.elements.lazy.map(\.isa).first { $0 != .unknown } ?? machine.info.isa,
            sviFix: .init(state: fix.state, basis: fix.basis, evidence: fix.evidence),
            inhibitOnL2Access: machine.inhibitNames.onL2Access.map { .init(name: $0.name, bit: $0.bit) })
    }
}
