// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_entry`: a vCPU is about to run guest code.
    public struct Entry: EventPayload {
        static let tracepoint = Tracepoint("kvm_entry", of: Self.self)

        public var vcpu: Int32?
        /// 5.10 and later.
        public var rip: UInt64?
        /// VM-entry interruption information (6.14 and later): bit 31 valid, bits 7:0 the vector.
        public var intrInfo: UInt32?

        public init(vcpu: Int32?, rip: UInt64? = 0, intrInfo: UInt32? = nil) {
            self.vcpu = vcpu
            self.rip = rip
            self.intrInfo = intrInfo
        }

        init() { self.init(vcpu: nil, rip: nil) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.optional(&vcpu, .u32, "vcpu_id")
            fields.optional(&rip, .x64, "rip")
            fields.optional(&intrInfo, .x32, "intr_info")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu", vcpu, &out)
            text.hex("rip", rip, &out)
            text.hex("intr_info", intrInfo, &out)
        }
    }

    /// `kvm_exit` and `kvm_nested_vmexit`, which share their template. Up to 5.9 the latter has names of its own for its fields, and
    /// neither names the vCPU.
    public struct Exit: EventPayload {
        static let tracepoint = Tracepoint("kvm_exit", of: Self.self)
        static let nestedTracepoint = Tracepoint("kvm_nested_vmexit", of: Self.self)

        public var rip: UInt64
        /// VMX: exit qualification. SVM: EXITINFO1.
        public var info1: UInt64
        /// VMX: IDT-vectoring information. SVM: EXITINFO2.
        public var info2: UInt64
        /// As recorded: VMX carries flags above bit 15, see ``ExitReason``.
        public var reason: UInt32
        /// 1 VMX, 2 SVM, 3 PVM.
        public var isa: UInt32
        /// VMX: VM-exit interruption information. SVM: EXITINTINFO, the event whose delivery the exit interrupted.
        public var intrInfo: UInt32
        /// Last, since what follows an optional in a struct has its padding copied with it: six instructions an exit.
        public var vcpu: Int32?

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

        init() { self.init(reason: 0, vcpu: nil) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&reason, .x32, "exit_reason", formerly: "exit_code")
            fields.required(&isa, .u32, "isa")
            fields.optional(&vcpu, .u32, "vcpu_id")
            fields.required(&rip, .x64, "guest_rip", formerly: "rip")
            fields.required(&info1, .x64, "info1", formerly: "exit_info1")
            fields.required(&info2, .x64, "info2", formerly: "exit_info2")
            fields.orZero(&intrInfo, .x32, "intr_info", formerly: "exit_int_info")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu", vcpu, &out)
            text.exitReason(reason, isa: isa, &out)
            text.hex("rip", rip, &out)
            text.hex("info1", info1, &out)
            text.hex("info2", info2, &out)
            text.hex("intr_info", intrInfo, &out)
        }
    }

    /// `kvm_cr`: an intercepted move to or from a control register that KVM carries out.
    public struct CRAccess: EventPayload {
        static let tracepoint = Tracepoint("kvm_cr", of: Self.self)

        public var isWrite: Bool
        /// 8 is CR8, bits 7:4 of the task priority.
        public var register: UInt32
        public var value: UInt64

        public init(isWrite: Bool, register: UInt32, value: UInt64) {
            self.isWrite = isWrite
            self.register = register
            self.value = value
        }

        init() { self.init(isWrite: false, register: 0, value: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&isWrite, .u32, "rw")
            fields.required(&register, .u32, "cr")
            fields.required(&value, .x64, "val")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.either("write", isWrite, "write", "read", &out)
            text.number("cr", register, &out)
            text.hex("val", value, &out)
        }
    }

    /// `kvm_vcpu_wakeup`: a blocked or polling vCPU goes on.
    public struct VCPUWakeup: EventPayload {
        static let tracepoint = Tracepoint("kvm_vcpu_wakeup", of: Self.self)

        public var nanoseconds: UInt64
        /// False: it only polled.
        public var waited: Bool

        public init(nanoseconds: UInt64, waited: Bool) {
            self.nanoseconds = nanoseconds
            self.waited = waited
        }

        init() { self.init(nanoseconds: 0, waited: false) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&nanoseconds, .u64, "ns")
            fields.required(&waited, .flag, "waited")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.either("waited", waited, "wait", "poll", &out)
            text.number("ns", nanoseconds, &out)
        }
    }

    /// `kvm_userspace_exit`: KVM_RUN returns to the VMM.
    public struct UserspaceExit: EventPayload {
        static let tracepoint = Tracepoint("kvm_userspace_exit", of: Self.self)

        public var reason: UInt32

        public init(reason: UInt32) {
            self.reason = reason
        }

        init() { self.init(reason: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&reason, .u32, "reason")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.userspaceExit("reason", reason, &out)
        }
    }

    /// `kvm_smm_transition`: the vCPU enters or leaves system management mode, which ends or restores guest mode.
    public struct SMMTransition: EventPayload {
        /// `kvm_enter_smm` around 5.10.
        static let tracepoint = Tracepoint("kvm_smm_transition", formerly: "kvm_enter_smm", of: Self.self)

        public var vcpu: Int32
        public var entering: Bool

        public init(vcpu: Int32, entering: Bool) {
            self.vcpu = vcpu
            self.entering = entering
        }

        init() { self.init(vcpu: 0, entering: false) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .u32, "vcpu_id")
            fields.required(&entering, .flag, "entering")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu", vcpu, &out)
            text.either("entering", entering, "entering", "leaving", &out)
        }
    }
}
