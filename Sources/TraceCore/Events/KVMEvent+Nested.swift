// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_nested_vmexit_inject`: L0 hands an exit to L1, which runs next.
    public struct NestedVMExitInject: EventPayload {
        static let tracepoint = Tracepoint("kvm_nested_vmexit_inject", of: Self.self)

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

        init() { self.init(exitCode: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&exitCode, .x64, "exit_code")
            fields.required(&info1, .x64, "exit_info1")
            fields.required(&info2, .x64, "exit_info2")
            fields.required(&intInfo, .x32, "exit_int_info")
            fields.required(&isa, .u32, "isa")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.exitReason(UInt32(truncatingIfNeeded: exitCode), isa: isa, &out)
            text.hex("info1", info1, &out)
            text.hex("info2", info2, &out)
            text.hex("int_info", intInfo, &out)
        }
    }

    /// `kvm_nested_vmenter` (`kvm_nested_vmrun` up to 5.19, on SVM only): L1 starts or resumes L2.
    public struct NestedVMEnter: EventPayload {
        static let tracepoint = Tracepoint("kvm_nested_vmenter", formerly: "kvm_nested_vmrun", of: Self.self)

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

        init() { self.init(isa: nil) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&rip, .x64, "rip")
            fields.required(&nestedRIP, .x64, "nested_rip")
            fields.required(&intCtl, .x32, "int_ctl")
            fields.required(&eventInj, .x32, "event_inj")
            fields.optional(&isa, .u32, "isa")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.hex("rip", rip, &out)
            text.hex("nested_rip", nestedRIP, &out)
            text.hex("int_ctl", intCtl, &out)
            text.hex("event_inj", eventInj, &out)
        }
    }

    /// `kvm_nested_vmenter_failed`: the attempt that `kvm_nested_vmenter` announced did not reach L2.
    public struct NestedVMEnterFailed: EventPayload {
        static let tracepoint = Tracepoint("kvm_nested_vmenter_failed", of: Self.self)

        public var error: UInt32

        public init(error: UInt32 = 0) {
            self.error = error
        }

        init() { self.init(error: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&error, .u32, "err")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("err", error, &out)
        }
    }
}
