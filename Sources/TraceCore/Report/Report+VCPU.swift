// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// One virtual CPU and what it did at each level.
    public struct VCPU: Codable, Equatable, Sendable {
        @ExplicitNull public var id: Int32?
        public var tid: Int32
        public var exits: ExitCounts
        public var apicAccess: APICAccessReport
        /// `kvm_apic_ipi` events of this sender, INIT and SIPI included.
        @ExplicitNull public var ipisSent: UInt64?
        public var ipis: [IPI]
        public var interrupts: [InterruptLine]
    }

    /// Exits by KVM's name of the reason, for each level that exited.
    public struct ExitCounts: Codable, Equatable, Sendable {
        public var l1: [String: UInt64] = [:]
        public var l2: [String: UInt64] = [:]
        public var unknown: [String: UInt64] = [:]
    }

    /// Accesses to L1's local APIC, by who made them and who served them.
    public struct APICAccessReport: Codable, Equatable, Sendable {
        public var l1: APICAccesses
        /// By L2, served by KVM; counted with APICv off too.
        public var l2Direct: APICAccesses
        /// By L2, served by L1, which hooks the page.
        public var l2Hooked: APICAccesses
        /// By L2 on an APIC that L1 makes up for it, served by L1: no business of L1's own APIC.
        public var l2Own: APICAccesses
    }

    public struct APICAccesses: Codable, Equatable, Sendable {
        @ExplicitNull public var reads: UInt64?
        @ExplicitNull public var writes: UInt64?
        public var registers: [String: RegisterAccess]
    }

    public struct RegisterAccess: Codable, Equatable, Sendable {
        public var reads: UInt64 = 0
        public var writes: UInt64 = 0
    }

    /// IPIs of one sender that have destination, vector and delivery mode in common.
    public struct IPI: Codable, Equatable, Sendable {
        /// `dest_id` of `kvm_apic_ipi`: of no meaning where the ICR uses a shorthand.
        public var dest: UInt32
        public var vector: String
        public var mode: DeliveryMode
        public var count: UInt64
    }
}
