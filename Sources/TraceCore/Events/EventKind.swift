// SPDX-License-Identifier: Apache-2.0

/// Which tracepoint an event comes from: the small integer that arrays are indexed by.
public enum EventKind: UInt8, CaseIterable, Sendable {
    case entry, exit, nestedVMExit, nestedVMExitInject, nestedVMEnter, nestedVMEnterFailed, smmTransition
    case pageFault, markMMIOSPTE, handleMMIOPageFault, mmuSetSPTE, mmio
    case apic, msr, apicIPI, apicAcceptIRQ, apicvAcceptIRQ, injVIRQ, eoi, pvEOI
    case apicvInhibitChanged, apicvUpdateRequest, vcpuWakeup, userspaceExit
    case avicIncompleteIPI, avicUnacceleratedAccess, avicDoorbell, avicGALog
    case avicKickVCPUSlowpath, piIRTEUpdate, cr

    /// The tracepoint's names, the current one first; the second ones are those of kernels up to 5.19 and around 5.10.
    public var tracepoints: [String] {
        switch self {
        case .entry: ["kvm_entry"]
        case .exit: ["kvm_exit"]
        case .nestedVMExit: ["kvm_nested_vmexit"]
        case .nestedVMExitInject: ["kvm_nested_vmexit_inject"]
        case .nestedVMEnter: ["kvm_nested_vmenter", "kvm_nested_vmrun"]
        case .nestedVMEnterFailed: ["kvm_nested_vmenter_failed"]
        case .smmTransition: ["kvm_smm_transition", "kvm_enter_smm"]
        case .pageFault: ["kvm_page_fault"]
        case .markMMIOSPTE: ["mark_mmio_spte"]
        case .handleMMIOPageFault: ["handle_mmio_page_fault"]
        case .mmuSetSPTE: ["kvm_mmu_set_spte"]
        case .mmio: ["kvm_mmio"]
        case .apic: ["kvm_apic"]
        case .msr: ["kvm_msr"]
        case .apicIPI: ["kvm_apic_ipi"]
        case .apicAcceptIRQ: ["kvm_apic_accept_irq"]
        case .apicvAcceptIRQ: ["kvm_apicv_accept_irq"]
        case .injVIRQ: ["kvm_inj_virq"]
        case .eoi: ["kvm_eoi"]
        case .pvEOI: ["kvm_pv_eoi"]
        case .apicvInhibitChanged: ["kvm_apicv_inhibit_changed"]
        case .apicvUpdateRequest: ["kvm_apicv_update_request"]
        case .vcpuWakeup: ["kvm_vcpu_wakeup"]
        case .userspaceExit: ["kvm_userspace_exit"]
        case .avicIncompleteIPI: ["kvm_avic_incomplete_ipi"]
        case .avicUnacceleratedAccess: ["kvm_avic_unaccelerated_access"]
        case .avicDoorbell: ["kvm_avic_doorbell"]
        case .avicGALog: ["kvm_avic_ga_log"]
        case .avicKickVCPUSlowpath: ["kvm_avic_kick_vcpu_slowpath"]
        case .piIRTEUpdate: ["kvm_pi_irte_update"]
        case .cr: ["kvm_cr"]
        }
    }

    /// The kind of a tracepoint's name, nil for one that the machine has no use for.
    public init?(tracepoint name: String) {
        guard let kind = Self.allCases.first(where: { $0.tracepoints.contains(name) }) else { return nil }
        self = kind
    }

    /// The directory of the tracepoint under tracefs' `events`: arch/x86/kvm/mmu/mmutrace.h is a system of its own.
    public var traceSystem: String {
        switch self {
        case .markMMIOSPTE, .handleMMIOPageFault, .mmuSetSPTE: "kvmmmu"
        default: "kvm"
        }
    }
}
