// SPDX-License-Identifier: Apache-2.0

/// What all changes together make of B beside A.
///
/// Doubts fall on B: that it is worse is said where it shows more trouble than an A that would have shown it; that it is not, only where
/// it would have shown what A does.
struct ComparedOutcome {
    private(set) var outcome = Comparison.Outcome.same
    private(set) var reasons: [String] = []
    private(set) var doubts: [String] = []

    /// One thing that makes B worse or better, or neither.
    private struct Weight {
        var effect: Comparison.Effect
        var certain: Bool
        var grade: Grade
        var text: String
    }

    /// - Parameter differs: a figure beside findings, verdict and fix does.
    init(_ a: Report, _ b: Report, _ pairing: Pairing, _ findings: FindingChanges, differs: Bool) {
        let sight = findings.sight
        // What B alone lacks may hold the difference.
        let hidesMore = !sight.b.doubts.allSatisfy(sight.a.doubts.contains)
        let isSame = !differs && !hidesMore && Self.isSame(a, b, findings.changes)
        if isSame, !pairing.matched.isEmpty, b.verdict != .inconclusive {
            reasons = ["Every figure that is compared is the same."]
            doubts = Self.circumstances(a, b, pairing) + Self.sentences(sight.b.doubts, "Of B")
        } else if isSame, !pairing.matched.isEmpty {
            outcome = .incomparable
            reasons = ["Every figure that is compared is the same, and neither settles whether anything is wrong."]
            doubts = Self.sentences(sight.b.doubts, "Of both")
        } else if pairing.matched.isEmpty {
            outcome = .incomparable
            reasons = [Self.nothingInCommon(a, b)]
            doubts = Self.sentences(sight.a.doubts, "Of A") + Self.sentences(sight.b.doubts, "Of B")
        } else {
            let weights =
                findings.changes.map { Weight(effect: $0.effect, certain: $0.certain, grade: $0.grade, text: $0.text) }
                + Self.unlisted(a, b, findings) + Self.fix(a, b)
            let hidden = Self.silent(pairing) + Self.sentences(sight.b.doubts(beyond: sight.a), "Of B")
            weigh(weights, hidden: hidden, doubts: findings.doubts)
            doubts += Self.circumstances(a, b, pairing)
            if outcome != .incomparable { doubts += Self.sentences(sight.b.doubts, "Of B") }
            let harmless = findings.changes.filter { $0.effect == .none && $0.change != .same }.map(\.text)
            if outcome == .notWorse { reasons += harmless }
        }
        // Of thousands of VMs the same may be said.
        (reasons, doubts) = (reasons.withoutTwins, doubts.withoutTwins)
    }

    private static func isSame(_ a: Report, _ b: Report, _ changes: [Comparison.FindingChange]) -> Bool {
        changes.allSatisfy { $0.change == .same && $0.a?.count == $0.b?.count } && a.verdict == b.verdict
            && a.host.sviFix.state == b.host.sviFix.state && a.duration == b.duration
            && a.source.events.total == b.source.events.total && a.host.isa == b.host.isa
    }

    /// The gravest thing that differs decides, and of things as grave what is certain: a loss that is gone is not made up for by less
    /// that is new, nor a loss that is new by less that is gone.
    private mutating func weigh(_ weights: [Weight], hidden: [String], doubts unreached: [String]) {
        let effective = weights.filter { $0.effect != .none }
        let isUnsurelyWorse = effective.contains { $0.effect == .worse && !$0.certain }
        outcome = .notWorse
        for grade in Grade.allCases.reversed() {
            let differences = effective.filter { $0.grade == grade }
            let (worse, better) = (
                differences.filter { $0.effect == .worse }, differences.filter { $0.effect == .better }
            )
            if worse.contains(where: \.certain) {
                outcome = better.contains(where: \.certain) ? .mixed : .worse
            } else if !better.isEmpty {
                outcome = better.allSatisfy(\.certain) && worse.isEmpty ? .better : .incomparable
            }
            // That something is worse without certainty leaves it to what is less grave whether anything is.
            if outcome != .notWorse { break }
        }
        let isSettled = hidden.isEmpty && !isUnsurelyWorse
        if !isSettled, outcome == .better || outcome == .notWorse { outcome = .incomparable }
        explain(effective, hidden, unreached)
    }

    private mutating func explain(_ effective: [Weight], _ hidden: [String], _ unreached: [String]) {
        let leading = effective.filter { weight in
            switch outcome {
            case .worse: weight.effect == .worse && weight.certain
            case .better: weight.effect == .better && weight.certain
            case .mixed: weight.certain
            default: !weight.certain
            }
        }
        let others = effective.filter { weight in !leading.contains { $0.text == weight.text } }
        reasons = leading.map(\.text)
        switch outcome {
        case .incomparable: reasons += hidden
        case .worse, .mixed: doubts = unreached
        default: break
        }
        if reasons.isEmpty { reasons = ["B shows no trouble that A doesn't."] }
        reasons += others.filter(\.certain).map(\.text)
        doubts = others.filter { !$0.certain }.map(\.text) + doubts
    }

    private static func sentences(_ list: [String], _ whose: String) -> [String] { list.map { "\(whose): \($0)" } }

    private static func nothingInCommon(_ a: Report, _ b: Report) -> String {
        switch (a.vms.isEmpty, b.vms.isEmpty) {
        case (true, true): "No vCPU shows in either."
        case (true, false): "No vCPU shows in A."
        case (false, true): "No vCPU shows in B."
        case (false, false): "They have no VM in common, by process, name or number: --vm can choose one of each."
        }
    }

    /// Where L2 ran in A and not in B: nothing that is a matter of L2 can show there.
    private static func silent(_ pairing: Pairing) -> [String] {
        pairing.vms.flatMap { vms -> [String] in
            guard let a = vms.a, a.hasL2 else { return [] }
            guard let b = vms.b else { return ["\(a.name) runs an L2 in A, and has no counterpart in B."] }
            guard b.hasL2 else { return ["An L2 runs in A's \(a.name), and none in B's \(b.name)."] }
            return Pairing.vcpus(a, b).filter { $0.a?.hasL2 == true && $0.b?.hasL2 != true }.map { vcpus in
                "An L2 runs on \(Report.place(vcpu: vcpus.a?.id, of: a.name)) in A, and none there in B."
            }
        }
    }

    /// A verdict that rests on a VM which ended and whose findings are not listed.
    private static func unlisted(_ a: Report, _ b: Report, _ findings: FindingChanges) -> [Weight] {
        func isUnlisted(_ report: Report) -> Bool {
            report.verdict >= .exposed && !report.findings.contains { $0.grade == report.verdict }
        }
        if b.verdict > a.verdict, isUnlisted(b) {
            return [
                Weight(
                    effect: .worse, certain: findings.sight.a.doubts(beyond: findings.sight.b).isEmpty,
                    grade: b.verdict,
                    text: "The verdict on VMs that ended is graver in B: \(b.verdict.rawValue).")
            ]
        }
        guard a.verdict > b.verdict, isUnlisted(a) else { return [] }
        return [
            Weight(
                effect: .better, certain: false, grade: a.verdict,
                text:
                    "VMs that ended in A left findings that are not listed (\(a.verdict.rawValue)); which of B's VMs are like them can't be told."
            )
        ]
    }

    /// The fix matters where L2 uses L1's APIC, and there it does at once.
    private static func fix(_ a: Report, _ b: Report) -> [Weight] {
        switch (a.host.sviFix.settled, b.host.sviFix.settled) {
        case (.present, .absent) where b.verdict >= .exposed && !a.showsStaleSVI:
            [
                Weight(
                    effect: .worse, certain: true, grade: .exposed,
                    text: "A's kernel has the fix for stale SVI, and B's has not.")
            ]
        case (.absent, .present) where a.verdict >= .exposed && !b.showsStaleSVI:
            [
                Weight(
                    effect: .better, certain: true, grade: .exposed,
                    text: "B's kernel has the fix for stale SVI, and A's has not.")
            ]
        default: []
        }
    }

    /// What makes any comparison of the two less sure.
    private static func circumstances(_ a: Report, _ b: Report, _ pairing: Pairing) -> [String] {
        var doubts: [String] = []
        let guessed = pairing.vms.filter { $0.match == .order }.compactMap(\.a?.command)
        if let command = guessed.first {
            doubts.append("Several VMs run \(command): which of A's is which of B's is told by their order alone.")
        }
        if a.host.isa != b.host.isa, a.host.isa != .unknown, b.host.isa != .unknown {
            doubts.append(
                "A's host is \(a.host.isa.rawValue.uppercased()), and B's \(b.host.isa.rawValue.uppercased()).")
        }
        if let before = a.nanoseconds, let after = b.nanoseconds, after < before / 2 {
            doubts.append("B covers less than half of the time that A does.")
        }
        if a.nanoseconds == nil || b.nanoseconds == nil {
            doubts.append("The clock of one of them measures no durations: there is no rate of its exits.")
        }
        return doubts
    }
}

extension Report {
    /// Whatever its kernel is said to have: the fix doesn't work there.
    fileprivate var showsStaleSVI: Bool { findings.contains { $0.rule == .staleSVI && $0.grade >= .suspect } }
}

extension [String] {
    /// The first of each, in their order.
    fileprivate var withoutTwins: [String] {
        var known: Set<String> = []
        return filter { known.insert($0).inserted }
    }
}
