// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Each event in each spelling of the kernels, the plugin of libtraceevent and `trace-cmd report -R`, 2.6.3x to 7.2.
@Suite struct TextEventTests {
    struct Spelling: CustomTestStringConvertible, Sendable {
        var name: String
        var text: String
        var event: KVMEvent

        init(_ name: String, _ text: String, _ event: KVMEvent) {
            (self.name, self.text, self.event) = (name, text, event)
        }

        var testDescription: String { "\(name): \(text)" }
    }

    private static func exit(
        _ reason: ExitReason, vcpu: Int32? = nil, _ rip: UInt64 = 0, _ info1: UInt64 = 0, _ info2: UInt64 = 0,
        _ intr: UInt32 = 0, flags: UInt32 = 0
    ) -> KVMEvent {
        .exit(
            .init(
                reason: reason.code | flags, isa: reason.isa.recorded, vcpu: vcpu, rip: rip, info1: info1, info2: info2,
                intrInfo: intr))
    }

    private static func nested(_ event: KVMEvent) -> KVMEvent {
        guard case .exit(let exit) = event else { return event }
        return .nestedVMExit(exit)
    }

    private static func svm(_ code: UInt32) -> ExitReason { ExitReason(isa: .svm, recorded: code) }
    private static func vmx(_ code: UInt32) -> ExitReason { ExitReason(isa: .vmx, recorded: code) }

    static let entries = [
        Spelling("kvm_entry", "vcpu 0", .entry(.init(vcpu: 0, rip: nil))),
        Spelling("kvm_entry", "vcpu 12, rip 0x406a89", .entry(.init(vcpu: 12, rip: 0x406a89))),
        Spelling("kvm_entry", "vcpu 0, rip 0x406a89[immediate exit]", .entry(.init(vcpu: 0, rip: 0x406a89))),
        Spelling("kvm_entry", "vcpu 0, rip 0x406a89 [immediate exit]", .entry(.init(vcpu: 0, rip: 0x406a89))),
        Spelling(
            "kvm_entry", "vcpu 0, rip 0xffffffff81001000 intr_info 0x80000b0e error_code 0x00000000",
            .entry(.init(vcpu: 0, rip: 0xffff_ffff_8100_1000, intrInfo: 0x8000_0b0e))),
        Spelling("kvm_entry", " vcpu 0 rip 0x100000", .entry(.init(vcpu: 0, rip: 0x100000))),
        Spelling("kvm_entry", " vcpu 1<CANT FIND FIELD rip>vcpu 1", .entry(.init(vcpu: 1, rip: nil))),
        Spelling("kvm_entry", "vcpu_id=1 rip=0x8103", .entry(.init(vcpu: 1, rip: 0x8103))),
        Spelling(
            "kvm_entry", "vcpu_id=0x1 (1) rip=0x8103 (33027) immediate_exit=(0)", .entry(.init(vcpu: 1, rip: 0x8103))),
    ]

    static let exits = [
        Spelling("kvm_exit", "reason MSR_WRITE rip 0x402919 info 0 0", exit(.msrWrite, 0x402919)),
        Spelling(
            "kvm_exit", "reason EXTERNAL_INTERRUPT rip 0x402919 info 0 800000ec",
            exit(.externalInterrupt, 0x402919, 0, 0x8000_00ec)),
        Spelling(
            "kvm_exit", "reason EXCEPTION_NMI rip 0x402919 info 0 0 intr 80000b0e",
            exit(vmx(0), 0x402919, 0, 0, 0x8000_0b0e)),
        Spelling(
            "kvm_exit",
            "vcpu 3 reason EPT_VIOLATION rip 0x100000 info1 0x0000000000000182 info2 0x0000000080000061 intr_info 0x800000f2 error_code 0x00000000",
            exit(.eptViolation, vcpu: 3, 0x100000, 0x182, 0x8000_0061, 0x8000_00f2)),
        Spelling(
            "kvm_exit",
            "vcpu 3 reason HLT rip 0x1 info1 0x0000000000000000 info2 0x0000000000000000 intr_info 0x00000000 error_code 0x00000000 requests 0x0000000000000001",
            exit(.hlt, vcpu: 3, 1)),
        Spelling("kvm_exit", "reason PENDING_INTERRUPT rip 0x1 info 0 0", exit(.interruptWindow, 1)),
        Spelling("kvm_exit", "reason INTERRUPT_WINDOW rip 0x1 info 0 0", exit(.interruptWindow, 1)),
        Spelling(
            "kvm_exit", "vcpu 0 reason INVALID_STATE FAILED_VMENTRY rip 0x1 info1 0x0 info2 0x0 intr_info 0x0",
            exit(vmx(33), vcpu: 0, 1, flags: 1 << 31)),
        Spelling("kvm_exit", "vcpu 23 reason DR_ACCESS info1 0x0000000000000216", exit(vmx(29), vcpu: 23, 0, 0x216)),
        Spelling("kvm_exit", "vcpu 0 reason DR_ACCESS", exit(vmx(29), vcpu: 0)),
        Spelling("kvm_exit", "reason UNKNOWN (53) rip 0x1 info 0 0", exit(vmx(53), 1)),
        Spelling("kvm_exit", "reason UNKNOWN (4) rip 0x1 info 0 0", exit(.sipiSignal, 1)),
        Spelling(
            "kvm_exit", "vcpu 0 reason 0x4c rip 0x1 info1 0x0 info2 0x0 intr_info 0x0", exit(vmx(0x4c), vcpu: 0, 1)),
        Spelling(
            "kvm_exit",
            "exit_reason=48 guest_rip=0x100000 isa=1 info1=0x82 info2=0x0 intr_info=0x0 error_code=0x0 vcpu_id=2",
            exit(.eptViolation, vcpu: 2, 0x100000, 0x82)),
        Spelling(
            "kvm_exit",
            "exit_reason=0x30 (48) guest_rip=0x8129 (33065) isa=0x1 (1) info1=0x6 (6) info2=0xc000 (49152) intr_info=0x0 (0) error_code=0x0 (0) vcpu_id=0x1 (1)",
            exit(.eptViolation, vcpu: 1, 0x8129, 6, 0xc000)),
    ]

    static let exitsOfSVM = [
        Spelling(
            "kvm_exit", "reason EXIT_NPF rip 0x8100 info 200000006 1000", exit(.svmNPF, 0x8100, 0x2_0000_0006, 0x1000)),
        Spelling("kvm_exit", "reason EXIT_EXCP_GP rip 0x1 info 0 0", exit(svm(0x4d), 1)),
        Spelling("kvm_exit", "reason EXIT_MSR rip 0x1 info 1 0", exit(svm(0x7c), 1, 1)),
        Spelling("kvm_exit", "reason EXIT_IOIO rip 0x1 info 1 0", exit(svm(0x7b), 1, 1)),
        Spelling("kvm_exit", "reason EXIT_RSM rip 0x1 info 0 0", exit(svm(0x73), 1)),
        Spelling("kvm_exit", "reason EXIT_WRITE_CR8 rip 0x1 info 0 0", exit(svm(0x18), 1)),
        Spelling("kvm_exit", "reason UNKNOWN (143) rip 0x1 info 0 0", exit(svm(143), 1)),
        Spelling("kvm_exit", "reason EXIT_ERR rip 0x1 info 0 0", exit(svm(0xffff_ffff), 1)),
        Spelling(
            "kvm_exit",
            "vcpu 0 reason npf rip 0x8129 info1 0x0000000100000006 info2 0x000000000000c000 intr_info 0x00000000",
            exit(.svmNPF, vcpu: 0, 0x8129, 0x1_0000_0006, 0xc000)),
        Spelling(
            "kvm_exit", "vcpu 0 reason hlt rip 0x1 info1 0x0 info2 0x0 intr_info 0x80000061",
            exit(.svmHLT, vcpu: 0, 1, 0, 0, 0x8000_0061)),
        Spelling(
            "kvm_exit", "vcpu 0 reason interrupt rip 0x1 info1 0x0 info2 0x0 intr_info 0x0", exit(.svmINTR, vcpu: 0, 1)),
        Spelling(
            "kvm_exit", "vcpu 0 reason vintr rip 0x1 info1 0x0 info2 0x0 intr_info 0x0", exit(.svmVINTR, vcpu: 0, 1)),
        Spelling(
            "kvm_exit", "vcpu 0 reason hypercall rip 0x1 info1 0x0 info2 0x0 intr_info 0x0", exit(svm(0x81), vcpu: 0, 1)
        ),
        Spelling(
            "kvm_exit", "vcpu 0 reason GP excp rip 0x1 info1 0x0 info2 0x0 intr_info 0x0", exit(svm(0x4d), vcpu: 0, 1)),
        Spelling(
            "kvm_exit", "vcpu 0 reason invalid_guest_state rip 0x1 info1 0x0 info2 0x0 intr_info 0x0",
            exit(svm(0xffff_ffff), vcpu: 0, 1)),
    ]

    static let nestedExits = [
        Spelling(
            "kvm_nested_vmexit",
            "rip fffff80298 reason EPT_VIOLATION info1 181 info2 0 int_info 80000061 int_info_err 0",
            nested(exit(.eptViolation, 0xff_fff8_0298, 0x181, 0, 0x8000_0061))),
        Spelling(
            "kvm_nested_vmexit",
            "rip: 0x00000000fff80298 reason: EPT_VIOLATION ext_inf1: 0x0000000000000181 ext_inf2: 0x0000000000000001 ext_int: 0x80000061 ext_int_err: 0x00000000",
            nested(exit(.eptViolation, 0xfff8_0298, 0x181, 1, 0x8000_0061))),
        Spelling(
            "kvm_nested_vmexit",
            "<CANT FIND FIELD rip>vcpu 2 reason HLT rip 0x1 info1 0x2 info2 0x3 intr_info 0x4 error_code 0x00000000",
            nested(exit(.hlt, vcpu: 2, 1, 2, 3, 4))),
        Spelling(
            "kvm_nested_vmexit",
            "CAN'T FIND FIELD \"rip\"<CANT FIND FIELD exit_code>vcpu 2 reason HLT rip 0x1 info1 0x2 info2 0x3 intr_info 0x4 error_code 0x00000000",
            nested(exit(.hlt, vcpu: 2, 1, 2, 3, 4))),
        Spelling(
            "kvm_nested_vmexit_inject", "reason EXTERNAL_INTERRUPT info1 0 info2 0 int_info 80000081 int_info_err 0",
            .nestedVMExitInject(.init(exitCode: 1, intInfo: 0x8000_0081))),
        Spelling(
            "kvm_nested_vmexit_inject",
            "reason: TRIPLE_FAULT ext_inf1: 0x0000000000000001 ext_inf2: 0x0000000000000002 ext_int: 0x00000000 ext_int_err: 0x00000000",
            .nestedVMExitInject(.init(exitCode: 2, info1: 1, info2: 2))),
        Spelling(
            "kvm_nested_vmexit_inject",
            "exit_code=1 exit_info1=0x0 exit_info2=0x0 exit_int_info=0x80000081 exit_int_info_err=0x0 isa=1",
            .nestedVMExitInject(.init(exitCode: 1, intInfo: 0x8000_0081))),
        Spelling(
            "kvm_nested_vmenter",
            "rip: 0x0000000000001000 vmcs: 0x0000000000002000 nested_rip: 0x0000000000003000 int_ctl: 0x00000061 event_inj: 0x80000081 nested_ept=y nested_eptp: 0x000000000000501e",
            .nestedVMEnter(.init(rip: 0x1000, nestedRIP: 0x3000, intCtl: 0x61, eventInj: 0x8000_0081))),
        Spelling(
            "kvm_nested_vmenter",
            "rip: 0x0000000000001000 vmcb: 0x0000000000002000 nested_rip: 0x0000000000003000 int_ctl: 0x00000000 event_inj: 0x00000000 nested_npt=n guest_cr3: 0x000000000000501e",
            .nestedVMEnter(.init(rip: 0x1000, nestedRIP: 0x3000, isa: 2))),
        Spelling(
            "kvm_nested_vmrun",
            "rip: 0x0000000000001000 vmcb: 0x0000000000002000 nrip: 0x0000000000003000 int_ctl: 0x00000000 event_inj: 0x80000081 npt: on",
            .nestedVMEnter(.init(rip: 0x1000, nestedRIP: 0x3000, eventInj: 0x8000_0081, isa: 2))),
        Spelling(
            "kvm_nested_vmenter_failed", "VM-instruction error: VMENTRY_INVALID_CONTROL_FIELD",
            .nestedVMEnterFailed(.init(error: 7))),
        Spelling("kvm_nested_vmenter_failed", "!nested_cpu_has(vmcs12)", .nestedVMEnterFailed(.init(error: 0))),
    ]

    static let interrupts = [
        Spelling("kvm_inj_virq", "irq 52", .injVIRQ(.init(vector: 52, soft: nil, reinjected: nil))),
        Spelling("kvm_inj_virq", "IRQ 0xb0", .injVIRQ(.init(vector: 0xb0))),
        Spelling("kvm_inj_virq", "IRQ 0xd1 [reinjected]", .injVIRQ(.init(vector: 0xd1, reinjected: true))),
        Spelling(
            "kvm_inj_virq", "Soft/INTn 0x20 [reinjected]", .injVIRQ(.init(vector: 0x20, soft: true, reinjected: true))),
        Spelling(
            "kvm_inj_virq", "vector=176 soft=0 reinjected=1",
            .injVIRQ(.init(vector: 176, soft: false, reinjected: true))),
        Spelling("kvm_apic_accept_irq", "apicid 0 vec 129 (Fixed|level)", .apicAcceptIRQ(.init(vcpu: 0, vector: 129))),
        Spelling(
            "kvm_apic_accept_irq", "apicid 1f vec 8 (SIPI|edge)",
            .apicAcceptIRQ(.init(vcpu: 0x1f, deliveryMode: 0x600, vector: 8))),
        Spelling(
            "kvm_apicv_accept_irq", "apicid 10 vec 0 (INIT|edge)",
            .apicvAcceptIRQ(.init(vcpu: 0x10, deliveryMode: 0x500, vector: 0))),
        Spelling(
            "kvm_apic_accept_irq", "apicid=0x1 (1) dm=0x0 (0) tm=0x0 (0) vec='Q'(81)",
            .apicAcceptIRQ(.init(vcpu: 1, vector: 81))),
        Spelling("kvm_apic_accept_irq", "apicid=10 dm=0 tm=0 vec=81", .apicAcceptIRQ(.init(vcpu: 16, vector: 81))),
        Spelling(
            "kvm_apic_ipi", "dst b0 vec 176 (Fixed|physical|assert|edge|self)",
            .apicIPI(.init(icrLow: 0x4_40b0, destination: 0xb0))),
        Spelling(
            "kvm_apic_ipi", "dst 1 vec 2 (NMI|logical|de-assert|level|all-but-self)",
            .apicIPI(.init(icrLow: 0xc_8c02, destination: 1))),
        Spelling(
            "kvm_apic_ipi", "dst ffffffff vec 81 (Fixed|physical|assert|edge|dst)",
            .apicIPI(.init(icrLow: 0x4051, destination: 0xffff_ffff))),
        Spelling("kvm_eoi", "apicid 0 vector 176", .eoi(.init(vcpu: 0, vector: 176))),
        Spelling("kvm_eoi", "apicid 1f vector -1", .eoi(.init(vcpu: 0x1f, vector: -1))),
        Spelling("kvm_pv_eoi", "apicid 0 vector 97", .pvEOI(.init(vcpu: 0, vector: 97))),
        Spelling("kvm_eoi", "apicid=0x10 (16) vector=0x61 (97)", .eoi(.init(vcpu: 16, vector: 97))),
        Spelling(
            "kvm_apicv_inhibit_changed", "set reason=2, inhibits=0x4",
            .apicvInhibitChanged(.init(reason: 2, set: true, inhibits: 4))),
        Spelling(
            "kvm_apicv_inhibit_changed", "cleared reason=8, inhibits=0x200 PIT_REINJ",
            .apicvInhibitChanged(.init(reason: 8, set: false, inhibits: 0x200))),
        Spelling(
            "kvm_apicv_inhibit_changed", "set reason=9, inhibits=0x300 IRQWIN|PIT_REINJ",
            .apicvInhibitChanged(.init(reason: 9, set: true, inhibits: 0x300))),
        Spelling(
            "kvm_apicv_inhibit_changed", "set reason=2, inhibits=0x4 0x4",
            .apicvInhibitChanged(.init(reason: 2, set: true, inhibits: 4))),
        Spelling(
            "kvm_apicv_inhibit_changed", "reason=2 set=1 inhibits=0x4",
            .apicvInhibitChanged(.init(reason: 2, set: true, inhibits: 4))),
        Spelling(
            "kvm_apicv_update_request", "deactivate bit=2", .apicvUpdateRequest(.init(activate: false, bit: 2))),
        Spelling("kvm_avic_doorbell", "vcpuid=1, apicid=3", .avicDoorbell(.init(vcpu: 1))),
        Spelling("kvm_avic_ga_log", "vmid=16777216, vcpuid=1", .avicGALog(.init(vm: 16_777_216, vcpu: 1))),
        Spelling(
            "kvm_avic_incomplete_ipi", "vcpu=0, icrh:icrl=0x01000000:000040f2, id=1, index=1",
            .avicIncompleteIPI(.init(vcpu: 0, icrHigh: 0x100_0000, icrLow: 0x40f2, id: 1))),
        Spelling(
            "kvm_avic_kick_vcpu_slowpath", "icrh:icrl=0x000001:000040f2, index=1",
            .avicKickVCPUSlowpath(.init(icrHigh: 1, icrLow: 0x40f2, index: 1))),
        Spelling(
            "kvm_avic_unaccelerated_access", "vcpu=1, offset=0xb0(APIC_EOI), trap, write, vec=0x61",
            .avicUnacceleratedAccess(.init(vcpu: 1, offset: 0xb0, isWrite: true))),
        Spelling(
            "kvm_avic_unaccelerated_access", "vcpu=1, offset=0x380(APIC_TMICT), fault, read, vec=0x0",
            .avicUnacceleratedAccess(.init(vcpu: 1, offset: 0x380, isWrite: false))),
        Spelling(
            "kvm_pi_irte_update",
            "VT-d PI is enabled and being updated for irq 48, vcpu 2, gsi: 0x18, gvec: 0x61, pi_desc_addr: 0x1",
            .piIRTEUpdate(.init(vcpu: 2, vector: 0x61, set: true))),
        Spelling(
            "kvm_pi_irte_update", "PI is disabled for irq 48, vcpu -1, gsi: 0x18, gvec: 0x61",
            .piIRTEUpdate(.init(vcpu: -1, vector: 0x61, set: false))),
    ]

    static let accesses = [
        Spelling("kvm_apic", "apic_write APIC_EOI = 0x0", .apic(.init(isWrite: true, register: 0xb0))),
        Spelling(
            "kvm_apic", "apic_write APIC_ICR = 0xb0000440b0",
            .apic(.init(isWrite: true, register: 0x300, value: 0xb0_0004_40b0))),
        Spelling(
            "kvm_apic", "apic_read APIC_TASKPRI = 0x10", .apic(.init(isWrite: false, register: 0x80, value: 0x10))),
        Spelling("kvm_apic", "apic_read APIC_ISR = 0x2", .apic(.init(isWrite: false, register: 0x100, value: 2))),
        Spelling("kvm_apic", "apic_read 0x110 = 0x2", .apic(.init(isWrite: false, register: 0x110, value: 2))),
        Spelling("kvm_apic", "rw=1 reg=0xb0 val=0x0", .apic(.init(isWrite: true, register: 0xb0))),
        Spelling("kvm_msr", "msr_write 830 = 0x40f2", .msr(.init(isWrite: true, index: 0x830, value: 0x40f2))),
        Spelling("kvm_msr", "msr_read 1b = 0xfee00900", .msr(.init(isWrite: false, index: 0x1b, value: 0xfee0_0900))),
        Spelling(
            "kvm_msr", "msr_write c0011020 = 0x1 (#GP)",
            .msr(.init(isWrite: true, index: 0xc001_1020, value: 1, exception: true))),
        Spelling(
            "kvm_msr", "write=1 ecx=0x830 data=0x1 exception=0", .msr(.init(isWrite: true, index: 0x830, value: 1))),
        Spelling("kvm_cr", "cr_write 8 = 0x4", .cr(.init(isWrite: true, register: 8, value: 4))),
        Spelling("kvm_cr", "cr_read 8 = 0x4", .cr(.init(isWrite: false, register: 8, value: 4))),
        Spelling(
            "kvm_mmio", "mmio write len 4 gpa 0xfee000b0 val 0x0", .mmio(.init(type: 2, length: 4, gpa: 0xfee0_00b0))),
        Spelling(
            "kvm_mmio", "mmio unsatisfied-read len 8 gpa 0xfec00000 val 0x0",
            .mmio(.init(type: 0, length: 8, gpa: 0xfec0_0000))),
        Spelling(
            "kvm_mmio", "mmio read len 4 gpa 0xfee00020 val 0x1000000",
            .mmio(.init(type: 1, length: 4, gpa: 0xfee0_0020, value: 0x100_0000))),
        Spelling("kvm_page_fault", "address fc000 error_code 14", .pageFault(.init(address: 0xfc000, errorCode: 0x14))),
        Spelling(
            "kvm_page_fault", "vcpu 3 rip 0x1 address 0x0000000000001050 error_code 0x181",
            .pageFault(.init(vcpu: 3, address: 0x1050, errorCode: 0x181))),
        Spelling(
            "kvm_page_fault", "vcpu_id=3 guest_rip=0x1 fault_address=0x1050 error_code=0x181",
            .pageFault(.init(vcpu: 3, address: 0x1050, errorCode: 0x181))),
        Spelling(
            "mark_mmio_spte", "sptep:00000000d1f2c3b4 gfn fee00 access 7 gen 1b", .markMMIOSPTE(.init(gfn: 0xfee00))),
        Spelling(
            "mark_mmio_spte", "sptep:0xffff888105e1e700 gfn fee00 access 7 gen 1b", .markMMIOSPTE(.init(gfn: 0xfee00))),
        Spelling(
            "handle_mmio_page_fault", "addr:fee000b0 gfn fee00 access 2",
            .handleMMIOPageFault(.init(address: 0xfee0_00b0, gfn: 0xfee00))),
        Spelling("kvm_mmu_set_spte", "gfn c spte 8462e67 (rwxu) level 1 at 7f7b060", .mmuSetSPTE(.init(gfn: 0xc))),
        Spelling(
            "kvm_vcpu_wakeup", "wait time 4921310 ns, polling valid",
            .vcpuWakeup(.init(nanoseconds: 4_921_310, waited: true))),
        Spelling(
            "kvm_vcpu_wakeup", "poll time 100 ns, polling invalid", .vcpuWakeup(.init(nanoseconds: 100, waited: false))),
        Spelling("kvm_userspace_exit", "reason KVM_EXIT_IO (2)", .userspaceExit(.init(reason: 2))),
        Spelling("kvm_userspace_exit", "reason restart (4)", .userspaceExit(.init(reason: 10))),
        Spelling(
            "kvm_smm_transition", "vcpu 1: entering SMM, smbase 0x30000", .smmTransition(.init(vcpu: 1, entering: true))
        ),
        Spelling(
            "kvm_enter_smm", "vcpu 1: leaving SMM, smbase 0x30000", .smmTransition(.init(vcpu: 1, entering: false))),
    ]

    @Test(arguments: entries + exits + nestedExits + interrupts + accesses)
    func `an event of Intel's is read in each spelling`(_ spelling: Spelling) throws {
        try check(spelling, after: "reason HLT rip 0x1 info 0 0")
    }

    @Test(arguments: exitsOfSVM)
    func `an exit of AMD's is read in each spelling`(_ spelling: Spelling) throws {
        try check(spelling, after: "reason EXIT_HLT rip 0x1 info 0 0")
    }

    /// A reason without a name is one of the machine that the exits before it name.
    private func check(_ spelling: Spelling, after exit: String) throws {
        let head = " qemu-7 [000] 1.0000"
        for text in [
            "\(head)01: kvm_exit: \(exit)\n\(head)02: \(spelling.name): \(spelling.text)\n",
            "\(head)01: kvm:kvm_exit: \(exit)\n\(head)02: kvm:\(spelling.name):   \(spelling.text)",
        ] {
            var file = try TestFile.open(text.utf8)
            var collector = TextTwin.Collector()
            let totals = try file.read(into: &collector)
            #expect(totals.illegible == nil)
            #expect(collector.items.count == 2)
            guard case .event(let event, let stamp) = collector.items.last else { continue }
            #expect(event == spelling.event)
            #expect(stamp == EventStamp(time: 1_000_002_000, cpu: 0, tid: 7))
        }
    }

    /// Numbers that don't fit, and words that are missing.
    @Test(arguments: [
        "kvm_exit: rip 0x1", "kvm_exit: reason NOBODY_KNOWS rip 0x1", "kvm_exit: reason",
        "kvm_eoi: apicid 0", "kvm_eoi: vector 1", "kvm_eoi: apicid 0 vector 12345678901", "kvm_eoi: apicid 0 vector x",
        "kvm_apic_accept_irq: apicid 0 vec 300 (Fixed|edge)", "kvm_inj_virq: ", "kvm_inj_virq: IRQ",
        "kvm_apic: apic_write APIC_NOBODY = 0x0", "kvm_msr: msr_write 830 = x", "kvm_mmio: mmio write len 4 gpa",
        "kvm_apicv_inhibit_changed: reason=1", "kvm_page_fault: vcpu 0 rip 0x1 address", "kvm_page_fault: 1 2 3",
        "kvm_nested_vmenter: rip: 0x1", "kvm_cr: cr_write 8 = what", "kvm_vcpu_wakeup: wait time ns",
        "kvm_eoi: apicid 0 vector 18446744073709551616", "kvm_msr: msr_write 1ffffffff = 0x0",
    ])
    func `a line that looks like an event and can't be read is told with its number`(line: String) throws {
        let text =
            "# nothing\n qemu-7 [000] 1.0: kvm_entry: vcpu 0, rip 0x1\n qemu-7 [000] 1.5: \(line)\n qemu-7 [000] 2.0: \(line)"
        let totals = try TestFile.read(text.utf8).totals
        let name = String(line.prefix { $0 != ":" })
        #expect(totals.illegible == .init(lines: 2, first: 3, name: name))
        #expect(!totals.isWhole)
        let report = try TestText.report(text)
        #expect(report.verdict == .inconclusive)
        #expect(
            report.reasons.contains { $0.hasPrefix("Line 3 looks like \(name) and can't be read, nor can 1 more") })
    }
}
