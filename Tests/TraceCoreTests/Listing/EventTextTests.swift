// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// Each event's fields in text and in JSON.
@Suite struct EventTextTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        let event: KVMEvent
        let text: String
        let json: String

        init(_ event: KVMEvent, _ text: String, _ json: String) {
            self.event = event
            self.text = text
            self.json = json
        }

        var testDescription: String { text }
    }

    static let samples: [Sample] = [
        Sample(
            .entry(.init(vcpu: 3, rip: 0xffff_ffff_8100_0000, intrInfo: 0x8000_0041)),
            "kvm_entry:            vcpu 3 rip 0xffffffff81000000 intr_info 0x80000041",
            #""kvm_entry","fields":{"vcpu":3,"rip":"0xffffffff81000000","intr_info":"0x80000041"}"#),
        Sample(
            .exit(.init(reason: 0x8000_0021, vcpu: 0, rip: 1, info1: 2, info2: 3, intrInfo: 4)),
            "kvm_exit:             vcpu 0 reason INVALID_STATE FAILED_VMENTRY rip 0x1 info1 0x2 info2 0x3 intr_info 0x4",
            #""kvm_exit","fields":{"vcpu":0,"reason":"INVALID_STATE","FAILED_VMENTRY":true,"rip":"0x1","info1":"0x2","#
                + #""info2":"0x3","intr_info":"0x4"}"#),
        Sample(
            .nestedVMExit(.init(reason: 0x400, isa: 2, vcpu: nil)),
            "kvm_nested_vmexit:    reason npf rip 0x0 info1 0x0 info2 0x0 intr_info 0x0",
            #""kvm_nested_vmexit","fields":{"reason":"npf","rip":"0x0","info1":"0x0","info2":"0x0","intr_info":"0x0"}"#),
        Sample(
            .nestedVMExitInject(.init(exitCode: 1, intInfo: 0x8000_0030)),
            "kvm_nested_vmexit_inject: reason EXTERNAL_INTERRUPT info1 0x0 info2 0x0 int_info 0x80000030",
            #""kvm_nested_vmexit_inject","fields":{"reason":"EXTERNAL_INTERRUPT","info1":"0x0","info2":"0x0","#
                + #""int_info":"0x80000030"}"#),
        Sample(
            .nestedVMEnter(.init(rip: 1, nestedRIP: 2, intCtl: 3, eventInj: 4)),
            "kvm_nested_vmenter:   rip 0x1 nested_rip 0x2 int_ctl 0x3 event_inj 0x4",
            #""kvm_nested_vmenter","fields":{"rip":"0x1","nested_rip":"0x2","int_ctl":"0x3","event_inj":"0x4"}"#),
        Sample(
            .nestedVMEnterFailed(.init(error: 7)), "kvm_nested_vmenter_failed: err 7",
            #""kvm_nested_vmenter_failed","fields":{"err":7}"#),
        Sample(
            .smmTransition(.init(vcpu: 1, entering: false)), "kvm_smm_transition:   vcpu 1 leaving",
            #""kvm_smm_transition","fields":{"vcpu":1,"entering":false}"#),
        Sample(
            .pageFault(.init(address: 0xfee0_0300, errorCode: 0x182)),
            "kvm_page_fault:       address 0xfee00300 error_code 0x182",
            #""kvm_page_fault","fields":{"address":"0xfee00300","error_code":"0x182"}"#),
        Sample(
            .markMMIOSPTE(.init(gfn: 0xfee00)), "mark_mmio_spte:       gfn 0xfee00",
            #""mark_mmio_spte","fields":{"gfn":"0xfee00"}"#),
        Sample(
            .handleMMIOPageFault(.init(address: 0xfee0_00b0, gfn: 0xfee00)),
            "handle_mmio_page_fault: addr 0xfee000b0 gfn 0xfee00",
            #""handle_mmio_page_fault","fields":{"addr":"0xfee000b0","gfn":"0xfee00"}"#),
        Sample(
            .mmuSetSPTE(.init(gfn: 0)), "kvm_mmu_set_spte:     gfn 0x0", #""kvm_mmu_set_spte","fields":{"gfn":"0x0"}"#),
        Sample(
            .mmio(.init(type: 1, length: 8, gpa: 0xc000_0138, value: .max)),
            "kvm_mmio:             type read len 8 gpa 0xc0000138 val 0xffffffffffffffff",
            #""kvm_mmio","fields":{"type":"read","len":8,"gpa":"0xc0000138","val":"0xffffffffffffffff"}"#),
        Sample(
            .apic(.init(isWrite: true, register: 0x300, value: 0xc4500)),
            "kvm_apic:             write reg ICR val 0xc4500",
            #""kvm_apic","fields":{"write":true,"reg":"ICR","val":"0xc4500"}"#),
        Sample(
            .msr(.init(isWrite: false, index: 0x80b, exception: true)),
            "kvm_msr:              read ecx 0x80b data 0x0 exception",
            #""kvm_msr","fields":{"write":false,"ecx":"0x80b","data":"0x0","exception":true}"#),
        Sample(
            .cr(.init(isWrite: true, register: 8, value: 0xf)), "kvm_cr:               write cr 8 val 0xf",
            #""kvm_cr","fields":{"write":true,"cr":8,"val":"0xf"}"#),
        Sample(
            .apicIPI(.init(icrLow: 0xc4500, destination: 0)),
            "kvm_apic_ipi:         dst 0 vec 0x00 mode init shorthand all-but-self icr_low 0xc4500",
            #""kvm_apic_ipi","fields":{"dst":0,"vec":"0x00","mode":"init","shorthand":"all-but-self","icr_low":"0xc4500"}"#
        ),
        Sample(
            .apicAcceptIRQ(.init(vcpu: 1, deliveryMode: 0x600, vector: 9)),
            "kvm_apic_accept_irq:  apicid 1 vec 0x09 mode sipi",
            #""kvm_apic_accept_irq","fields":{"apicid":1,"vec":"0x09","mode":"sipi"}"#),
        Sample(
            .apicvAcceptIRQ(.init(vcpu: 0, vector: 0xec)), "kvm_apicv_accept_irq: apicid 0 vec 0xec mode fixed",
            #""kvm_apicv_accept_irq","fields":{"apicid":0,"vec":"0xec","mode":"fixed"}"#),
        Sample(
            .injVIRQ(.init(vector: 0x51, soft: false, reinjected: true)),
            "kvm_inj_virq:         vector 0x51 reinjected",
            #""kvm_inj_virq","fields":{"vector":"0x51","soft":false,"reinjected":true}"#),
        Sample(
            .injVIRQ(.init(vector: 0x51, soft: nil, reinjected: nil)), "kvm_inj_virq:         vector 0x51",
            #""kvm_inj_virq","fields":{"vector":"0x51"}"#),
        Sample(
            .eoi(.init(vcpu: 0, vector: -1)), "kvm_eoi:              apicid 0 vector -1",
            #""kvm_eoi","fields":{"apicid":0,"vector":-1}"#),
        Sample(
            .pvEOI(.init(vcpu: 0, vector: 0x41)), "kvm_pv_eoi:           apicid 0 vector 0x41",
            #""kvm_pv_eoi","fields":{"apicid":0,"vector":"0x41"}"#),
        Sample(
            .apicvInhibitChanged(.init(reason: 1, set: true, inhibits: 0b1011)),
            "kvm_apicv_inhibit_changed: set reason HYPERV inhibits 0xb DISABLED|HYPERV|bit 3",
            #""kvm_apicv_inhibit_changed","fields":{"set":true,"reason":"HYPERV","mask":"0xb","#
                + #""inhibits":["DISABLED","HYPERV","bit 3"]}"#),
        Sample(
            .apicvInhibitChanged(.init(reason: -2, set: false, inhibits: 0)),
            "kvm_apicv_inhibit_changed: cleared reason -2 inhibits 0x0",
            #""kvm_apicv_inhibit_changed","fields":{"set":false,"reason":-2,"mask":"0x0","inhibits":[]}"#),
        Sample(
            .apicvUpdateRequest(.init(activate: false, bit: 2)), "kvm_apicv_update_request: deactivate bit A??T",
            #""kvm_apicv_update_request","fields":{"activate":false,"bit":"A??T"}"#),
        Sample(
            .vcpuWakeup(.init(nanoseconds: 12345, waited: false)), "kvm_vcpu_wakeup:      poll ns 12345",
            #""kvm_vcpu_wakeup","fields":{"waited":false,"ns":12345}"#),
        Sample(
            .userspaceExit(.init(reason: 6)), "kvm_userspace_exit:   reason KVM_EXIT_MMIO",
            #""kvm_userspace_exit","fields":{"reason":"KVM_EXIT_MMIO"}"#),
        Sample(
            .userspaceExit(.init(reason: 99)), "kvm_userspace_exit:   reason 99",
            #""kvm_userspace_exit","fields":{"reason":"99"}"#),
        Sample(
            .avicIncompleteIPI(.init(vcpu: 0, icrHigh: 0x100_0000, icrLow: 0x41, id: 1)),
            "kvm_avic_incomplete_ipi: vcpu 0 icrh 0x1000000 icrl 0x41 id 1",
            #""kvm_avic_incomplete_ipi","fields":{"vcpu":0,"icrh":"0x1000000","icrl":"0x41","id":1}"#),
        Sample(
            .avicUnacceleratedAccess(.init(vcpu: 0, offset: 0xb0, isWrite: true)),
            "kvm_avic_unaccelerated_access: vcpu 0 offset EOI write",
            #""kvm_avic_unaccelerated_access","fields":{"vcpu":0,"offset":"EOI","write":true}"#),
        Sample(
            .avicDoorbell(.init(vcpu: 1)), "kvm_avic_doorbell:    vcpuid 1",
            #""kvm_avic_doorbell","fields":{"vcpuid":1}"#),
        Sample(
            .avicGALog(.init(vm: 7, vcpu: 1)), "kvm_avic_ga_log:      vmid 7 vcpuid 1",
            #""kvm_avic_ga_log","fields":{"vmid":7,"vcpuid":1}"#),
        Sample(
            .avicKickVCPUSlowpath(.init(icrHigh: 0x100_0000, icrLow: 0x41, index: 2)),
            "kvm_avic_kick_vcpu_slowpath: icrh 0x1000000 icrl 0x41 index 2",
            #""kvm_avic_kick_vcpu_slowpath","fields":{"icrh":"0x1000000","icrl":"0x41","index":2}"#),
        Sample(
            .piIRTEUpdate(.init(vcpu: -1, vector: 0x41, set: true)),
            "kvm_pi_irte_update:   vcpu_id -1 gvec 0x41 set",
            #""kvm_pi_irte_update","fields":{"vcpu_id":-1,"gvec":"0x41","set":true}"#),
    ]

    /// The third name holds what would end a JSON string or command a terminal.
    private static let listing = Listing(inhibitNames: ["DISABLED", "HYPERV", "A\"\u{1b}T"])

    @Test func `every kind of event is sampled`() {
        #expect(Set(Self.samples.map(\.event.kind)) == Set(EventKind.allCases))
    }

    @Test(arguments: samples)
    func `text has KVM's names and words`(sample: Sample) {
        #expect(Self.listing.tails([.at(1, sample.event)]).map { $0.dropFirst(3) } == [sample.text[...]])
    }

    @Test(arguments: samples)
    func `JSON has integers and hex strings`(sample: Sample) throws {
        var listing = Self.listing
        listing.options.json = true
        let lines = listing.text([.at(1_000_000_123, cpu: 1, sample.event)]).split(separator: "\n")
        try #require(lines.count == 2)
        #expect(lines[0] == #"{"type":"trace","base":"1000000000","clock":{"name":"local","unit":"ns"}}"#)
        #expect(lines[1].hasPrefix(#"{"type":"event","time":123,"cpu":1,"tid":500,"vm":"#))
        #expect(lines[1].hasSuffix(#""event":\#(sample.json)}"#))
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(lines[1].utf8)) }
    }

    @Test func `JSON says null where a thread has no vCPU, and tells of gaps`() {
        var listing = Self.listing
        listing.options.json = true
        let text = listing.text([
            .at(1_000_000_001, tid: 400, .avicDoorbell(.init(vcpu: 1))),
            .at(1_000_000_002, .entry(.init(vcpu: 0))),
            .lost(EventGap(instance: 0, cpu: 0, from: 1_000_000_002, to: nil, events: nil)),
            .lost(EventGap(instance: 0, cpu: 1, process: 100, from: 1_000_000_003, to: 1_000_000_009, events: 4)),
        ])
        #expect(
            text == """
                {"type":"trace","base":"1000000000","clock":{"name":"local","unit":"ns"}}
                {"type":"event","time":1,"cpu":0,"tid":400,"vm":null,"vcpu":null,"level":"unknown","event":"kvm_avic_doorbell","fields":{"vcpuid":1}}
                {"type":"event","time":2,"cpu":0,"tid":500,"vm":0,"vcpu":0,"level":"unknown","event":"kvm_entry","fields":{"vcpu":0,"rip":"0x0"}}
                {"type":"lost","instance":0,"cpu":0,"from":2,"to":null,"events":null}
                {"type":"lost","instance":0,"cpu":1,"process":100,"from":3,"to":9,"events":4}

                """)
    }

    @Test func `an inhibit mask with every bit and names of any length fits into a line`() {
        var listing = Listing(inhibitNames: (0..<64).map { _ in String(repeating: "X", count: 5000) })
        let change = KVMEvent.apicvInhibitChanged(.init(reason: 63, set: true, inhibits: .max))
        let names = repeatElement(String(repeating: "X", count: 64), count: 64)
        #expect(
            listing.text([.at(1, change)]).hasSuffix(" inhibits 0xffffffffffffffff \(names.joined(separator: "|"))\n"))
        listing.options.json = true
        #expect(listing.text([.at(1, change)]).hasSuffix("[\(names.map { "\"\($0)\"" }.joined(separator: ","))]}}\n"))
    }
}
