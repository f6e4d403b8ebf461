// SPDX-License-Identifier: Apache-2.0

extension Report.Finding {
    /// A rule's finding in the report's words.
    ///
    /// - Parameters:
    ///   - number: what makes its id.
    ///   - base: the clock's time that its times count from.
    ///   - fix: what is known of the fix, which decides what to do.
    public init(
        _ finding: RuleFinding, number: Int, base: UInt64, fix: FixState, in machine: borrowing Machine
    ) {
        func relative(_ time: UInt64) -> UInt64 { time > base ? time - base : 0 }
        let explanation = finding.rule.explanation
        self.init(
            id: "F\(number)", rule: finding.rule, grade: finding.grade, vm: machine.vms[finding.vm].serial, vcpu: nil,
            first: relative(finding.first), last: relative(finding.last), count: finding.count,
            inferred: finding.inferred, registers: Report.registers(finding.registers),
            vectors: finding.vectors.map(\.hex), stuck: finding.stuck.map(\.hex),
            crossings: finding.crossings.compactMap(Report.Crossing.init),
            symptoms: finding.symptoms.map(\.rawValue), evidenceTotal: finding.evidence.total,
            evidence: finding.evidence.entries.sorted { $0.stamp.time < $1.stamp.time }.map { entry in
                Report.Evidence(
                    time: relative(entry.stamp.time), cpu: entry.stamp.knownCPU, tid: entry.stamp.knownThread,
                    event: entry.event,
                    text: entry.text)
            },
            explanation: finding.statement, advice: Advice(finding, fix: fix, in: machine).text,
            references: explanation.references, limits: finding.limits.map(\.text),
            unknowns: finding.limits.map(Report.Unknown.init))
        if let vcpu = finding.vcpu { self.vcpu = machine.vcpus[vcpu].id }
    }
}

extension Report {
    /// Accesses by the register's name.
    public static func registers(_ counts: APICAccessCounts) -> [String: RegisterAccess] {
        var registers: [String: RegisterAccess] = [:]
        for (register, count) in counts.byRegister {
            // ISR, TMR and IRR are eight words each under one name.
            registers[register.name, default: .init()].reads &+= count.reads
            registers[register.name, default: .init()].writes &+= count.writes
        }
        return registers
    }
}

extension Report.Crossing {
    fileprivate init?(_ crossing: Crossing) {
        guard let acknowledged = Self.level(crossing.acknowledgedAt), let ended = Self.level(crossing.endedAt) else {
            return nil
        }
        self.init(
            vector: crossing.vector.hex, ackLevel: acknowledged, eoiLevel: ended, inferred: crossing.inferred)
    }

    private static func level(_ level: Level) -> Report.Level? {
        switch level {
        case .l1: .l1
        case .l2: .l2
        case .unknown: nil
        }
    }
}
