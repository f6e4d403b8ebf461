// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// One vector's line of a vCPU's interrupt ledger.
    public struct InterruptLine: Codable, Equatable, Sendable {
        public var vector: String
        /// Offered to the local APIC, by the level that ran then: attempts, not deliveries.
        public var accepted: LevelCounts
        /// Taken into service (IRR to ISR).
        public var acknowledged: LevelCounts
        @ExplicitNull public var reinjected: UInt64?
        public var ended: LevelCounts
        /// Accepted while the same vector was already pending, so merged with it.
        @ExplicitNull public var coalesced: UInt64?
        /// Accepted, neither merged nor acknowledged by the end of the trace.
        @ExplicitNull public var outstanding: UInt64?
        /// Why interrupts are outstanding; nil where none are.
        @ExplicitNull public var `class`: InterruptClass?
    }

    public struct LevelCounts: Codable, Equatable, Sendable {
        @ExplicitNull public var l1: UInt64?
        @ExplicitNull public var l2: UInt64?
        @ExplicitNull public var unknown: UInt64?
    }
}
