// SPDX-License-Identifier: Apache-2.0

extension ReportBuilder {
    func finding(_ finding: RuleFinding, number: Int) -> Report.Finding {
        let explanation = finding.rule.explanation
        return Report.Finding(
            id: "F\(number)", rule: finding.rule, grade: finding.grade, vm: finding.vm,
            vcpu: finding.vcpu.flatMap { machine.vcpus[$0].id }, first: relative(finding.first),
            last: relative(finding.last), count: finding.count, inferred: finding.inferred,
            registers: registers(finding.registers), vectors: finding.vectors.map(\.hex),
            crossings: finding.crossings.compactMap(crossing), symptoms: finding.symptoms.map(\.rawValue),
            evidenceTotal: finding.evidence.total,
            evidence: finding.evidence.entries.sorted { $0.stamp.time < $1.stamp.time }.map { entry in
                Report.Evidence(
                    time: relative(entry.stamp.time), cpu: entry.stamp.cpu, tid: entry.stamp.tid, event: entry.event,
                    text: entry.text)
            },
            explanation: finding.statement, advice: explanation.advice, references: explanation.references,
            limits: finding.limits)
    }

    func registers(_ counts: APICAccessCounts) -> [String: Report.RegisterAccess] {
        var registers: [String: Report.RegisterAccess] = [:]
        for (register, count) in counts.byRegister {
            // ISR, TMR and IRR are eight words each under one name.
            registers[register.name, default: .init()].reads &+= count.reads
            registers[register.name, default: .init()].writes &+= count.writes
        }
        return registers
    }

    private func crossing(_ crossing: Crossing) -> Report.Crossing? {
        guard let acknowledged = level(crossing.acknowledgedAt), let ended = level(crossing.endedAt) else { return nil }
        return Report.Crossing(
            vector: crossing.vector.hex, ackLevel: acknowledged, eoiLevel: ended, inferred: crossing.inferred)
    }

    private func level(_ level: Level) -> Report.Level? {
        switch level {
        case .l1: .l1
        case .l2: .l2
        case .unknown: nil
        }
    }
}
