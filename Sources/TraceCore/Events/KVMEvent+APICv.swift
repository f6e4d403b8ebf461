// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_apicv_inhibit_changed` (5.18 and later). Fires even where nothing changed, so only `inhibits` is to be trusted.
    public struct APICvInhibitChanged: Equatable, Sendable {
        public var reason: Int32
        public var set: Bool
        /// The VM's mask after the change; bit numbers are the kernel's own, see ``InhibitNames``.
        public var inhibits: UInt64

        public init(reason: Int32, set: Bool, inhibits: UInt64) {
            self.reason = reason
            self.set = set
            self.inhibits = inhibits
        }
    }

    /// `kvm_apicv_update_request` (5.10 to 5.15): APICv goes on or off for the whole VM.
    public struct APICvUpdateRequest: Equatable, Sendable {
        public var activate: Bool
        public var bit: UInt64

        public init(activate: Bool, bit: UInt64) {
            self.activate = activate
            self.bit = bit
        }
    }

    /// `kvm_avic_incomplete_ipi`: AVIC hands an IPI back to KVM.
    public struct AVICIncompleteIPI: Equatable, Sendable {
        public var vcpu: UInt32
        public var icrHigh: UInt32
        public var icrLow: UInt32
        /// 0 bad type, 1 target not running, 2 invalid target, 3 bad backing page, 4 bad vector.
        public var id: UInt32

        public init(vcpu: UInt32, icrHigh: UInt32, icrLow: UInt32, id: UInt32) {
            self.vcpu = vcpu
            self.icrHigh = icrHigh
            self.icrLow = icrLow
            self.id = id
        }
    }

    /// `kvm_avic_unaccelerated_access`: AVIC hands an APIC access back to KVM.
    public struct AVICUnacceleratedAccess: Equatable, Sendable {
        public var vcpu: UInt32
        public var offset: UInt32
        public var isWrite: Bool

        public init(vcpu: UInt32, offset: UInt32, isWrite: Bool) {
            self.vcpu = vcpu
            self.offset = offset
            self.isWrite = isWrite
        }
    }

    /// `kvm_avic_doorbell`: a running vCPU is told of a posted interrupt.
    public struct AVICDoorbell: Equatable, Sendable {
        public var vcpu: UInt32

        public init(vcpu: UInt32) {
            self.vcpu = vcpu
        }
    }

    /// `kvm_avic_ga_log`: the IOMMU reports an interrupt for a blocked vCPU.
    public struct AVICGALog: Equatable, Sendable {
        public var vm: UInt32
        public var vcpu: UInt32

        public init(vm: UInt32, vcpu: UInt32) {
            self.vm = vm
            self.vcpu = vcpu
        }
    }

    /// `kvm_avic_kick_vcpu_slowpath` (5.18 and later): KVM looks for an IPI's targets itself and kicks them.
    public struct AVICKickVCPUSlowpath: Equatable, Sendable {
        public var icrHigh: UInt32
        public var icrLow: UInt32
        public var index: UInt32

        public init(icrHigh: UInt32, icrLow: UInt32, index: UInt32) {
            self.icrHigh = icrHigh
            self.icrLow = icrLow
            self.index = index
        }
    }

    /// `kvm_pi_irte_update`: the IOMMU posts a device's interrupt from now on, or no longer (vmx/posted_intr.c).
    public struct PIIRTEUpdate: Equatable, Sendable {
        /// -1 where it is posted to none.
        public var vcpu: Int32
        public var vector: UInt32
        public var set: Bool

        public init(vcpu: Int32, vector: UInt32, set: Bool) {
            self.vcpu = vcpu
            self.vector = vector
            self.set = set
        }
    }
}
