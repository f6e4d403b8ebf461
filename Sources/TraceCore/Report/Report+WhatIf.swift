// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// What a policy that KVM doesn't have would have changed, told from the trace of a KVM without it.
    public struct WhatIf: Codable, Equatable, Sendable {
        public var policy: InhibitPolicy
        public var vms: [VM]
        /// What a replay can't know.
        public var limits: [String]
    }
}

extension Report.WhatIf {
    public struct VM: Codable, Equatable, Sendable {
        /// ``Report/VM/id``.
        public var vm: Int
        public var outcome: Outcome
        /// What would have set the inhibit, and when; nil where nothing would.
        @ExplicitNull public var trigger: Report.Evidence?
        /// An earlier fault may be missing: the inhibit would have come then at the latest.
        public var isLate: Bool
        /// L2's accesses to the page from then on: emulated, with the inhibit and without.
        public var l2Direct: Report.APICAccesses
        /// Findings of lost interrupts, graver than `exposed`.
        public var findings: [Finding]
        /// Nil where nothing would have been inhibited, and where accepted interrupts were not recorded.
        @ExplicitNull public var cost: Cost?
    }

    public enum Outcome: String, CaseIterable, Codable, Sendable {
        /// APICv would have been inhibited from the trigger on.
        case inhibited
        /// L2 never reached the page: the trace has all of the VM's life so far, and would show it.
        case notReached = "not-reached"
        /// APICv was inhibited whenever L2 reached the page.
        case alreadyInhibited = "already-inhibited"
        /// The trace doesn't tell.
        case unknown
    }

    public struct Finding: Codable, Equatable, Sendable {
        /// ``Report/Finding/id``.
        public var id: String
        public var path: Path
    }

    /// Where the finding's interrupts would have been.
    public enum Path: String, CaseIterable, Codable, Sendable {
        /// All that shows it came after the inhibit: without APICv there is no SVI that could be stale.
        case emulated
        /// Some of what shows it came before the inhibit.
        case before
        /// The trace shows no cause, or not whether that came before the inhibit.
        case unknown
    }

    /// What the inhibit would have cost while nothing else inhibited APICv.
    public struct Cost: Codable, Equatable, Sendable {
        /// How long that was, in the clock's unit; nil where the clock measures no durations.
        @ExplicitNull public var duration: UInt64?
        /// Exits that were recorded meanwhile, of all levels.
        public var exits: UInt64
        /// Interrupts that L1's APIC accepted.
        public var accepted: UInt64
        /// Those of them that were merged with one that waited: they are never ended by themselves.
        public var coalesced: UInt64
        /// EOIs that would be exits only then: of interrupts that were accepted, not merged, and that no recorded EOI ended.
        public var eoiExits: UInt64
        /// Deliveries that would be exits only then: of interrupts that hardware may have delivered while the guest ran.
        public var deliveryExits: UInt64
    }
}
