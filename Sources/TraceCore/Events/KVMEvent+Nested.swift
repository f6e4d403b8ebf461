// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_nested_vmexit_inject`: L0 hands an exit to L1, which runs next.
    public struct NestedVMExitInject: Equatable, Sendable {
        /// 32 bits before 7.0, 64 from then on.
        public var exitCode: UInt64
        public var info1: UInt64
        public var info2: UInt64
        /// VM-exit interruption information: bit 31 valid, bits 7:0 the vector that L1 acknowledged on exit.
        public var intInfo: UInt32
        public var isa: UInt32

        public init(exitCode: UInt64, info1: UInt64 = 0, info2: UInt64 = 0, intInfo: UInt32 = 0, isa: UInt32 = 1) {
            self.exitCode = exitCode
            self.info1 = info1
            self.info2 = info2
            self.intInfo = intInfo
            self.isa = isa
        }
    }

    /// `kvm_nested_vmenter` (`kvm_nested_vmrun` up to 5.19, on SVM only): L1 starts or resumes L2.
    public struct NestedVMEnter: Equatable, Sendable {
        public var rip: UInt64
        public var nestedRIP: UInt64
        /// VMX: guest interrupt status of vmcs12 (L2's RVI and SVI). SVM: int_ctl.
        public var intCtl: UInt32
        /// The event that L1 injects into L2: bit 31 valid, bits 10:8 type, bits 7:0 vector.
        public var eventInj: UInt32
        /// Absent in `kvm_nested_vmrun`, which only SVM emits.
        public var isa: UInt32?

        public init(
            rip: UInt64 = 0, nestedRIP: UInt64 = 0, intCtl: UInt32 = 0, eventInj: UInt32 = 0, isa: UInt32? = 1
        ) {
            self.rip = rip
            self.nestedRIP = nestedRIP
            self.intCtl = intCtl
            self.eventInj = eventInj
            self.isa = isa
        }
    }

    /// `kvm_nested_vmenter_failed`: the attempt that `kvm_nested_vmenter` announced did not reach L2.
    public struct NestedVMEnterFailed: Equatable, Sendable {
        public var error: UInt32

        public init(error: UInt32 = 0) {
            self.error = error
        }
    }
}
