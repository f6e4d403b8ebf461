// SPDX-License-Identifier: Apache-2.0

/// Whether the report of a part says what the report of the whole does.
struct Sameness {
    private let whole: Report
    /// Nil where a part is cut out for no finding.
    private let finding: Report.Finding?
    /// Names and addresses may be in the words.
    private let comparesWords: Bool

    init(_ whole: Report, _ finding: Report.Finding?, comparesWords: Bool) {
        self.whole = whole
        self.finding = finding
        self.comparesWords = comparesWords
    }

    /// Nil where it does, else what it says otherwise.
    ///
    /// What a part says more than the whole would be a false alarm, and a higher grade a lie: both are differences, in any VM.
    func difference(of part: Report) -> String? {
        for found in part.findings where !isCovered(found, of: part) {
            return "it would show \(found.rule.rawValue) (\(found.grade.rawValue)) on "
                + (found.vcpu.map { "vCPU \($0)" } ?? "a VM") + ", which the whole doesn't"
        }
        guard let finding else { return nil }
        guard part.findings.contains(where: { isTwin($0, of: part) }) else {
            return
                "it would not show \(finding.id) (\(finding.rule.rawValue), \(finding.grade.rawValue)) as the whole does"
        }
        return whole.host.sviFix.settled != part.host.sviFix.settled
            ? "what is known of the fix would be something else" : nil
    }

    private func isCovered(_ found: Report.Finding, of part: Report) -> Bool {
        whole.findings.contains { known in
            known.rule == found.rule && known.vcpu == found.vcpu && isSameVM(known, found, of: part)
                && found.grade <= known.grade && Set(found.vectors).isSubset(of: known.vectors)
                && Set(found.stuck).isSubset(of: known.stuck)
        }
    }

    private func isTwin(_ found: Report.Finding, of part: Report) -> Bool {
        guard let finding else { return false }
        return found.rule == finding.rule && found.grade == finding.grade && found.vcpu == finding.vcpu
            && isSameVM(finding, found, of: part) && found.vectors == finding.vectors && found.stuck == finding.stuck
            && found.crossings == finding.crossings && found.symptoms == finding.symptoms
            && found.inferred == finding.inferred && found.first == finding.first && found.last == finding.last
            && found.evidence.elementsEqual(finding.evidence, by: isSame)
    }

    private func isSame(_ left: Report.Evidence, _ right: Report.Evidence) -> Bool {
        left.time == right.time && left.tid == right.tid && left.event == right.event
            && (!comparesWords || left.text == right.text)
    }

    private func isSameVM(_ known: Report.Finding, _ found: Report.Finding, of part: Report) -> Bool {
        let (one, other) = (whole.vms.first { $0.id == known.vm }, part.vms.first { $0.id == found.vm })
        return one?.pid == other?.pid
    }
}
