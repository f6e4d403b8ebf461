// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Layouts are those of the kernels named, each found by its format text.
@Suite struct EventDecoderTests {
    private func decode(
        _ name: String, _ fields: [(String, Int, Int, Int)], order: ByteOrder = .little,
        _ content: (inout Bytes) -> Void
    ) throws -> KVMEvent? {
        let format = try #require(EventFormat(text: TestRecord.format(name, id: 1, fields)))
        let binding = try #require(EventBinding(format))
        let bytes = TestRecord.record(id: 1, order: order, content)
        return try bytes.withUnsafeBytes { bytes in
            EventDecoder(order: order, bindings: [binding]).event(try #require(Record(bytes)), binding: 0)
        }
    }

    private static let exit510: [(String, Int, Int, Int)] = [
        ("unsigned int exit_reason", 8, 4, 0), ("unsigned long guest_rip", 16, 8, 0), ("u32 isa", 24, 4, 0),
        ("u64 info1", 32, 8, 0), ("u64 info2", 40, 8, 0), ("u32 intr_info", 48, 4, 0), ("u32 error_code", 52, 4, 0),
        ("unsigned int vcpu_id", 56, 4, 0),
    ]

    private func writeExit(_ record: inout Bytes) {
        record.number(UInt32(48))
        record.number(UInt32.max)
        record.number(UInt64(0xffff_ffff_8100_0000))
        record.number(UInt32(1))
        record.number(UInt32.max)
        record.number(UInt64(0x181))
        record.number(UInt64(0x8000_0030))
        record.number(UInt64.max)
        record.number(UInt32(3))
    }

    @Test(arguments: [ByteOrder.little, .big])
    func `kvm_exit of 5.10 to 6.12`(order: ByteOrder) throws {
        let event = try decode("kvm_exit", Self.exit510, order: order, writeExit)
        #expect(
            event
                == .exit(
                    .init(
                        reason: 48, isa: 1, vcpu: 3, rip: 0xffff_ffff_8100_0000, info1: 0x181, info2: 0x8000_0030,
                        intrInfo: .max)))
    }

    @Test func `kvm_pi_irte_update names its vCPU, or none, with pi_desc_addr and without`() throws {
        let old: [(String, Int, Int, Int)] = [
            ("unsigned int host_irq", 8, 4, 0), ("unsigned int vcpu_id", 12, 4, 0), ("unsigned int gsi", 16, 4, 0),
            ("unsigned int gvec", 20, 4, 0), ("u64 pi_desc_addr", 24, 8, 0), ("bool set", 32, 1, 0),
        ]
        let posted = try decode("kvm_pi_irte_update", old) {
            for number in [UInt32(25), 1, 4, 0x41] { $0.number(number) }
            $0.number(UInt64(0xffff_8880_0000_0000))
            $0.number(UInt32(1))
        }
        #expect(posted == .piIRTEUpdate(.init(vcpu: 1, vector: 0x41, set: true)))
        let new: [(String, Int, Int, Int)] = [
            ("unsigned int host_irq", 8, 4, 0), ("int vcpu_id", 12, 4, 1), ("unsigned int gsi", 16, 4, 0),
            ("unsigned int gvec", 20, 4, 0), ("bool set", 24, 1, 0),
        ]
        let cleared = try decode("kvm_pi_irte_update", new) {
            for number in [UInt32(25), .max, 4, 0, 0] { $0.number(number) }
        }
        #expect(cleared == .piIRTEUpdate(.init(vcpu: -1, vector: 0, set: false)))
    }

    @Test func `kvm_exit without vcpu_id has none`() throws {
        let event = try decode("kvm_nested_vmexit", Self.exit510.dropLast(), writeExit)
        #expect(
            event
                == .nestedVMExit(
                    .init(
                        reason: 48, isa: 1, vcpu: nil, rip: 0xffff_ffff_8100_0000, info1: 0x181, info2: 0x8000_0030,
                        intrInfo: .max)))
    }

    @Test func `a record shorter than its format is no event`() throws {
        let event = try decode("kvm_exit", Self.exit510) { $0.number(UInt32(48)) }
        #expect(event == nil)
    }

    @Test func `an event without a mandatory field can't be bound`() throws {
        let format = try #require(
            EventFormat(text: TestRecord.format("kvm_exit", id: 1, Array(Self.exit510.dropFirst()))))
        #expect(EventBinding(format) == nil)
    }

    @Test func `a field inside the common ones can't be bound`() throws {
        let format = try #require(
            EventFormat(text: TestRecord.format("mark_mmio_spte", id: 1, [("gfn_t gfn", 0, 8, 0)])))
        #expect(EventBinding(format) == nil)
    }

    @Test func `kvm_entry of 5.10 has no interruption information`() throws {
        let event = try decode("kvm_entry", [("unsigned int vcpu_id", 8, 4, 0), ("unsigned long rip", 16, 8, 0)]) {
            $0.number(UInt64(1))
            $0.number(UInt64(0x7c00))
        }
        #expect(event == .entry(.init(vcpu: 1, rip: 0x7c00, intrInfo: nil)))
    }

    @Test func `kvm_entry of 7.2 has it`() throws {
        let event = try decode(
            "kvm_entry",
            [
                ("unsigned int vcpu_id", 8, 4, 0), ("unsigned long rip", 16, 8, 0), ("bool immediate_exit", 24, 1, 0),
                ("u32 intr_info", 28, 4, 0), ("u32 error_code", 32, 4, 0),
            ]
        ) {
            $0.number(UInt64(1))
            $0.number(UInt64(0x7c00))
            $0.number(UInt32(1))
            $0.number(UInt32(0x8000_0030))
            $0.number(UInt32(0))
        }
        #expect(event == .entry(.init(vcpu: 1, rip: 0x7c00, intrInfo: 0x8000_0030)))
    }

    @Test func `kvm_nested_vmrun of 5.10 is a nested entry without an ISA`() throws {
        let event = try decode(
            "kvm_nested_vmrun",
            [
                ("__u64 rip", 8, 8, 0), ("__u64 vmcb", 16, 8, 0), ("__u64 nested_rip", 24, 8, 0),
                ("__u32 int_ctl", 32, 4, 0), ("__u32 event_inj", 36, 4, 0), ("bool npt", 40, 1, 0),
            ]
        ) {
            for value in [0x10, 0x20, 0x30] as [UInt64] { $0.number(value) }
            $0.number(UInt32(0x40))
            $0.number(UInt32(0x8000_0041))
            $0.number(UInt32(1))
        }
        #expect(
            event
                == .nestedVMEnter(.init(rip: 0x10, nestedRIP: 0x30, intCtl: 0x40, eventInj: 0x8000_0041, isa: nil)))
    }

    @Test func `kvm_inj_virq of 5.10 names its vector irq`() throws {
        let event = try decode("kvm_inj_virq", [("unsigned int irq", 8, 4, 0)]) { $0.number(UInt32(0x41)) }
        #expect(event == .injVIRQ(.init(vector: 0x41, soft: nil, reinjected: nil)))
    }

    @Test func `kvm_inj_virq of 6.1 tells a reinjection`() throws {
        let event = try decode(
            "kvm_inj_virq",
            [("unsigned int vector", 8, 4, 0), ("bool soft", 12, 1, 0), ("bool reinjected", 13, 1, 0)]
        ) {
            $0.number(UInt32(0x41))
            $0.bytes += [0, 1, 0xff, 0xff]
        }
        #expect(event == .injVIRQ(.init(vector: 0x41, soft: false, reinjected: true)))
    }

    @Test func `kvm_page_fault of 5.10 has no vCPU and 32 bits of error`() throws {
        let event = try decode(
            "kvm_page_fault", [("unsigned long fault_address", 8, 8, 0), ("unsigned int error_code", 16, 4, 0)]
        ) {
            $0.number(UInt64(0xfee0_00b0))
            $0.number(UInt32(0x182))
            $0.number(UInt32.max)
        }
        #expect(event == .pageFault(.init(vcpu: nil, address: 0xfee0_00b0, errorCode: 0x182)))
    }

    @Test func `kvm_page_fault of 6.1`() throws {
        let event = try decode(
            "kvm_page_fault",
            [
                ("unsigned int vcpu_id", 8, 4, 0), ("unsigned long guest_rip", 16, 8, 0),
                ("u64 fault_address", 24, 8, 0),
                ("u64 error_code", 32, 8, 0),
            ]
        ) {
            for value in [2, 0x1000, 0xfee0_0300, 0x1_0000_0006] as [UInt64] { $0.number(value) }
        }
        #expect(event == .pageFault(.init(vcpu: 2, address: 0xfee0_0300, errorCode: 0x1_0000_0006)))
    }

    @Test(arguments: [4, 8])
    func `kvm_nested_vmexit_inject widens its exit code in 7.0`(width: Int) throws {
        let event = try decode(
            "kvm_nested_vmexit_inject",
            [
                ("__u64 exit_code", 8, width, 0), ("__u64 exit_info1", 16, 8, 0), ("__u64 exit_info2", 24, 8, 0),
                ("__u32 exit_int_info", 32, 4, 0), ("__u32 isa", 40, 4, 0),
            ]
        ) {
            for value in [0xffff_ffff_ffff_fff0, 1, 2] as [UInt64] { $0.number(value) }
            $0.number(UInt64(0x8000_0030))
            $0.number(UInt32(2))
        }
        #expect(
            event
                == .nestedVMExitInject(
                    .init(
                        exitCode: width == 4 ? 0xffff_fff0 : 0xffff_ffff_ffff_fff0, info1: 1, info2: 2,
                        intInfo: 0x8000_0030, isa: 2)))
    }

    @Test func `signed fields keep their sign, whatever their width`() throws {
        for (width, write) in [
            (4, { $0.number(Int32(-1)) }), (2, { $0.number(Int16(-1)) }), (1, { $0.number(Int8(-1)) }),
        ] as [(Int, (inout Bytes) -> Void)] {
            let event = try decode("kvm_eoi", [("__u32 apicid", 8, 4, 0), ("int vector", 12, width, 1)]) {
                $0.number(UInt32(5))
                write(&$0)
            }
            #expect(event == .eoi(.init(vcpu: 5, vector: -1)))
        }
    }

    @Test func `kvm_apicv_update_request of 5.10`() throws {
        let event = try decode(
            "kvm_apicv_update_request", [("bool activate", 8, 1, 0), ("unsigned long bit", 16, 8, 0)]
        ) {
            $0.number(UInt64(0xffff_ff01))
            $0.number(UInt64(4))
        }
        #expect(event == .apicvUpdateRequest(.init(activate: true, bit: 4)))
    }

    @Test func `kvm_apicv_inhibit_changed`() throws {
        let event = try decode(
            "kvm_apicv_inhibit_changed",
            [("int reason", 8, 4, 1), ("bool set", 12, 1, 0), ("unsigned long inhibits", 16, 8, 0)]
        ) {
            $0.number(Int32(3))
            $0.number(UInt32(1))
            $0.number(UInt64(0x208))
        }
        #expect(event == .apicvInhibitChanged(.init(reason: 3, set: true, inhibits: 0x208)))
    }

    @Test func `kvm_avic_unaccelerated_access takes rw, not ft`() throws {
        let event = try decode(
            "kvm_avic_unaccelerated_access",
            [
                ("u32 vcpu", 8, 4, 0), ("u32 offset", 12, 4, 0), ("bool ft", 16, 1, 0), ("bool rw", 17, 1, 0),
                ("u32 vec", 20, 4, 0),
            ]
        ) {
            $0.number(UInt32(1))
            $0.number(UInt32(0xb0))
            $0.bytes += [0, 1, 0, 0]
            $0.number(UInt32(0))
        }
        #expect(event == .avicUnacceleratedAccess(.init(vcpu: 1, offset: 0xb0, isWrite: true)))
    }
}
