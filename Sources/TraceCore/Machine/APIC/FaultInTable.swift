// SPDX-License-Identifier: Apache-2.0

/// KVM's decision on a fault of guest-physical memory, row by row.
///
/// Source: kvm_faultin_pfn and its successors in arch/x86/kvm/mmu/mmu.c, with kvm_handle_noslot_fault and
/// mmu_set_spte: try_async_pf in 5.4 to 5.10, kvm_faultin_pfn in 5.15 to 6.12, kvm_mmu_faultin_pfn from 6.14 on.
public enum FaultInTable {
    /// The three generations of the function that decide differently.
    public enum Generation: CaseIterable, Sendable {
        /// 5.4 to 5.10.
        case tryAsyncPF
        /// 5.15 to 6.8.
        case faultinPFN
        /// 6.12 to 7.3: only the APIC access slot is hidden from L2.
        case slotIDTest
    }

    public enum Slot: Sendable {
        case none
        /// Being moved or deleted.
        case invalid
        case apicAccessPage
        /// KVM's private TSS and identity-map slots.
        case otherPrivate
        case ordinary
    }

    public enum Decision: Equatable, Sendable {
        case retry
        /// Emulated in the same exit, and later accesses hit an MMIO SPTE (EPT_MISCONFIG, RSVD fault).
        case installMMIOSPTEAndEmulate
        /// Emulated with no SPTE and no cache: the next access faults again.
        case emulateOnly
        case map
    }

    public struct Fault: Sendable {
        public var slot: Slot
        public var inL2: Bool
        /// kvm_apicv_activated(kvm): the VM-wide mask is zero.
        public var apicvActivated: Bool
        /// kvm.mmio_caching
        public var mmioCaching: Bool

        public init(slot: Slot, inL2: Bool, apicvActivated: Bool, mmioCaching: Bool = true) {
            self.slot = slot
            self.inL2 = inL2
            self.apicvActivated = apicvActivated
            self.mmioCaching = mmioCaching
        }
    }

    public static func decide(_ fault: Fault, in generation: Generation) -> Decision {
        let noSlot: Decision = fault.mmioCaching ? .installMMIOSPTEAndEmulate : .emulateOnly
        switch (fault.slot, fault.inL2) {
        case (.invalid, _):
            return .retry
        case (.none, _):
            return noSlot
        case (.apicAccessPage, true):
            // L1's APIC page is never mapped into L2, whatever APICv's state.
            return noSlot
        case (.otherPrivate, true):
            return generation == .slotIDTest ? .map : noSlot
        case (.apicAccessPage, false):
            // 5.4 to 5.10 don't look at APICv here.
            return fault.apicvActivated || generation == .tryAsyncPF ? .map : .emulateOnly
        case (.otherPrivate, false), (.ordinary, _):
            return .map
        }
    }
}
