// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What must hold of every recording and whatever is done to it. Each is a promise of docs/grades.md.
package enum Invariant: String, CaseIterable, Comparable, Sendable {
    /// A recording that shows a loss is never clean: not begun late, cut, filtered, thinned, nor read any other way.
    case falseAllClear = "false all-clear"
    /// A whole healthy recording is at most exposed, and at most a hazard where a crossing stands on a kernel that isn't known
    /// to be fixed. A part of one, and one on another kernel or with other times, is at most a hazard.
    case scare
    /// Less evidence never raises a grade. Two rises are named, to a hazard at most: a tail cut within a wait leaves a wait
    /// without its end, and what is missing may be what excused a wait or an access (such as an inhibit), or proved the fix.
    /// No crossing comes of less evidence, nor an access, unless records are missing of which nothing tells.
    case rise
    /// Where records were lost and say so, a recording of a VM in which an L2 ran on VMX is never clean: the loss may hold the
    /// finding, and L2 itself.
    case gapAllClear = "all-clear despite lost events"
    /// Fewer kinds of event make nothing clean that isn't clean with all, as long as something shows an L2 on VMX: what would
    /// show it may be what is missing.
    case filterAllClear = "all-clear by filter"
    /// Other ids of threads, CPUs and vCPUs change neither a grade nor a finding.
    case renumbering
    /// VMs side by side whose threads GUEST options tell apart are graded as each alone: the verdict is the graver one.
    /// Interrupts accepted in hard interrupt context, or from threads that run no vCPU, may be any VM's then: what
    /// rests on them is graded lower, and never clean.
    case neighbours
    /// Each evidence line is a record: its event, at its time, on its CPU, of its thread.
    case evidence
    /// Written to a file and read back, the recording gives the same findings.
    case file

    package static func < (left: Invariant, right: Invariant) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}

extension Invariant {
    /// An invariant that was broken, and how.
    struct Breach {
        var invariant: Invariant
        var what: String
        /// What such breaches have in common, where it isn't the attack.
        var group: String?
    }

    /// The invariants that a judgement breaks.
    /// - Parameter whole: of the recording before it was changed.
    static func broken(
        by judgement: Judgement, of recording: HeldRecording, whole: Judgement
    ) -> [Breach] {
        var broken: [Breach] = []
        let verdict = judgement.verdict
        func breaks(_ invariant: Invariant, if isBroken: Bool, _ what: @autoclosure () -> String) {
            if isBroken { broken.append(Breach(invariant: invariant, what: what())) }
        }
        // What the whole recording does wrong already is reported once.
        let isChanged = !recording.changes.isEmpty
        let isKnown = isChanged && whole.verdict == .clean
        breaks(.falseAllClear, if: recording.showsLoss && verdict == .clean && !isKnown, "clean")
        if recording.truth.loss == nil {
            let bound = recording.isWhole ? recording.truth.bound : .hazard
            let known = isChanged && whole.verdict > recording.truth.bound ? whole.verdict : .clean
            breaks(
                .scare, if: verdict > max(bound, known, recording.tolerated ?? .clean), "\(verdict), at most \(bound)")
        }
        if broken.isEmpty, recording.onlyHasLess, judgement.rises(above: whole) {
            breaks(
                .rise, if: !judgement.hasNamedRise(above: whole, of: recording),
                "\(verdict), the whole recording \(whole.verdict)")
        }
        breaks(
            .gapAllClear, if: recording.hasGap && recording.ranL2OnVMX && verdict == .clean, "clean")
        if recording.changes == [.filtered], recording.showsL2, verdict == .clean, whole.verdict > .inconclusive {
            broken.append(Breach(invariant: .filterAllClear, what: "clean", group: "\(whole.verdict) with all kinds"))
        }
        if recording.changes == [.renumbered] {
            let isSame = verdict == whole.verdict && judgement.essence == whole.essence
            breaks(.renumbering, if: !isSame, "was \(whole.summary)")
        }
        if let expected = recording.expected {
            let isKept =
                verdict == expected
                || recording.hasAcceptsOfAnyVM && verdict > .clean && verdict <= max(expected, .inconclusive)
            breaks(.neighbours, if: !isKept, "\(verdict), not \(expected)")
        }
        return broken
            + judgement.inventedEvidence(in: recording).map { rule, line in
                Breach(
                    invariant: .evidence,
                    what:
                        "\(line.event) at \(line.time) of CPU \(line.cpu ?? -1), thread \(line.tid ?? -1): \(line.text)",
                    group: "\(rule.rawValue): \(line.event)")
            }
    }
}

extension HeldRecording {
    /// Nothing of it is missing, and no other kernel or clock recorded it.
    fileprivate var isWhole: Bool {
        changes.isSubset(of: [.renumbered, .joined]) && !(changes.contains(.joined) && hasAcceptsOfAnyVM)
    }

    fileprivate var showsL2: Bool { items.contains { $0.event?.isSignOfL2OnVMX ?? false } }

    /// Some of its interrupts were accepted in hard interrupt context, on whatever thread that hit, or from a thread that
    /// runs no vCPU.
    fileprivate var hasAcceptsOfAnyVM: Bool {
        var running: Set<Int32> = []
        for item in items {
            switch item.event {
            case .entry, .exit: running.insert(item.stamp.tid)
            default: break
            }
        }
        return items.contains { item in
            guard case .apicAcceptIRQ(let accept) = item.event else { return false }
            return accept.inHardIRQ || !running.contains(item.stamp.tid)
        }
    }

    /// A loss that is marked, and not cut off with what it was in.
    fileprivate var hasGap: Bool { changes.contains(.lost) && items.contains(where: \.isGap) }

    var onlyHasLess: Bool { changes.isSubset(of: [.cut, .filtered, .thinned, .lost, .renumbered]) }
}

extension Judgement {
    /// It claims more of a part than of the whole. A whole with gaps is no measure: what they touch was never concluded.
    func rises(above whole: Judgement) -> Bool {
        let isWhole = whole.report.loss.gapsTotal == 0 && whole.report.source.cut == nil
        return isWhole && verdict > max(whole.verdict, .inconclusive)
    }

    func hasNamedRise(above whole: Judgement, of recording: HeldRecording) -> Bool {
        if verdict > .hazard { return false }
        // One record that no gap accounts for, such as an injection, can make a crossing of what was none.
        if recording.changes.contains(.thinned) { return true }
        if whole.provesFix && !provesFix || whole.hasInhibits { return true }
        let risen = report.findings.filter { $0.grade > whole.verdict }
        return risen.allSatisfy { $0.grade == .hazard && $0.crossings.isEmpty }
    }

    private var provesFix: Bool {
        report.host.sviFix.state == .present && report.host.sviFix.basis == .behaviour
    }

    /// APICv wasn't known to be active all the time, beyond a VM's creation: that excuses crossings and accesses.
    private var hasInhibits: Bool {
        report.vms.contains { vm in
            vm.apicv.last?.state != .active || vm.apicv.dropFirst().contains { $0.state != .active }
        }
    }
}
