// SPDX-License-Identifier: Apache-2.0

/// The numbers that make findings' ids: a finding keeps its own while a live trace goes on and others pass it in grade.
public struct FindingNumbers: Sendable {
    private struct Cause: Hashable {
        var rule: RuleID
        var vm: Int
        var vcpu: Int?
        /// Only where a vCPU may have several findings of the rule.
        var vector: UInt8?
    }

    private var numbers: [Cause: Int] = [:]

    public init() {}

    /// Counts from 1 in the order in which findings are first asked for.
    public mutating func number(of finding: RuleFinding) -> Int {
        let cause = Cause(
            rule: finding.rule, vm: finding.vm, vcpu: finding.vcpu,
            vector: finding.rule == .stuckISR ? finding.vectors.first : nil)
        if let known = numbers[cause] { return known }
        numbers[cause] = numbers.count + 1
        return numbers.count
    }
}
