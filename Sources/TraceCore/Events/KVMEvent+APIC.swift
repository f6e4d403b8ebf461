// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_apic`: KVM reads or writes a local APIC register on the guest's behalf.
    public struct APICAccess: EventPayload {
        static let tracepoint = Tracepoint("kvm_apic", of: Self.self)

        public var isWrite: Bool
        /// xAPIC offset, also for x2APIC MSRs.
        public var register: UInt32
        public var value: UInt64

        public init(isWrite: Bool, register: UInt32, value: UInt64 = 0) {
            self.isWrite = isWrite
            self.register = register
            self.value = value
        }

        init() { self.init(isWrite: false, register: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&isWrite, .u32, "rw")
            fields.required(&register, .x32, "reg")
            fields.required(&value, .x64, "val")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.either("write", isWrite, "write", "read", &out)
            text.register("reg", register, &out)
            text.hex("val", value, &out)
        }
    }

    /// `kvm_msr`: an intercepted RDMSR or WRMSR.
    public struct MSRAccess: EventPayload {
        static let tracepoint = Tracepoint("kvm_msr", of: Self.self)

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

        init() { self.init(isWrite: false, index: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&isWrite, .u32, "write")
            fields.required(&index, .x32, "ecx")
            fields.required(&value, .x64, "data")
            fields.required(&exception, .flag, "exception")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.either("write", isWrite, "write", "read", &out)
            text.hex("ecx", index, &out)
            text.hex("data", value, &out)
            text.flag("exception", exception, &out)
        }
    }

    /// `kvm_apic_ipi`: an emulated ICR write sends an IPI.
    public struct APICIPI: EventPayload {
        static let tracepoint = Tracepoint("kvm_apic_ipi", of: Self.self)

        public var icrLow: UInt32
        public var destination: UInt32

        public init(icrLow: UInt32, destination: UInt32) {
            self.icrLow = icrLow
            self.destination = destination
        }

        init() { self.init(icrLow: 0, destination: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&icrLow, .x32, "icr_low")
            fields.required(&destination, .x32, "dest_id")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("dst", destination, &out)
            text.vector("vec", UInt8(truncatingIfNeeded: icrLow), &out)
            text.deliveryMode("mode", icrLow: icrLow, &out)
            switch icrLow >> 18 & 3 {
            case 1: text.word("shorthand", "self", &out)
            case 2: text.word("shorthand", "all", &out)
            case 3: text.word("shorthand", "all-but-self", &out)
            default: break
            }
            text.hex("icr_low", icrLow, &out)
        }
    }

    /// `kvm_apic_accept_irq` and `kvm_apicv_accept_irq`: a local APIC is offered an interrupt (an attempt, not a delivery).
    public struct APICAcceptIRQ: EventPayload {
        static let tracepoint = Tracepoint("kvm_apic_accept_irq", of: Self.self)
        static let apicvTracepoint = Tracepoint("kvm_apicv_accept_irq", of: Self.self)

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

        init() { self.init(vcpu: 0, vector: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .u32, "apicid")
            fields.required(&deliveryMode, .x16, "dm")
            fields.required(&vector, .x8, "vec")
            fields.hardIRQ(&inHardIRQ)
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("apicid", vcpu, &out)
            text.vector("vec", vector, &out)
            text.deliveryMode("mode", icrLow: UInt32(deliveryMode), &out)
        }
    }

    /// `kvm_inj_virq`: KVM injects an interrupt at the next VM entry.
    public struct InjVIRQ: EventPayload {
        static let tracepoint = Tracepoint("kvm_inj_virq", of: Self.self)

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

        init() { self.init(vector: 0, soft: nil, reinjected: nil) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vector, .x32, "vector", formerly: "irq")
            fields.optional(&soft, .flag, "soft")
            fields.optional(&reinjected, .flag, "reinjected")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.vector("vector", vector, &out)
            text.flag("soft", soft, &out)
            text.flag("reinjected", reinjected, &out)
        }
    }

    /// `kvm_eoi` and `kvm_pv_eoi`: an end of interrupt that KVM itself carries out or is notified of.
    public struct EOI: EventPayload {
        static let tracepoint = Tracepoint("kvm_eoi", of: Self.self)
        static let pvTracepoint = Tracepoint("kvm_pv_eoi", of: Self.self)

        /// The vCPU id of the APIC (the tracepoint calls it apicid).
        public var vcpu: UInt32
        /// -1 where no ISR bit was set.
        public var vector: Int32

        public init(vcpu: UInt32, vector: Int32) {
            self.vcpu = vcpu
            self.vector = vector
        }

        init() { self.init(vcpu: 0, vector: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .u32, "apicid")
            fields.required(&vector, .s32, "vector")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("apicid", vcpu, &out)
            text.vector("vector", vector, &out)
        }
    }
}
