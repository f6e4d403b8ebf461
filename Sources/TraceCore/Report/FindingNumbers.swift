// SPDX-License-Identifier: Apache-2.0

/// The numbers that make findings' ids: a finding keeps its own while a live trace goes on and others pass it in grade.
public struct FindingNumbers: Sendable {
    private struct Cause: Hashable {
        var rule: RuleID
        /// The VM's serial: its place may be another one's by now.
        var vm: Int
        var vcpu: VCPUIndex?
        /// Only where a vCPU may have several findings of the rule.
        var vector: UInt8?
    }

    private struct Known {
        var number: Int
        /// The highest grade that was reported.
        var reported: Grade?
    }

    private var known: [Cause: Known] = [:]
    private var latest = 0
    /// With so many it is worth looking for those of VMs that are gone.
    private var limit = Self.leastLimit

    private static let leastLimit = 1024

    public init() {}

    /// How many are remembered.
    var count: Int { known.count }

    /// Counts from 1 in the order in which findings are first asked for.
    public mutating func number(of finding: RuleFinding, in machine: borrowing Machine) -> Int {
        let cause = cause(of: finding, in: machine)
        if let known = known[cause] { return known.number }
        if known.count >= limit {
            let serials = Set(machine.vms.elements.filter { !$0.isVacant }.map(\.serial))
            known = known.filter { serials.contains($0.key.vm) }
            limit = max(Self.leastLimit, 2 * known.count)
        }
        latest += 1
        known[cause] = Known(number: latest)
        return latest
    }

    /// Marks it as reported with its grade. True where it was not before, or with a lower grade.
    public mutating func markReported(_ finding: RuleFinding, in machine: borrowing Machine) -> Bool {
        _ = number(of: finding, in: machine)
        let cause = cause(of: finding, in: machine)
        guard known[cause]?.reported.map({ $0 < finding.grade }) ?? true else { return false }
        known[cause]?.reported = finding.grade
        return true
    }

    private func cause(of finding: RuleFinding, in machine: borrowing Machine) -> Cause {
        Cause(
            rule: finding.rule, vm: machine.vms[finding.vm].serial, vcpu: finding.vcpu,
            vector: finding.rule == .stuckISR ? finding.vectors.first : nil)
    }
}
