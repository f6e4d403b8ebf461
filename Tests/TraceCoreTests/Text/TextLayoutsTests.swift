// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// A text that is laid out like one before it is read by its numbers alone, and must tell what its words tell.
@Suite struct TextLayoutsTests {
    private static let texts: [(EventKind, String)] = [
        (.entry, "             vcpu 0 rip 0x1f44fc35"),
        (.entry, " vcpu 11, rip 0x1f44fc35 intr_info 0x800000ec error_code 0x00000000"),
        (.exit, "             reason EPT_MISCONFIG rip 0x1f44fa5b info 0 800000ec"),
        (
            .exit,
            " vcpu 0 reason HLT rip 0xffffffff8110ac58 info1 0x0000000000000000 info2 0x0 intr_info 0x0 error_code 0x0"
        ),
        (.exit, " vcpu 0 reason FAILED_VMENTRY HLT rip 0x1 info1 0x2 info2 0x3 intr_info 0x4"),
        (.nestedVMExit, " vcpu 1 reason npf rip 0xffff info1 0x000000010000000f info2 0xfee00000 intr_info 0x0"),
        (.nestedVMExitInject, "  reason EXTERNAL_INTERRUPT info1 0 info2 0 int_info 800000ec int_info_err 0"),
        (.nestedVMEnter, " rip: 0x10 vmcs: 0x2000 nested_rip: 0x30 int_ctl: 0x61 event_inj: 0x80000081 nested_ept=y"),
        (.pageFault, " vcpu 3 rip 0xffffffff81 address 0x00000000fee000b0 error_code 0x182"),
        (.mmio, " mmio write len 4 gpa 0xfee000b0 val 0x0"),
        (.apic, " apic_write APIC_EOI = 0x0"),
        (.msr, " msr_write 830 = 0x1000000ec (#GP)"),
        (.apicIPI, " dst 1 vec 253 (Fixed|physical|assert|edge|self)"),
        (.apicAcceptIRQ, " apicid 0 vec 236 (Fixed|edge)"),
        (.injVIRQ, " IRQ 0xb0 [reinjected]"),
        (.vcpuWakeup, " wait time 123456 ns, polling valid"),
        (.userspaceExit, " reason KVM_EXIT_IO (2)"),
        (.exit, " exit_reason=48 guest_rip=0x1f44fa5b isa=1 info1=0 info2=0 vcpu_id='Q'(81)"),
    ]

    private struct Told: Equatable {
        var event: KVMEvent?
        var fields: Int
        var isComplete: Bool
        var isa: ISA
    }

    /// What a text tells a reader, with or without room behind it: where there is none it is read word by word.
    private static func told(_ kind: EventKind, _ text: [UInt8], _ reader: inout EventTextReader, room: Int) -> Told {
        let bytes = text + [0x0a] + [UInt8](repeating: UInt8(ascii: "7"), count: room)
        let reading = reader.read(kind, bytes.span, 0..<text.count, inHardIRQ: false)
        return Told(event: reader.event, fields: reading.fields, isComplete: reading.isComplete, isa: reader.isa)
    }

    @Test(arguments: texts.indices)
    func `one changed byte is read as it would be by words`(index: Int) {
        let (kind, text) = Self.texts[index]
        let bytes = Array(text.utf8)
        var prepared = EventTextReader()
        _ = Self.told(kind, bytes, &prepared, room: 0)
        for place in bytes.indices {
            for byte in Array(" 0aG,=-\n".utf8) {
                var replaced = bytes
                replaced[place] = byte
                var inserted = bytes
                inserted.insert(byte, at: place)
                var removed = bytes
                removed.remove(at: place)
                for changed in [replaced, inserted, removed] {
                    var (reader, other) = (prepared, prepared)
                    let known = Self.told(kind, changed, &reader, room: 2048)
                    let read = Self.told(kind, changed, &other, room: 0)
                    if known != read { #expect(known == read, "\(String(decoding: changed, as: UTF8.self))") }
                }
            }
        }
    }

    @Test func `each text is read as it is after all the others`() {
        var (reader, other) = (EventTextReader(), EventTextReader())
        for (kind, text) in Self.texts + Self.texts + Self.texts.reversed() {
            let bytes = Array(text.utf8)
            let known = Self.told(kind, bytes, &reader, room: 2048)
            #expect(known == Self.told(kind, bytes, &other, room: 0), "\(text)")
        }
    }
}
