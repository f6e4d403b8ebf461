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
    /// without its end, and a cut or a filter may take what excused a wait, or what proved the fix.
    case rise
    /// Where records were lost and say so, a recording of a VM in which an L2 ran on VMX is never clean: the loss may hold the
    /// finding, and L2 itself.
    case gapAllClear = "all-clear despite lost events"
    /// Fewer kinds of event make nothing clean that isn't clean with all: what would show it may be what is missing.
    case filterAllClear = "all-clear by filter"
    /// Other ids of threads, CPUs and vCPUs change neither a grade nor a finding.
    case renumbering
    /// VMs side by side whose threads GUEST options tell apart are graded as each alone: the verdict is the graver one.
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
        // What the whole recording does wrong already is told once.
        let isChanged = !recording.changes.isEmpty
        let isKnown = isChanged && whole.verdict == .clean
        breaks(.falseAllClear, if: recording.showsLoss && verdict == .clean && !isKnown, "clean")
        if recording.truth.loss == nil {
            let bound = recording.isWhole ? recording.truth.bound : .hazard
            let known = isChanged && whole.verdict > recording.truth.bound ? whole.verdict : .clean
            breaks(
                .scare, if: verdict > max(bound, known, recording.tolerated ?? .clean), "\(verdict), at most \(bound)")
        } else if recording.onlyHasLess {
            breaks(
                .rise, if: verdict > max(whole.verdict, .hazard), "\(verdict), the whole recording \(whole.verdict)")
        }
        breaks(
            .gapAllClear, if: recording.changes.contains(.lost) && recording.ranL2OnVMX && verdict == .clean, "clean")
        if recording.changes == [.filtered], verdict == .clean, whole.verdict > .inconclusive {
            broken.append(Breach(invariant: .filterAllClear, what: "clean", group: "\(whole.verdict) with all kinds"))
        }
        if recording.changes == [.renumbered] {
            let isSame = verdict == whole.verdict && judgement.essence == whole.essence
            breaks(.renumbering, if: !isSame, "was \(whole.summary)")
        }
        if let expected = recording.expected {
            breaks(.neighbours, if: verdict != expected, "\(verdict), not \(expected)")
        }
        return broken
            + judgement.inventedEvidence(in: recording).map { rule, line in
                Breach(
                    invariant: .evidence,
                    what: "\(line.event) at \(line.time) of CPU \(line.cpu), thread \(line.tid): \(line.text)",
                    group: "\(rule.rawValue): \(line.event)")
            }
    }
}

extension HeldRecording {
    /// Nothing of it is missing, and no other kernel or clock recorded it.
    fileprivate var isWhole: Bool { changes.isSubset(of: [.renumbered, .joined]) }

    var onlyHasLess: Bool { changes.isSubset(of: [.cut, .filtered, .thinned, .lost, .renumbered]) }
}
