// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_page_fault`: an EPT violation or a nested page fault that KVM handles.
    public struct PageFault: Equatable, Sendable {
        public var vcpu: Int32?
        /// A guest-physical address of the level that runs (a virtual one under shadow paging).
        public var address: UInt64
        /// VMX: raw exit qualification. SVM: PFERR bits.
        public var errorCode: UInt64

        public init(vcpu: Int32? = nil, address: UInt64, errorCode: UInt64) {
            self.vcpu = vcpu
            self.address = address
            self.errorCode = errorCode
        }
    }

    /// `mark_mmio_spte`: an MMIO SPTE is installed for a guest frame of L1.
    public struct MarkMMIOSPTE: Equatable, Sendable {
        public var gfn: UInt64

        public init(gfn: UInt64) {
            self.gfn = gfn
        }
    }

    /// `handle_mmio_page_fault`: a fault that hit a valid MMIO SPTE.
    public struct HandleMMIOPageFault: Equatable, Sendable {
        /// Guest-physical address of the level that runs, 0 where KVM doesn't know it.
        public var address: UInt64
        /// Guest frame of L1.
        public var gfn: UInt64

        public init(address: UInt64, gfn: UInt64) {
            self.address = address
            self.gfn = gfn
        }
    }

    /// `kvm_mmu_set_spte`: an ordinary SPTE is installed.
    public struct MMUSetSPTE: Equatable, Sendable {
        public var gfn: UInt64

        public init(gfn: UInt64) {
            self.gfn = gfn
        }
    }

    /// `kvm_mmio`: one emulated access to memory that KVM does not map.
    public struct MMIO: Equatable, Sendable {
        /// 0 unsatisfied read, 1 read, 2 write.
        public var type: UInt32
        public var length: UInt32
        /// A guest-physical address of L1, whichever level ran.
        public var gpa: UInt64
        public var value: UInt64

        public init(type: UInt32, length: UInt32 = 4, gpa: UInt64, value: UInt64 = 0) {
            self.type = type
            self.length = length
            self.gpa = gpa
            self.value = value
        }
    }
}
