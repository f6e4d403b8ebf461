// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_apic`: KVM reads or writes a local APIC register on the guest's behalf.
    public struct APICAccess: Equatable, Sendable {
        public var isWrite: Bool
        /// xAPIC offset, also for x2APIC MSRs.
        public var register: UInt32
        public var value: UInt64

        public init(isWrite: Bool, register: UInt32, value: UInt64 = 0) {
            self.isWrite = isWrite
            self.register = register
            self.value = value
        }
    }

    /// `kvm_msr`: an intercepted RDMSR or WRMSR.
    public struct MSRAccess: Equatable, Sendable {
        public var isWrite: Bool
        public var index: UInt32
        public var value: UInt64
        /// The access raised #GP.
        public var exception: Bool

        public init(isWrite: Bool, index: UInt32, value: UInt64 = 0, exception: Bool = false) {
            self.isWrite = isWrite
            self.index = index
            self.value = value
            self.exception = exception
        }
    }

    /// `kvm_apic_ipi`: an emulated ICR write sends an IPI.
    public struct APICIPI: Equatable, Sendable {
        public var icrLow: UInt32
        public var destination: UInt32

        public init(icrLow: UInt32, destination: UInt32) {
            self.icrLow = icrLow
            self.destination = destination
        }
    }

    /// `kvm_apic_accept_irq` and `kvm_apicv_accept_irq`: a local APIC is offered an interrupt (an attempt, not a delivery).
    public struct APICAcceptIRQ: Equatable, Sendable {
        /// The target's vCPU id (the tracepoint calls it apicid).
        public var vcpu: UInt32
        /// Delivery mode as in ICR bits 10:8, e.g. 0x000 fixed, 0x500 INIT, 0x600 SIPI.
        public var deliveryMode: UInt16
        public var vector: UInt8
        /// Offered by the handler of a hardware interrupt, which says nothing of whose thread it interrupted.
        public var inHardIRQ: Bool

        public init(vcpu: UInt32, deliveryMode: UInt16 = 0, vector: UInt8, inHardIRQ: Bool = false) {
            self.vcpu = vcpu
            self.deliveryMode = deliveryMode
            self.vector = vector
            self.inHardIRQ = inHardIRQ
        }
    }

    /// `kvm_inj_virq`: KVM injects an interrupt at the next VM entry.
    public struct InjVIRQ: Equatable, Sendable {
        public var vector: UInt32
        /// A software interrupt (INT n) rather than an external one; absent before 6.0.
        public var soft: Bool?
        /// The event was interrupted by an exit and is injected again; absent before 6.0.
        public var reinjected: Bool?

        public init(vector: UInt32, soft: Bool? = false, reinjected: Bool? = false) {
            self.vector = vector
            self.soft = soft
            self.reinjected = reinjected
        }
    }

    /// `kvm_eoi` and `kvm_pv_eoi`: an end of interrupt that KVM itself carries out or is told of.
    public struct EOI: Equatable, Sendable {
        /// The vCPU id of the APIC (the tracepoint calls it apicid).
        public var vcpu: UInt32
        /// -1 where no ISR bit was set.
        public var vector: Int32

        public init(vcpu: UInt32, vector: Int32) {
            self.vcpu = vcpu
            self.vector = vector
        }
    }
}
