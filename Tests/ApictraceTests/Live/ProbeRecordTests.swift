// SPDX-License-Identifier: Apache-2.0
import CBPF
import Testing
import TraceCore

@testable import apictrace

@Suite struct ProbeRecordTests {
    @Test func `the probes number the kinds as TraceCore does`() {
        let probes: [(probe_kind, EventKind)] = [
            (KIND_ENTRY, .entry), (KIND_EXIT, .exit), (KIND_NESTED_VMEXIT, .nestedVMExit),
            (KIND_NESTED_VMEXIT_INJECT, .nestedVMExitInject), (KIND_NESTED_VMENTER, .nestedVMEnter),
            (KIND_NESTED_VMENTER_FAILED, .nestedVMEnterFailed), (KIND_SMM_TRANSITION, .smmTransition),
            (KIND_PAGE_FAULT, .pageFault), (KIND_MARK_MMIO_SPTE, .markMMIOSPTE),
            (KIND_HANDLE_MMIO_PAGE_FAULT, .handleMMIOPageFault), (KIND_MMU_SET_SPTE, .mmuSetSPTE),
            (KIND_MMIO, .mmio), (KIND_APIC, .apic), (KIND_MSR, .msr), (KIND_APIC_IPI, .apicIPI),
            (KIND_APIC_ACCEPT_IRQ, .apicAcceptIRQ), (KIND_APICV_ACCEPT_IRQ, .apicvAcceptIRQ),
            (KIND_INJ_VIRQ, .injVIRQ), (KIND_EOI, .eoi), (KIND_PV_EOI, .pvEOI),
            (KIND_APICV_INHIBIT_CHANGED, .apicvInhibitChanged), (KIND_APICV_UPDATE_REQUEST, .apicvUpdateRequest),
            (KIND_VCPU_WAKEUP, .vcpuWakeup), (KIND_USERSPACE_EXIT, .userspaceExit),
            (KIND_AVIC_INCOMPLETE_IPI, .avicIncompleteIPI),
            (KIND_AVIC_UNACCELERATED_ACCESS, .avicUnacceleratedAccess), (KIND_AVIC_DOORBELL, .avicDoorbell),
            (KIND_AVIC_GA_LOG, .avicGALog), (KIND_AVIC_KICK_VCPU_SLOWPATH, .avicKickVCPUSlowpath),
            (KIND_PI_IRTE_UPDATE, .piIRTEUpdate), (KIND_CR, .cr),
        ]
        for (probe, kind) in probes { #expect(probe.rawValue == UInt32(kind.rawValue)) }
        #expect(probes.count == Int(KINDS_TRACED.rawValue))
        #expect(EventKind.allCases.count == Int(KINDS_TRACED.rawValue))
    }

    private func fact<Record>(_ record: Record, _ header: probe_header, hiding key: AddressKey = AddressKey(1, 2))
        -> ProbeFact?
    {
        withUnsafeBytes(of: record) { ProbeFact(header, $0, hiding: key) }
    }

    @Test func `a field that the kernel lacks is absent`() {
        var record = probe_record()
        record.inject.vector = 0x41
        let old = KVMEvent(.injVIRQ, record.header, record)
        #expect(old == .injVIRQ(KVMEvent.InjVIRQ(vector: 0x41, soft: nil, reinjected: nil)))
        record.header.has = UInt16(HAS_REINJECTED.rawValue)
        record.inject.reinjected = 1
        let new = KVMEvent(.injVIRQ, record.header, record)
        #expect(new == .injVIRQ(KVMEvent.InjVIRQ(vector: 0x41, soft: false, reinjected: true)))
    }

    @Test func `a record that no probe writes is refused`() {
        var record = probe_record()
        record.header.kind = UInt16(KINDS_ALL.rawValue)
        #expect(fact(record, record.header) == nil)
        // Shorter than the words that it claims to be.
        record.header.kind = UInt16(KIND_LAPIC_WORDS.rawValue)
        #expect(fact(record, record.header) == nil)
    }

    @Test func `a name is its process's`() {
        var record = probe_command()
        record.header.kind = UInt16(KIND_COMMAND.rawValue)
        (record.header.tid, record.header.tgid) = (7, 5)
        withUnsafeMutableBytes(of: &record.comm) { $0.copyBytes(from: "qemu".utf8) }
        #expect(fact(record, record.header)?.fact == .command(Comm("qemu")))
        #expect(fact(record, record.header)?.stamp.tid == 5)
    }

    @Test func `what a sleeping vCPU's words don't tell is not known`() throws {
        var record = probe_lapic_words()
        record.header.kind = UInt16(KIND_LAPIC_WORDS.rawValue)
        record.occasion = UInt16(LAPIC_ASLEEP.rawValue)
        record.irr.2 = 2
        record.apic_enabled = ANSWER_YES.rawValue
        func reading() throws -> LAPICReading {
            guard case .lapic(let reading) = fact(record, record.header)?.fact else { throw Missing() }
            return reading
        }
        #expect(try reading().occasion == .asleep)
        #expect(try reading().words.irr.highest == 0x41)
        #expect(try reading().isAPICEnabled == true)
        #expect(try reading().interruptFlag == nil)
        record.interrupt_flag = ANSWER_NO.rawValue
        #expect(try reading().interruptFlag == false)
        record.interrupt_flag = ANSWER_YES.rawValue
        #expect(try reading().interruptFlag == true)
    }

    /// Of the algorithm's authors (vectors.h in their repository): the key is the bytes 0 to 15, the message those 0 to 7.
    @Test func `an address is hashed as SipHash does it`() {
        let key = AddressKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
        #expect(key.hidden(0x0706_0504_0302_0100) == 0x93f5_f579_9a93_2462)
    }

    @Test func `no address leaves the process, and equal ones stay equal in one run alone`() throws {
        var record = probe_vcpu_state()
        record.header.kind = UInt16(KIND_VCPU_STATE.rawValue)
        record.vm = 0xffff_8882_e5c9_b000
        func hidden(_ key: AddressKey) throws -> UInt64 {
            guard case .state(let state) = fact(record, record.header, hiding: key)?.fact else { throw Missing() }
            return state.vm
        }
        let key = AddressKey()
        #expect(try hidden(key) != record.vm)
        #expect(try hidden(key) == hidden(key))
        #expect(try hidden(key) != hidden(AddressKey()))
    }

    private struct Missing: Error {}
}
