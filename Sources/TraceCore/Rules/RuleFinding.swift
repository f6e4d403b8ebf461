// SPDX-License-Identifier: Apache-2.0

/// What a rule found on one vCPU or VM, before it is put into words.
public struct RuleFinding: Equatable, Sendable {
    public var rule: RuleID
    public var grade: Grade
    /// Index of the VM, and of the vCPU where the finding is one vCPU's.
    public var vm: Int
    public var vcpu: Int?
    public var first: UInt64
    public var last: UInt64
    /// Of what the rule counts: accesses, crossings, lost vectors' accepts, mask changes.
    public var count: UInt64
    /// A step of the reasoning is concluded rather than seen.
    public var inferred = false
    public var registers = APICAccessCounts()
    /// The vectors that were lost or are stuck; those that crossed where nothing was lost yet.
    public var vectors: [UInt8] = []
    public var crossings: [Crossing] = []
    public var symptoms: [RuleID] = []
    public var evidence = EvidenceLog()
    /// What happened, in a sentence or two.
    public var statement: String
    /// What this finding can't claim.
    public var limits: [String] = []
}
