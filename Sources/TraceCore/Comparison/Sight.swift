// SPDX-License-Identifier: Apache-2.0

/// How far a report may be trusted to show what happened: what it does not show proves little where something kept it from showing.
struct Sight {
    /// Every reason to doubt it, a sentence each. A clean report has none that counts.
    let doubts: [String]
    /// Those for which events are to blame that were not recorded.
    private let ofMissingEvents: [String]
    /// Events are lost, or the verdict says that it can't tell: then nobody knows how much is hidden.
    private let isBlind: Bool

    init(_ report: Report) {
        guard report.verdict != .clean else {
            (doubts, ofMissingEvents, isBlind) = ([], [], false)
            return
        }
        let unknowns = report.unknowns.filter { !$0.standing }
        isBlind = report.verdict == .inconclusive || report.source.cut != nil || report.hasLost
        // Something that may be trouble, of which the recording does not show enough.
        let undecided = report.findings.filter { $0.grade == .inconclusive }.map {
            "\($0.rule.rawValue) on \(report.name(of: $0)) is inconclusive."
        }
        let known = unknowns.map(\.text) + undecided
        doubts = known.isEmpty && isBlind ? ["Something of the recording is missing."] : known
        ofMissingEvents = unknowns.filter { !$0.record.isEmpty }.map(\.text)
    }

    /// Events that would excuse something, or show more of it, may be missing.
    var hidesEvents: Bool { isBlind || !ofMissingEvents.isEmpty }

    /// What it may hide that the other doesn't: of a doubt that both have neither hides more. Events that are missing may hide a loss,
    /// whatever the other lacks.
    func doubts(beyond other: Self) -> [String] {
        isBlind ? doubts : doubts.filter { ofMissingEvents.contains($0) || !other.doubts.contains($0) }
    }
}

extension Report {
    /// Events were lost that may have been one of these VMs'.
    fileprivate var hasLost: Bool {
        vms.isEmpty ? !loss.isEmpty : vms.contains { hasLost(ofVM: $0.id) }
    }
}
