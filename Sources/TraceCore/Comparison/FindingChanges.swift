// SPDX-License-Identifier: Apache-2.0

/// Holds the findings of one report against those of the other.
struct FindingChanges {
    let a: Report
    let b: Report
    let pairing: Pairing
    let sight: (a: Sight, b: Sight)
    private(set) var changes: [Comparison.FindingChange] = []
    /// Of findings that only one of them shows, though nothing hides them in the other.
    private(set) var doubts: [String] = []

    init(_ a: Report, _ b: Report, _ pairing: Pairing) {
        (self.a, self.b, self.pairing) = (a, b, pairing)
        sight = (Sight(a), Sight(b))
        var rest = b.findings
        for finding in a.findings {
            let twins = rest.indices.filter { isTwin(finding, rest[$0]) }
            guard let twin = twins.first(where: { rest[$0].victims == finding.victims }) ?? twins.first else {
                add(gone: finding)
                continue
            }
            add(finding, rest.remove(at: twin))
        }
        for finding in rest { add(new: finding) }
        changes.sort { ($0.weight, $0.grade) > ($1.weight, $1.grade) }
    }

    private func isTwin(_ one: Report.Finding, _ other: Report.Finding) -> Bool {
        one.rule == other.rule && one.vcpu == other.vcpu && counterpart(of: one.vm) == other.vm
    }

    /// In B, of a VM of A; nil also where a finding is no VM's.
    private func counterpart(of vm: Int?) -> Int? { pairing.matched.first { $0.a.id == vm }?.b.id }

    private func pair(a: Int?, b: Int?) -> (a: Report.VM, b: Report.VM)? {
        pairing.matched.first { $0.a.id == a || $0.b.id == b }
    }

    // MARK: - In both

    private mutating func add(_ before: Report.Finding, _ after: Report.Finding) {
        let name = "\(after.rule.rawValue) on \(b.name(of: after))"
        // What is stuck in one and lost in the other is worse where it is lost, and nowhere better.
        let joined = after.vectors.without(before.vectors) + after.stuck.without(before.victims + after.vectors)
        let left = before.victims.without(after.victims)
        let grades = "\(name): \(before.grade.rawValue) in A, \(after.grade.rawValue) in B."
        if after.grade > before.grade {
            addWorse(.graver, before, after, grades)
        } else if after.grade < before.grade {
            addBetter(.milder, before, after, vectors: before.victims, grades)
        } else if joined.isEmpty, left.isEmpty {
            add(.same, .none, before, after, "\(name): \(after.grade.rawValue) in both.")
        } else if after.grade < .suspect {
            add(.moved, .none, before, after, "\(name): \(after.grade.rawValue) in both, with other vectors.")
        } else if joined.isEmpty {
            addBetter(.moved, before, after, vectors: left, "\(name) names \(left.listed) in A, and not in B.")
        } else {
            let others = left.isEmpty ? "" : ", and \(left.listed) no longer"
            addWorse(.moved, before, after, "\(name) names \(joined.listed) in B and not in A\(others).")
        }
    }

    // MARK: - In one of them

    private mutating func add(new finding: Report.Finding) {
        let text = "Only B shows \(describe(finding, in: b))."
        guard finding.grade >= .exposed else { return add(.new, .none, nil, finding, text) }
        if a.findings.contains(where: { counterpart(of: $0.vm) == finding.vm && $0.covers(finding) }) {
            return add(.new, .none, nil, finding, text + " A finding of A's is no less.")
        }
        addWorse(.new, nil, finding, text)
    }

    private mutating func add(gone finding: Report.Finding) {
        let text = "Only A shows \(describe(finding, in: a))."
        guard finding.grade >= .exposed else { return add(.gone, .none, finding, nil, text) }
        if b.findings.contains(where: { counterpart(of: finding.vm) == $0.vm && $0.covers(finding) }) {
            return add(.gone, .none, finding, nil, text + " A finding of B's is no less.")
        }
        addBetter(.gone, finding, nil, vectors: finding.victims, text)
    }

    /// `stale-svi (confirmed), vector 0x30, vCPU 0 of qemu-system-x86 (pid 214)`.
    private func describe(_ finding: Report.Finding, in report: Report) -> String {
        let vectors =
            finding.vectors.isEmpty
            ? "" : ", \(finding.vectors.count == 1 ? "vector" : "vectors") \(finding.vectors.listed)"
        return "\(finding.rule.rawValue) (\(finding.grade.rawValue))\(vectors), \(report.name(of: finding))"
    }

    // MARK: - What follows

    private mutating func addWorse(
        _ change: Comparison.Change, _ before: Report.Finding?, _ after: Report.Finding, _ text: String
    ) {
        guard let vms = pair(a: before?.vm, b: after.vm) else {
            return add(change, .worse, before, after, text, but: "Its VM has no counterpart in A.")
        }
        let vectors = after.victims.without(before?.vectors ?? [])
        let exercise = Exercise(shower: vms.b, witness: vms.a, names: ("B", "A"))
        if case .notReached(let doubt) = exercise.answer(after, vectors: vectors) { doubts.append(doubt) }
        add(change, .worse, before, after, text, but: excuse(for: after))
    }

    /// Why B may only seem to be worse.
    private func excuse(for finding: Report.Finding) -> String? {
        if let doubt = sight.a.doubts(beyond: sight.b).first { return "A may hide the same: \(doubt)" }
        guard finding.grade == .hazard else { return nil }
        // Less evidence raises grades up to this one.
        if sight.b.hidesEvents { return "B may lack what would excuse it: \(sight.b.doubts[0])" }
        guard finding.rule == .staleSVI, a.host.sviFix.settled == .present, b.host.sviFix.settled == nil else {
            return nil
        }
        return "Whether B's kernel has the fix for stale SVI, as A's has, is not known: --kallsyms-b settles it."
    }

    private mutating func addBetter(
        _ change: Comparison.Change, _ before: Report.Finding, _ after: Report.Finding?, vectors: [String],
        _ text: String
    ) {
        guard let vms = pair(a: before.vm, b: after?.vm) else {
            return add(change, .better, before, after, text, but: "Its VM has no counterpart in B.")
        }
        if before.grade == .hazard, before.rule == .staleSVI, a.host.sviFix.settled == nil,
            b.host.sviFix.settled == .present
        {
            return add(
                change, .none, before, after,
                text + " B's kernel is known to have the fix for stale SVI, and of A's that is not known.")
        }
        if let doubt = sight.b.doubts(beyond: sight.a).first {
            return add(change, .better, before, after, text, but: "B may hide the same: \(doubt)")
        }
        let exercise = Exercise(shower: vms.a, witness: vms.b, names: ("A", "B"))
        switch exercise.answer(before, vectors: vectors) {
        case .reached(let proof): add(change, .better, before, after, "\(text) \(proof)")
        case .notReached(let doubt): add(change, .better, before, after, text, but: doubt)
        }
    }

    /// - Parameter doubt: why the effect does not follow for certain.
    private mutating func add(
        _ change: Comparison.Change, _ effect: Comparison.Effect, _ before: Report.Finding?, _ after: Report.Finding?,
        _ text: String, but doubt: String? = nil
    ) {
        guard let rule = (after ?? before)?.rule else { return }
        changes.append(
            Comparison.FindingChange(
                rule: rule, change: change, effect: effect, certain: doubt == nil,
                text: [text, doubt].compactMap(\.self).joined(separator: " "),
                a: before.map(Comparison.FindingSide.init), b: after.map(Comparison.FindingSide.init)))
    }
}

extension Comparison.FindingChange {
    /// What to tell first.
    fileprivate var weight: Int {
        switch effect {
        case .worse: certain ? 4 : 3
        case .better: certain ? 2 : 1
        case .none: 0
        }
    }

    /// The higher of the two.
    var grade: Grade { max(a?.grade ?? .clean, b?.grade ?? .clean) }
}

extension Comparison.FindingSide {
    fileprivate init(_ finding: Report.Finding) {
        self.init(
            id: finding.id, grade: finding.grade, vm: finding.vm, vcpu: finding.vcpu, first: finding.first,
            count: finding.count, vectors: finding.vectors, stuck: finding.stuck, crossings: finding.crossings)
    }
}

extension Report.Finding {
    /// Vectors that are lost or wait, and those that block them.
    fileprivate var victims: [String] { vectors + stuck.without(vectors) }

    /// Says at least as much of the same trouble, in the same VM.
    fileprivate func covers(_ other: Self) -> Bool {
        guard grade >= other.grade else { return false }
        if rule == other.rule, other.grade < .suspect { return true }
        guard vcpu == other.vcpu else { return false }
        return symptoms.contains(other.rule.rawValue)
            || !other.victims.isEmpty && other.victims.without(victims).isEmpty
    }
}

extension [String] {
    fileprivate func without(_ others: [String]) -> [String] { filter { !others.contains($0) } }
}
