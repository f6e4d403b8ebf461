// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_entry`: a vCPU is about to run guest code.
    public struct Entry: Equatable, Sendable {
        public var vcpu: Int32?
        public var rip: UInt64
        /// VM-entry interruption information (6.14 and later): bit 31 valid, bits 7:0 the vector.
        public var intrInfo: UInt32?

        public init(vcpu: Int32?, rip: UInt64 = 0, intrInfo: UInt32? = nil) {
            self.vcpu = vcpu
            self.rip = rip
            self.intrInfo = intrInfo
        }
    }

    /// `kvm_exit` and `kvm_nested_vmexit`, which share their template.
    public struct Exit: Equatable, Sendable {
        /// As recorded: VMX carries flags above bit 15, see ``ExitReason``.
        public var reason: UInt32
        /// 1 VMX, 2 SVM, 3 PVM.
        public var isa: UInt32
        public var vcpu: Int32?
        public var rip: UInt64
        /// VMX: exit qualification. SVM: EXITINFO1.
        public var info1: UInt64
        /// VMX: IDT-vectoring information. SVM: EXITINFO2.
        public var info2: UInt64
        /// VMX: VM-exit interruption information. SVM: EXITINTINFO, the event whose delivery the exit interrupted.
        public var intrInfo: UInt32

        public init(
            reason: UInt32, isa: UInt32 = 1, vcpu: Int32?, rip: UInt64 = 0, info1: UInt64 = 0, info2: UInt64 = 0,
            intrInfo: UInt32 = 0
        ) {
            self.reason = reason
            self.isa = isa
            self.vcpu = vcpu
            self.rip = rip
            self.info1 = info1
            self.info2 = info2
            self.intrInfo = intrInfo
        }
    }

    /// `kvm_cr`: an intercepted move to or from a control register that KVM carries out.
    public struct CRAccess: Equatable, Sendable {
        public var isWrite: Bool
        /// 8 is CR8, bits 7:4 of the task priority.
        public var register: UInt32
        public var value: UInt64

        public init(isWrite: Bool, register: UInt32, value: UInt64) {
            self.isWrite = isWrite
            self.register = register
            self.value = value
        }
    }

    /// `kvm_vcpu_wakeup`: a blocked or polling vCPU goes on.
    public struct VCPUWakeup: Equatable, Sendable {
        public var nanoseconds: UInt64
        /// False: it only polled.
        public var waited: Bool

        public init(nanoseconds: UInt64, waited: Bool) {
            self.nanoseconds = nanoseconds
            self.waited = waited
        }
    }

    /// `kvm_userspace_exit`: KVM_RUN returns to the VMM.
    public struct UserspaceExit: Equatable, Sendable {
        public var reason: UInt32

        public init(reason: UInt32) {
            self.reason = reason
        }
    }

    /// `kvm_smm_transition`: the vCPU enters or leaves system management mode, which ends or restores guest mode.
    public struct SMMTransition: Equatable, Sendable {
        public var vcpu: Int32
        public var entering: Bool

        public init(vcpu: Int32, entering: Bool) {
            self.vcpu = vcpu
            self.entering = entering
        }
    }
}
