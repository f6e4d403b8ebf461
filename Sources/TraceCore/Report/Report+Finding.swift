// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// One cause, with the events that show it and what follows from it.
    public struct Finding: Codable, Equatable, Sendable {
        /// Unique within the report.
        public var id: String
        public var rule: RuleID
        public var grade: Grade
        /// ``VM/id``.
        @ExplicitNull public var vm: Int?
        /// ``VCPU/id``.
        @ExplicitNull public var vcpu: Int32?
        public var first: UInt64
        public var last: UInt64
        public var count: UInt64
        /// Part of it was concluded rather than recorded.
        public var inferred: Bool
        /// APIC registers that were touched, by KVM's names (`EOI`, `ICR`, ...).
        public var registers: [String: RegisterAccess]
        /// The troubled vectors, in ascending order.
        public var vectors: [String]
        /// The vectors that stay in service and block those.
        public var stuck: [String]
        public var crossings: [Crossing]
        /// Ids of rules that the same cause trips.
        public var symptoms: [String]
        public var evidenceTotal: UInt64
        /// The first events of the chain and those that decide, in time order.
        public var evidence: [Evidence]
        /// What happened, in a sentence or two; for people.
        public var explanation: String
        public var advice: String
        public var references: [String]
        /// The texts of ``unknowns``.
        public var limits: [String]
        /// What this finding does not know, and which events would tell.
        public var unknowns: [Unknown]
    }

    /// A vector that one level acknowledged and the other ended.
    public struct Crossing: Codable, Equatable, Sendable {
        public var vector: String
        public var ackLevel: Level
        public var eoiLevel: Level
        public var inferred: Bool
    }

    public enum Level: String, CaseIterable, Codable, Sendable {
        case l1, l2
    }

    /// One recorded event that a finding rests on.
    public struct Evidence: Codable, Equatable, Sendable {
        public var time: UInt64
        public var cpu: Int32
        public var tid: Int32
        /// The tracepoint's own name.
        public var event: String
        public var text: String
    }
}
