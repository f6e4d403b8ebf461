// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
    /// `kvm_page_fault`: an EPT violation or a nested page fault that KVM handles.
    public struct PageFault: EventPayload {
        static let tracepoint = Tracepoint("kvm_page_fault", of: Self.self)

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

        init() { self.init(address: 0, errorCode: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.optional(&vcpu, .u32, "vcpu_id")
            fields.required(&address, .x64, "fault_address")
            fields.required(&errorCode, .x64, "error_code")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.number("vcpu", vcpu, &out)
            text.hex("address", address, &out)
            text.hex("error_code", errorCode, &out)
        }
    }

    /// `mark_mmio_spte`: an MMIO SPTE is installed for a guest frame of L1.
    public struct MarkMMIOSPTE: EventPayload {
        static let tracepoint = Tracepoint("mark_mmio_spte", system: "kvmmmu", of: Self.self)

        public var gfn: UInt64

        public init(gfn: UInt64) {
            self.gfn = gfn
        }

        init() { self.init(gfn: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&gfn, .x64, "gfn")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.hex("gfn", gfn, &out)
        }
    }

    /// `handle_mmio_page_fault`: a fault that hit a valid MMIO SPTE.
    public struct HandleMMIOPageFault: EventPayload {
        static let tracepoint = Tracepoint("handle_mmio_page_fault", system: "kvmmmu", of: Self.self)

        /// Guest-physical address of the level that runs, 0 where KVM doesn't know it.
        public var address: UInt64
        /// Guest frame of L1.
        public var gfn: UInt64

        public init(address: UInt64, gfn: UInt64) {
            self.address = address
            self.gfn = gfn
        }

        init() { self.init(address: 0, gfn: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&address, .x64, "addr")
            fields.required(&gfn, .x64, "gfn")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.hex("addr", address, &out)
            text.hex("gfn", gfn, &out)
        }
    }

    /// `kvm_mmu_set_spte`: an ordinary SPTE is installed.
    public struct MMUSetSPTE: EventPayload {
        static let tracepoint = Tracepoint("kvm_mmu_set_spte", system: "kvmmmu", of: Self.self)

        public var gfn: UInt64

        public init(gfn: UInt64) {
            self.gfn = gfn
        }

        init() { self.init(gfn: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&gfn, .x64, "gfn")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            text.hex("gfn", gfn, &out)
        }
    }

    /// `kvm_mmio`: one emulated access to memory that KVM does not map.
    public struct MMIO: EventPayload {
        static let tracepoint = Tracepoint("kvm_mmio", of: Self.self)

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

        init() { self.init(type: 0, gpa: 0) }

        @inline(__always)
        mutating func visit(_ fields: inout some FieldVisitor) {
            fields.required(&type, .u32, "type")
            fields.required(&length, .u32, "len")
            fields.required(&gpa, .x64, "gpa")
            fields.required(&value, .x64, "val")
        }

        func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
            switch type {
            case 0: text.word("type", "unsatisfied-read", &out)
            case 1: text.word("type", "read", &out)
            case 2: text.word("type", "write", &out)
            default: text.number("type", type, &out)
            }
            text.number("len", length, &out)
            text.hex("gpa", gpa, &out)
            text.hex("val", value, &out)
            if gpa >> 12 == APICRegister.gfn {
                text.register("reg", UInt32(truncatingIfNeeded: gpa & 0xfff), &out)
            }
        }
    }
}
