// SPDX-License-Identifier: Apache-2.0

extension Comparison {
    /// Holds B against A.
    ///
    /// - Parameters:
    ///   - a: what is compared with, such as the report of before a change.
    ///   - b: what is judged.
    public init(_ a: Report, _ b: Report) {
        let pairing = Pairing(a, b)
        let findings = FindingChanges(a, b, pairing)
        let vms = pairing.vms.map { VMChanges(vms: $0, reports: (a, b)).pair }
        let observations = Self.observations(a, b)
        let outcome = ComparedOutcome(
            a, b, pairing, findings, differs: vms.contains(where: \.differs) || !observations.isEmpty)
        self.init(
            tool: .current, outcome: outcome.outcome, reasons: outcome.reasons, doubts: outcome.doubts,
            a: Side(a, doubts: findings.sight.a.doubts), b: Side(b, doubts: findings.sight.b.doubts),
            findings: findings.changes, vms: vms, observations: observations)
    }

    /// The kinds of which the two have not the same number.
    private static func observations(_ a: Report, _ b: Report) -> [ObservationChange] {
        Observation.Kind.allCases.map { kind in
            ObservationChange(
                kind: kind, a: a.observations.count { $0.kind == kind }, b: b.observations.count { $0.kind == kind })
        }.filter { $0.a != $0.b }
    }
}

extension Comparison.Side {
    fileprivate init(_ report: Report, doubts: [String]) {
        self.init(
            path: report.source.path, format: report.source.format, kernel: report.source.kernel,
            clock: report.source.clock, duration: report.duration, events: report.source.events.total,
            host: report.host, selection: report.selection, verdict: report.verdict, doubts: doubts)
    }
}

extension Comparison.VMPair {
    /// Some figure is not the same; a VM without a counterpart is a difference by itself.
    fileprivate var differs: Bool {
        matchedBy == .none || !exits.isEmpty || !apicAccess.isEmpty || apicv.a?.intervals != apicv.b?.intervals
            || vcpus.contains { $0.matchedBy == .none || !$0.interrupts.isEmpty || $0.ipisSent.a != $0.ipisSent.b }
    }
}
