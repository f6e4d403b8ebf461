// SPDX-License-Identifier: Apache-2.0

/// What changed from one recording to another, in the shape of the JSON of `apictrace diff --json`.
///
/// It is made of two reports and of nothing else, and it grades nothing anew: what is lost, exposed or not known is what the reports
/// say. Property names are the JSON keys. Of counts and accesses only those are listed that differ.
public struct Comparison: Codable, Equatable, Sendable {
    public var schemaVersion = Comparison.version
    static let version = "1.0"
    public var tool: Report.Tool
    public var outcome: Outcome
    /// What the outcome rests on, a sentence each, the most important first; for people.
    public var reasons: [String]
    /// Why less may follow from it than it seems; for people.
    public var doubts: [String]
    /// The recording that is compared with, such as the one before a change.
    public var a: Side
    public var b: Side
    public var findings: [FindingChange]
    /// Pairs in the order of A's VMs, then VMs that only B has.
    public var vms: [VMPair]
    public var observations: [ObservationChange]

    public enum Outcome: String, CaseIterable, Codable, Sendable {
        /// No figure that is compared differs.
        case same
        /// Nothing is worse, and nothing that is trouble is gone.
        case notWorse = "not-worse"
        case better
        case worse
        /// Something is worse, and something as grave is better.
        case mixed
        /// The recordings don't show which of them is worse.
        case incomparable
    }

    /// A value of either recording; nil where that one has none or can't show it.
    public struct Pair<Value: Codable & Equatable & Sendable>: Codable, Equatable, Sendable {
        @ExplicitNull public var a: Value?
        @ExplicitNull public var b: Value?

        public init(a: Value?, b: Value?) {
            self.a = a
            self.b = b
        }
    }
}

extension Comparison {
    /// One of the two recordings.
    public struct Side: Codable, Equatable, Sendable {
        /// Nil for standard input.
        @ExplicitNull public var path: String?
        public var format: String
        /// The traced host's `uname` line; empty where the trace has none.
        public var kernel: String
        public var clock: Report.Clock
        /// The traced time in the clock's unit: all of it, or what the user asked for.
        public var duration: UInt64
        /// Records that were read.
        public var events: UInt64
        public var host: Report.Host
        @ExplicitNull public var selection: Report.Selection?
        public var verdict: Grade
        /// Why this recording may show less than happened, a sentence each.
        public var doubts: [String]
    }

    /// How much of something, and how often.
    public struct Count: Codable, Equatable, Sendable {
        public var count: UInt64
        /// Of traced time; nil where the clock counts no nanoseconds.
        @ExplicitNull public var perSecond: Double?
    }
}

extension Comparison {
    /// A cause that one of the recordings shows or both do.
    public struct FindingChange: Codable, Equatable, Sendable {
        public var rule: RuleID
        public var change: Change
        /// What it makes of B beside A.
        public var effect: Effect
        /// The effect follows for certain: what doesn't show would have shown.
        public var certain: Bool
        /// What changed, and what shows it, in a sentence or two; for people.
        public var text: String
        @ExplicitNull public var a: FindingSide?
        @ExplicitNull public var b: FindingSide?
    }

    public enum Change: String, CaseIterable, Codable, Sendable {
        /// Only B shows it, or only A.
        case new, gone
        /// It has a higher grade in B, or a lower one.
        case graver, milder
        /// Of the same grade, with other vectors.
        case moved
        case same
    }

    public enum Effect: String, CaseIterable, Codable, Sendable {
        case better, worse, none
    }

    /// What of a finding is compared; the report has all of it.
    public struct FindingSide: Codable, Equatable, Sendable {
        /// ``Report/Finding/id``.
        public var id: String
        public var grade: Grade
        @ExplicitNull public var vm: Int?
        @ExplicitNull public var vcpu: Int32?
        public var first: UInt64
        public var count: UInt64
        public var vectors: [String]
        public var stuck: [String]
        public var crossings: [Report.Crossing]
    }

    /// How many observations of a kind there are; nobody grades them.
    public struct ObservationChange: Codable, Equatable, Sendable {
        public var kind: Observation.Kind
        public var a: Int
        public var b: Int
    }
}

extension Comparison {
    /// A VM of A and the one of B that is held against it; either is nil where there is none.
    public struct VMPair: Codable, Equatable, Sendable {
        public var matchedBy: VMMatch
        @ExplicitNull public var a: VMName?
        @ExplicitNull public var b: VMName?
        public var apicv: Pair<APICvHistory>
        /// For each level first all of its exits, then each reason, those with the largest difference first.
        public var exits: [ExitChange]
        public var apicAccess: [AccessChange]
        public var vcpus: [VCPUPair]
    }

    /// What tells that two VMs are to be held against each other.
    public enum VMMatch: String, CaseIterable, Codable, Sendable {
        /// The same process.
        case process
        /// The same name of the guest, which no other VM has.
        case guest
        /// The same command, which no other VM runs.
        case command
        /// They alone of those that are left run an L2.
        case nested
        /// The same command; of several that run it, in the order in which they appear.
        case order
        /// The number that the report gave them, as one of them has no name.
        case number
        /// They are the only ones that are left.
        case only
        /// It has no counterpart.
        case none
    }

    public struct VMName: Codable, Equatable, Sendable {
        /// ``Report/VM/id``.
        public var id: Int
        @ExplicitNull public var pid: Int32?
        @ExplicitNull public var command: String?
        @ExplicitNull public var guest: String?
    }

    /// APICv's states over time.
    public struct APICvHistory: Codable, Equatable, Sendable {
        /// Each state once, in the order in which they first came.
        public var states: [APICvTotal]
        /// How often one followed another, as far as the report lists them.
        public var changes: Int
        /// The report's list.
        public var intervals: [Report.APICvInterval]
    }

    public struct APICvTotal: Codable, Equatable, Sendable {
        public var state: APICvTimeline.State
        public var mask: String
        public var inhibits: [String]
        public var inferred: Bool
        /// In the clock's unit.
        public var duration: UInt64
        /// Of the time for which the VM's state is listed, 0 to 1.
        public var share: Double
    }

    public struct ExitChange: Codable, Equatable, Sendable {
        public var level: ExitLevel
        /// KVM's name; nil for all of the level.
        @ExplicitNull public var reason: String?
        @ExplicitNull public var a: Count?
        @ExplicitNull public var b: Count?
    }

    /// At which level an exit was, as far as that can be told.
    public enum ExitLevel: String, CaseIterable, Codable, Sendable {
        case l1, l2, unknown
    }

    public struct AccessChange: Codable, Equatable, Sendable {
        public var kind: AccessKind
        /// KVM's name of the register; nil for all of the kind.
        @ExplicitNull public var register: String?
        @ExplicitNull public var a: Report.RegisterAccess?
        @ExplicitNull public var b: Report.RegisterAccess?
    }

    /// Who accesses an APIC, and who serves it: the keys of ``Report/APICAccessReport``.
    public enum AccessKind: String, CaseIterable, Codable, Sendable {
        case l1, l2Direct, l2Hooked, l2Own
    }
}

extension Comparison {
    public struct VCPUPair: Codable, Equatable, Sendable {
        public var matchedBy: VCPUMatch
        @ExplicitNull public var a: VCPUName?
        @ExplicitNull public var b: VCPUName?
        public var ipisSent: Pair<UInt64>
        /// In ascending order.
        public var interrupts: [VectorChange]
    }

    public enum VCPUMatch: String, CaseIterable, Codable, Sendable {
        case number
        /// The order in which they appear, as one of them has no number.
        case order
        /// It has no counterpart.
        case none
    }

    public struct VCPUName: Codable, Equatable, Sendable {
        @ExplicitNull public var id: Int32?
        @ExplicitNull public var tid: Int32?
    }

    public struct VectorChange: Codable, Equatable, Sendable {
        public var vector: String
        @ExplicitNull public var a: VectorSide?
        @ExplicitNull public var b: VectorSide?
    }

    public struct VectorSide: Codable, Equatable, Sendable {
        public var fate: Fate
        /// Nil where the report names the vector in a finding alone.
        @ExplicitNull public var ledger: Report.InterruptLine?
    }

    /// What became of a vector, the first that applies.
    public enum Fate: String, CaseIterable, Codable, Sendable {
        /// A finding of grade suspect or confirmed has it among its lost vectors.
        case lost
        /// A finding says that it stays in service.
        case stuck
        /// A finding of a lower grade has it among those that wait.
        case waiting
        /// It was acknowledged or ended, and at the end some of it waits.
        case outstanding
        /// It was acknowledged or ended.
        case delivered
        /// It was accepted; the trace shows neither an acknowledge nor an EOI of it.
        case accepted
        /// The ledger has a line for it that counts nothing of these.
        case unseen
    }
}
