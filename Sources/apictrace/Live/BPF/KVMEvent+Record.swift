// SPDX-License-Identifier: Apache-2.0
import CBPF
import TraceCore

extension KVMEvent {
    /// The event of a tracepoint's record; Probes/event.h says which member of the union a kind uses.
    init(_ kind: EventKind, _ header: probe_header, _ record: probe_record) {
        func has(_ field: probe_has) -> Bool { UInt32(header.has) & field.rawValue != 0 }
        switch kind {
        case .entry:
            let entry = record.entry
            self = .entry(
                Entry(
                    vcpu: Int32(bitPattern: entry.vcpu), rip: entry.rip,
                    intrInfo: has(HAS_INTR_INFO) ? entry.intr_info : nil))
        case .exit: self = .exit(Exit(record.exit))
        case .nestedVMExit: self = .nestedVMExit(Exit(record.exit))
        case .nestedVMExitInject:
            let exit = record.nested_exit_inject
            self = .nestedVMExitInject(
                NestedVMExitInject(
                    exitCode: exit.exit_code, info1: exit.info1, info2: exit.info2, intInfo: exit.int_info,
                    isa: exit.isa))
        case .nestedVMEnter:
            let enter = record.nested_enter
            self = .nestedVMEnter(
                NestedVMEnter(
                    rip: enter.rip, nestedRIP: enter.nested_rip, intCtl: enter.int_ctl, eventInj: enter.event_inj,
                    isa: has(HAS_ISA) ? enter.isa : nil))
        case .nestedVMEnterFailed:
            self = .nestedVMEnterFailed(NestedVMEnterFailed(error: record.nested_enter_failed.error))
        case .smmTransition:
            self = .smmTransition(
                SMMTransition(vcpu: Int32(bitPattern: record.smm.vcpu), entering: record.smm.entering != 0))
        case .pageFault:
            let fault = record.page_fault
            self = .pageFault(
                PageFault(
                    vcpu: has(HAS_VCPU) ? Int32(bitPattern: fault.vcpu) : nil, address: fault.address,
                    errorCode: fault.error_code))
        case .markMMIOSPTE: self = .markMMIOSPTE(MarkMMIOSPTE(gfn: record.mmio_spte.gfn))
        case .handleMMIOPageFault:
            self = .handleMMIOPageFault(
                HandleMMIOPageFault(address: record.mmio_spte.address, gfn: record.mmio_spte.gfn))
        case .mmuSetSPTE: self = .mmuSetSPTE(MMUSetSPTE(gfn: record.mmio_spte.gfn))
        case .mmio:
            let mmio = record.mmio
            self = .mmio(MMIO(type: mmio.type, length: mmio.length, gpa: mmio.gpa, value: mmio.value))
        case .apic:
            let access = record.access
            self = .apic(APICAccess(isWrite: access.write != 0, register: access.index, value: access.value))
        case .msr:
            let access = record.access
            self = .msr(
                MSRAccess(
                    isWrite: access.write != 0, index: access.index, value: access.value,
                    exception: access.exception != 0))
        case .cr:
            let access = record.access
            self = .cr(CRAccess(isWrite: access.write != 0, register: access.index, value: access.value))
        case .apicIPI:
            self = .apicIPI(APICIPI(icrLow: record.ipi.icr_low, destination: record.ipi.destination))
        case .apicAcceptIRQ: self = .apicAcceptIRQ(APICAcceptIRQ(record))
        case .apicvAcceptIRQ: self = .apicvAcceptIRQ(APICAcceptIRQ(record))
        case .injVIRQ:
            let inject = record.inject
            self = .injVIRQ(
                InjVIRQ(
                    vector: inject.vector, soft: has(HAS_REINJECTED) ? inject.soft != 0 : nil,
                    reinjected: has(HAS_REINJECTED) ? inject.reinjected != 0 : nil))
        case .eoi: self = .eoi(EOI(vcpu: record.eoi.vcpu, vector: record.eoi.vector))
        case .pvEOI: self = .pvEOI(EOI(vcpu: record.eoi.vcpu, vector: record.eoi.vector))
        case .apicvInhibitChanged:
            let inhibit = record.inhibit
            self = .apicvInhibitChanged(
                APICvInhibitChanged(reason: inhibit.reason, set: inhibit.set != 0, inhibits: inhibit.inhibits))
        case .apicvUpdateRequest:
            self = .apicvUpdateRequest(
                APICvUpdateRequest(activate: record.inhibit.set != 0, bit: record.inhibit.inhibits))
        case .vcpuWakeup:
            self = .vcpuWakeup(
                VCPUWakeup(nanoseconds: record.wakeup.nanoseconds, waited: record.wakeup.waited != 0))
        case .userspaceExit: self = .userspaceExit(UserspaceExit(reason: record.userspace_exit.reason))
        case .avicIncompleteIPI:
            let ipi = record.incomplete_ipi
            self = .avicIncompleteIPI(
                AVICIncompleteIPI(vcpu: ipi.vcpu, icrHigh: ipi.icr_high, icrLow: ipi.icr_low, id: ipi.id))
        case .avicUnacceleratedAccess:
            let access = record.unaccelerated
            self = .avicUnacceleratedAccess(
                AVICUnacceleratedAccess(vcpu: access.vcpu, offset: access.offset, isWrite: access.write != 0))
        case .avicDoorbell: self = .avicDoorbell(AVICDoorbell(vcpu: record.avic.vcpu))
        case .avicGALog: self = .avicGALog(AVICGALog(vm: record.avic.vm, vcpu: record.avic.vcpu))
        case .avicKickVCPUSlowpath:
            let kick = record.kick
            self = .avicKickVCPUSlowpath(
                AVICKickVCPUSlowpath(icrHigh: kick.icr_high, icrLow: kick.icr_low, index: kick.index))
        case .piIRTEUpdate:
            let posted = record.posted
            self = .piIRTEUpdate(PIIRTEUpdate(vcpu: posted.vcpu, vector: posted.vector, set: posted.set != 0))
        }
    }
}

extension KVMEvent.Exit {
    fileprivate init(_ exit: probe_exit) {
        self.init(
            reason: exit.reason, isa: exit.isa, vcpu: Int32(bitPattern: exit.vcpu), rip: exit.rip, info1: exit.info1,
            info2: exit.info2)
    }
}

extension KVMEvent.APICAcceptIRQ {
    fileprivate init(_ record: probe_record) {
        self.init(
            vcpu: record.accept.vcpu, deliveryMode: record.accept.delivery_mode,
            vector: UInt8(truncatingIfNeeded: record.accept.vector))
    }
}

extension EventStamp {
    init(_ header: probe_header) {
        self.init(time: header.time, cpu: Int32(bitPattern: header.cpu), tid: Int32(bitPattern: header.tid))
    }
}
