// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// A virtual machine: a process of the host, or threads of it that belong together.
    public struct VM: Codable, Equatable, Sendable {
        /// Unique within the report.
        public var id: Int
        @ExplicitNull public var pid: Int32?
        @ExplicitNull public var command: String?
        /// The guest's own name, where live tracing learned it.
        @ExplicitNull public var guest: String?
        /// The VM-wide APICv state over time, without holes.
        public var apicv: [APICvInterval]
        /// Whose local APIC L2 reaches for: L1's own, or one that L1 makes up for it.
        public var apicOfL2: APICOfL2.Kind
        /// Events that were lost and are known to have been this VM's, or another's of its process; nil, and no key, for none.
        public var eventsLost: UInt64?
        public var vcpus: [VCPU]
    }

    /// VMs that ended while the trace went on and left nothing to tell, added up.
    public struct EndedVMs: Codable, Equatable, Sendable {
        public var vms: Int
        public var vcpus: Int
        public var exits: ExitCounts
        public var apicAccess: APICAccessReport
        @ExplicitNull public var ipisSent: UInt64?
        public var accepted: LevelCounts
        public var acknowledged: LevelCounts
        public var ended: LevelCounts
    }

    /// A stretch of time with one inhibit mask.
    public struct APICvInterval: Codable, Equatable, Sendable {
        public var from: UInt64
        public var to: UInt64
        public var state: APICvTimeline.State
        /// `0x0` also where the state is unknown.
        public var mask: String
        /// Names of the mask's bits by the traced kernel's own numbering.
        public var inhibits: [String]
        /// Concluded from other events rather than recorded.
        public var inferred: Bool
        @ExplicitNull public var setBy: SetBy?
    }

    /// The thread that changed the inhibit mask.
    public struct SetBy: Codable, Equatable, Sendable {
        public var tid: Int32
    }
}
