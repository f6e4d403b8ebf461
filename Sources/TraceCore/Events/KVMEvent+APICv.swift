// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_apicv_inhibit_changed` (5.18 and later). Fires even where nothing changed, so only `inhibits` is to be trusted.
    public struct APICvInhibitChanged: EventPayload {
        static let tracepoint = Tracepoint("kvm_apicv_inhibit_changed", of: Self.self)

        public var reason: Int32
        public var set: Bool
        /// The VM's mask after the change; bit numbers are the kernel's own, see ``InhibitNames``.
        public var inhibits: UInt64

        public init(reason: Int32, set: Bool, inhibits: UInt64) {
            self.reason = reason
            self.set = set
            self.inhibits = inhibits
        }

        init() { self.init(reason: 0, set: false, inhibits: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&reason, .s32, "reason")
            fields.required(&set, .flag, "set")
            fields.required(&inhibits, .x64, "inhibits")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.either("set", set, "set", "cleared", &out)
            text.inhibit("reason", bit: UInt64(bitPattern: Int64(reason)), &out)
            text.inhibits(inhibits, &out)
        }
    }

    /// `kvm_apicv_update_request` (5.10 to 5.15): APICv goes on or off for the whole VM.
    public struct APICvUpdateRequest: EventPayload {
        static let tracepoint = Tracepoint("kvm_apicv_update_request", of: Self.self)

        public var activate: Bool
        public var bit: UInt64

        public init(activate: Bool, bit: UInt64) {
            self.activate = activate
            self.bit = bit
        }

        init() { self.init(activate: false, bit: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&activate, .flag, "activate")
            fields.required(&bit, .u64, "bit")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.either("activate", activate, "activate", "deactivate", &out)
            text.inhibit("bit", bit: bit, &out)
        }
    }

    /// `kvm_avic_incomplete_ipi`: AVIC hands an IPI back to KVM.
    public struct AVICIncompleteIPI: EventPayload {
        static let tracepoint = Tracepoint("kvm_avic_incomplete_ipi", of: Self.self)

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

        init() { self.init(vcpu: 0, icrHigh: 0, icrLow: 0, id: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .u32, "vcpu")
            fields.required(&icrHigh, .x32, "icrh")
            fields.required(&icrLow, .x32, "icrl")
            fields.required(&id, .u32, "id")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu", vcpu, &out)
            text.hex("icrh", icrHigh, &out)
            text.hex("icrl", icrLow, &out)
            text.number("id", id, &out)
        }
    }

    /// `kvm_avic_unaccelerated_access`: AVIC hands an APIC access back to KVM.
    public struct AVICUnacceleratedAccess: EventPayload {
        static let tracepoint = Tracepoint("kvm_avic_unaccelerated_access", of: Self.self)

        public var vcpu: UInt32
        public var offset: UInt32
        public var isWrite: Bool

        public init(vcpu: UInt32, offset: UInt32, isWrite: Bool) {
            self.vcpu = vcpu
            self.offset = offset
            self.isWrite = isWrite
        }

        init() { self.init(vcpu: 0, offset: 0, isWrite: false) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .u32, "vcpu")
            fields.required(&offset, .x32, "offset")
            fields.required(&isWrite, .flag, "rw")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu", vcpu, &out)
            text.register("offset", offset, &out)
            text.either("write", isWrite, "write", "read", &out)
        }
    }

    /// `kvm_avic_doorbell`: a running vCPU is notified of a posted interrupt.
    public struct AVICDoorbell: EventPayload {
        static let tracepoint = Tracepoint("kvm_avic_doorbell", of: Self.self)

        public var vcpu: UInt32

        public init(vcpu: UInt32) {
            self.vcpu = vcpu
        }

        init() { self.init(vcpu: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .u32, "vcpuid")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpuid", vcpu, &out)
        }
    }

    /// `kvm_avic_ga_log`: the IOMMU reports an interrupt for a blocked vCPU.
    public struct AVICGALog: EventPayload {
        static let tracepoint = Tracepoint("kvm_avic_ga_log", of: Self.self)

        public var vm: UInt32
        public var vcpu: UInt32

        public init(vm: UInt32, vcpu: UInt32) {
            self.vm = vm
            self.vcpu = vcpu
        }

        init() { self.init(vm: 0, vcpu: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vm, .u32, "vmid")
            fields.required(&vcpu, .u32, "vcpuid")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vmid", vm, &out)
            text.number("vcpuid", vcpu, &out)
        }
    }

    /// `kvm_avic_kick_vcpu_slowpath` (5.18 and later): KVM looks for an IPI's targets itself and kicks them.
    public struct AVICKickVCPUSlowpath: EventPayload {
        static let tracepoint = Tracepoint("kvm_avic_kick_vcpu_slowpath", of: Self.self)

        public var icrHigh: UInt32
        public var icrLow: UInt32
        public var index: UInt32

        public init(icrHigh: UInt32, icrLow: UInt32, index: UInt32) {
            self.icrHigh = icrHigh
            self.icrLow = icrLow
            self.index = index
        }

        init() { self.init(icrHigh: 0, icrLow: 0, index: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&icrHigh, .x32, "icrh")
            fields.required(&icrLow, .x32, "icrl")
            fields.required(&index, .u32, "index")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.hex("icrh", icrHigh, &out)
            text.hex("icrl", icrLow, &out)
            text.number("index", index, &out)
        }
    }

    /// `kvm_pi_irte_update`: the IOMMU posts a device's interrupt from now on, or no longer (vmx/posted_intr.c).
    public struct PIIRTEUpdate: EventPayload {
        static let tracepoint = Tracepoint("kvm_pi_irte_update", of: Self.self)

        /// -1 where it is posted to none.
        public var vcpu: Int32
        public var vector: UInt32
        public var set: Bool

        public init(vcpu: Int32, vector: UInt32, set: Bool) {
            self.vcpu = vcpu
            self.vector = vector
            self.set = set
        }

        init() { self.init(vcpu: 0, vector: 0, set: false) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&vcpu, .s32, "vcpu_id")
            fields.required(&vector, .x32, "gvec")
            fields.required(&set, .flag, "set")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu_id", vcpu, &out)
            text.hex("gvec", vector, &out)
            text.either("set", set, "set", "cleared", &out)
        }
    }
}
