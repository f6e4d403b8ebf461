// SPDX-License-Identifier: Apache-2.0

/// What a rule found on one vCPU or VM, before it is put into words.
public struct RuleFinding: Equatable, Sendable {
    public var rule: RuleID
    public var grade: Grade
    /// Index of the VM, and of the vCPU where the finding is one vCPU's.
    public var vm: VMIndex
    public var vcpu: VCPUIndex?
    public var first: UInt64
    public var last: UInt64
    /// Of what the rule counts: accesses, crossings, lost vectors' accepts, mask changes.
    public var count: UInt64
    /// A step of the reasoning is concluded rather than seen.
    public var inferred = false
    public var registers = APICAccessCounts()
    /// The vectors that were lost.
    public var vectors: [UInt8] = []
    /// Vectors that stay in service though they were received and ended: what blocks the lost ones.
    public var stuck: [UInt8] = []
    public var crossings: [Crossing] = []
    public var symptoms: [RuleID] = []
    public var evidence = EvidenceLog()
    /// What happened, in a sentence or two.
    public var statement: String
    /// What this finding can't claim.
    public var limits: [Limit] = []

    /// Another one has the same cause on the same vCPU: its grade, facts and evidence go into this one.
    mutating func absorb(_ other: RuleFinding) {
        // The graver one counts its own thing; a doubt of the lesser one no longer stands.
        if other.grade > grade {
            (count, limits) = (other.count, other.limits)
        } else if other.grade == grade {
            limits += other.limits
        }
        (grade, first, last) = (max(grade, other.grade), min(first, other.first), max(last, other.last))
        inferred = inferred || other.inferred
        registers.add(other.registers)
        vectors = Set(vectors + other.vectors).sorted()
        stuck = Set(stuck + other.stuck).sorted()
        crossings += other.crossings
        let rules = other.symptoms + (other.rule == rule ? [] : [other.rule])
        for symptom in rules where !symptoms.contains(symptom) { symptoms.append(symptom) }
        evidence.add(other.evidence)
        statement += " " + other.statement
    }
}
