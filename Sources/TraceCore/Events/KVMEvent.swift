// SPDX-License-Identifier: Apache-2.0

/// Which tracepoint an event comes from: the small integer that arrays are indexed by. The probes number their records likewise
/// (Probes/event.h), so a new one comes last.
public enum EventKind: UInt8, CaseIterable, Sendable {
    case entry, exit, nestedVMExit, nestedVMExitInject, nestedVMEnter, nestedVMEnterFailed, smmTransition
    case pageFault, markMMIOSPTE, handleMMIOPageFault, mmuSetSPTE, mmio
    case apic, msr, apicIPI, apicAcceptIRQ, apicvAcceptIRQ, injVIRQ, eoi, pvEOI
    case apicvInhibitChanged, apicvUpdateRequest, vcpuWakeup, userspaceExit
    case avicIncompleteIPI, avicUnacceleratedAccess, avicDoorbell, avicGALog
    case avicKickVCPUSlowpath, piIRTEUpdate, cr
}

/// One hit of a KVM tracepoint, with the fields that the machine uses.
///
/// This file only lists the events. All that is known of one is in its payload, in the file of its family (KVMEvent+APIC.swift
/// and so on). Closed on purpose: an event that isn't here is counted by name and skipped by id. Payloads are trivially
/// copyable; a field that some supported kernel lacks is optional, and absent then, never zero. Field names and
/// meanings: arch/x86/kvm/trace.h, arch/x86/kvm/mmu/mmutrace.h and include/trace/events/kvm.h, 5.10 to 7.3.
public enum KVMEvent: Equatable, Sendable {
    case entry(Entry)
    case exit(Exit)
    case nestedVMExit(Exit)
    case nestedVMExitInject(NestedVMExitInject)
    case nestedVMEnter(NestedVMEnter)
    case nestedVMEnterFailed(NestedVMEnterFailed)
    case smmTransition(SMMTransition)
    case pageFault(PageFault)
    case markMMIOSPTE(MarkMMIOSPTE)
    case handleMMIOPageFault(HandleMMIOPageFault)
    case mmuSetSPTE(MMUSetSPTE)
    case mmio(MMIO)
    case apic(APICAccess)
    case msr(MSRAccess)
    case apicIPI(APICIPI)
    case apicAcceptIRQ(APICAcceptIRQ)
    case apicvAcceptIRQ(APICAcceptIRQ)
    case injVIRQ(InjVIRQ)
    case eoi(EOI)
    case pvEOI(EOI)
    case apicvInhibitChanged(APICvInhibitChanged)
    case apicvUpdateRequest(APICvUpdateRequest)
    case vcpuWakeup(VCPUWakeup)
    case userspaceExit(UserspaceExit)
    case avicIncompleteIPI(AVICIncompleteIPI)
    case avicUnacceleratedAccess(AVICUnacceleratedAccess)
    case avicDoorbell(AVICDoorbell)
    case avicGALog(AVICGALog)
    case avicKickVCPUSlowpath(AVICKickVCPUSlowpath)
    case piIRTEUpdate(PIIRTEUpdate)
    case cr(CRAccess)
}

extension EventKind {
    /// The tracepoint's names and fields.
    var tracepoint: Tracepoint {
        switch self {
        case .entry: KVMEvent.Entry.tracepoint
        case .exit: KVMEvent.Exit.tracepoint
        case .nestedVMExit: KVMEvent.Exit.nestedTracepoint
        case .nestedVMExitInject: KVMEvent.NestedVMExitInject.tracepoint
        case .nestedVMEnter: KVMEvent.NestedVMEnter.tracepoint
        case .nestedVMEnterFailed: KVMEvent.NestedVMEnterFailed.tracepoint
        case .smmTransition: KVMEvent.SMMTransition.tracepoint
        case .pageFault: KVMEvent.PageFault.tracepoint
        case .markMMIOSPTE: KVMEvent.MarkMMIOSPTE.tracepoint
        case .handleMMIOPageFault: KVMEvent.HandleMMIOPageFault.tracepoint
        case .mmuSetSPTE: KVMEvent.MMUSetSPTE.tracepoint
        case .mmio: KVMEvent.MMIO.tracepoint
        case .apic: KVMEvent.APICAccess.tracepoint
        case .msr: KVMEvent.MSRAccess.tracepoint
        case .apicIPI: KVMEvent.APICIPI.tracepoint
        case .apicAcceptIRQ: KVMEvent.APICAcceptIRQ.tracepoint
        case .apicvAcceptIRQ: KVMEvent.APICAcceptIRQ.apicvTracepoint
        case .injVIRQ: KVMEvent.InjVIRQ.tracepoint
        case .eoi: KVMEvent.EOI.tracepoint
        case .pvEOI: KVMEvent.EOI.pvTracepoint
        case .apicvInhibitChanged: KVMEvent.APICvInhibitChanged.tracepoint
        case .apicvUpdateRequest: KVMEvent.APICvUpdateRequest.tracepoint
        case .vcpuWakeup: KVMEvent.VCPUWakeup.tracepoint
        case .userspaceExit: KVMEvent.UserspaceExit.tracepoint
        case .avicIncompleteIPI: KVMEvent.AVICIncompleteIPI.tracepoint
        case .avicUnacceleratedAccess: KVMEvent.AVICUnacceleratedAccess.tracepoint
        case .avicDoorbell: KVMEvent.AVICDoorbell.tracepoint
        case .avicGALog: KVMEvent.AVICGALog.tracepoint
        case .avicKickVCPUSlowpath: KVMEvent.AVICKickVCPUSlowpath.tracepoint
        case .piIRTEUpdate: KVMEvent.PIIRTEUpdate.tracepoint
        case .cr: KVMEvent.CRAccess.tracepoint
        }
    }
}

extension KVMEvent {
    /// The tracepoint that it is a hit of.
    public var kind: EventKind {
        switch self {
        case .entry: .entry
        case .exit: .exit
        case .nestedVMExit: .nestedVMExit
        case .nestedVMExitInject: .nestedVMExitInject
        case .nestedVMEnter: .nestedVMEnter
        case .nestedVMEnterFailed: .nestedVMEnterFailed
        case .smmTransition: .smmTransition
        case .pageFault: .pageFault
        case .markMMIOSPTE: .markMMIOSPTE
        case .handleMMIOPageFault: .handleMMIOPageFault
        case .mmuSetSPTE: .mmuSetSPTE
        case .mmio: .mmio
        case .apic: .apic
        case .msr: .msr
        case .apicIPI: .apicIPI
        case .apicAcceptIRQ: .apicAcceptIRQ
        case .apicvAcceptIRQ: .apicvAcceptIRQ
        case .injVIRQ: .injVIRQ
        case .eoi: .eoi
        case .pvEOI: .pvEOI
        case .apicvInhibitChanged: .apicvInhibitChanged
        case .apicvUpdateRequest: .apicvUpdateRequest
        case .vcpuWakeup: .vcpuWakeup
        case .userspaceExit: .userspaceExit
        case .avicIncompleteIPI: .avicIncompleteIPI
        case .avicUnacceleratedAccess: .avicUnacceleratedAccess
        case .avicDoorbell: .avicDoorbell
        case .avicGALog: .avicGALog
        case .avicKickVCPUSlowpath: .avicKickVCPUSlowpath
        case .piIRTEUpdate: .piIRTEUpdate
        case .cr: .cr
        }
    }

    /// An event of fields that are read one after the other.
    @inline(__always)
    init(_ kind: EventKind, _ fields: inout some FieldVisitor) {
        switch kind {
        case .entry: self = .entry(.init(&fields))
        case .exit: self = .exit(.init(&fields))
        case .nestedVMExit: self = .nestedVMExit(.init(&fields))
        case .nestedVMExitInject: self = .nestedVMExitInject(.init(&fields))
        case .nestedVMEnter: self = .nestedVMEnter(.init(&fields))
        case .nestedVMEnterFailed: self = .nestedVMEnterFailed(.init(&fields))
        case .smmTransition: self = .smmTransition(.init(&fields))
        case .pageFault: self = .pageFault(.init(&fields))
        case .markMMIOSPTE: self = .markMMIOSPTE(.init(&fields))
        case .handleMMIOPageFault: self = .handleMMIOPageFault(.init(&fields))
        case .mmuSetSPTE: self = .mmuSetSPTE(.init(&fields))
        case .mmio: self = .mmio(.init(&fields))
        case .apic: self = .apic(.init(&fields))
        case .msr: self = .msr(.init(&fields))
        case .apicIPI: self = .apicIPI(.init(&fields))
        case .apicAcceptIRQ: self = .apicAcceptIRQ(.init(&fields))
        case .apicvAcceptIRQ: self = .apicvAcceptIRQ(.init(&fields))
        case .injVIRQ: self = .injVIRQ(.init(&fields))
        case .eoi: self = .eoi(.init(&fields))
        case .pvEOI: self = .pvEOI(.init(&fields))
        case .apicvInhibitChanged: self = .apicvInhibitChanged(.init(&fields))
        case .apicvUpdateRequest: self = .apicvUpdateRequest(.init(&fields))
        case .vcpuWakeup: self = .vcpuWakeup(.init(&fields))
        case .userspaceExit: self = .userspaceExit(.init(&fields))
        case .avicIncompleteIPI: self = .avicIncompleteIPI(.init(&fields))
        case .avicUnacceleratedAccess: self = .avicUnacceleratedAccess(.init(&fields))
        case .avicDoorbell: self = .avicDoorbell(.init(&fields))
        case .avicGALog: self = .avicGALog(.init(&fields))
        case .avicKickVCPUSlowpath: self = .avicKickVCPUSlowpath(.init(&fields))
        case .piIRTEUpdate: self = .piIRTEUpdate(.init(&fields))
        case .cr: self = .cr(.init(&fields))
        }
    }

    /// Shows its fields one after the other.
    @inline(__always)
    func visit(_ fields: inout some FieldVisitor) {
        switch self {
        case .entry(var payload): payload.visit(&fields)
        case .exit(var payload), .nestedVMExit(var payload): payload.visit(&fields)
        case .nestedVMExitInject(var payload): payload.visit(&fields)
        case .nestedVMEnter(var payload): payload.visit(&fields)
        case .nestedVMEnterFailed(var payload): payload.visit(&fields)
        case .smmTransition(var payload): payload.visit(&fields)
        case .pageFault(var payload): payload.visit(&fields)
        case .markMMIOSPTE(var payload): payload.visit(&fields)
        case .handleMMIOPageFault(var payload): payload.visit(&fields)
        case .mmuSetSPTE(var payload): payload.visit(&fields)
        case .mmio(var payload): payload.visit(&fields)
        case .apic(var payload): payload.visit(&fields)
        case .msr(var payload): payload.visit(&fields)
        case .apicIPI(var payload): payload.visit(&fields)
        case .apicAcceptIRQ(var payload), .apicvAcceptIRQ(var payload): payload.visit(&fields)
        case .injVIRQ(var payload): payload.visit(&fields)
        case .eoi(var payload), .pvEOI(var payload): payload.visit(&fields)
        case .apicvInhibitChanged(var payload): payload.visit(&fields)
        case .apicvUpdateRequest(var payload): payload.visit(&fields)
        case .vcpuWakeup(var payload): payload.visit(&fields)
        case .userspaceExit(var payload): payload.visit(&fields)
        case .avicIncompleteIPI(var payload): payload.visit(&fields)
        case .avicUnacceleratedAccess(var payload): payload.visit(&fields)
        case .avicDoorbell(var payload): payload.visit(&fields)
        case .avicGALog(var payload): payload.visit(&fields)
        case .avicKickVCPUSlowpath(var payload): payload.visit(&fields)
        case .piIRTEUpdate(var payload): payload.visit(&fields)
        case .cr(var payload): payload.visit(&fields)
        }
    }

    /// Tells its fields as `apictrace events` shows them.
    @inline(__always)
    func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>) {
        switch self {
        case .entry(let payload): payload.tell(text, &out)
        case .exit(let payload), .nestedVMExit(let payload): payload.tell(text, &out)
        case .nestedVMExitInject(let payload): payload.tell(text, &out)
        case .nestedVMEnter(let payload): payload.tell(text, &out)
        case .nestedVMEnterFailed(let payload): payload.tell(text, &out)
        case .smmTransition(let payload): payload.tell(text, &out)
        case .pageFault(let payload): payload.tell(text, &out)
        case .markMMIOSPTE(let payload): payload.tell(text, &out)
        case .handleMMIOPageFault(let payload): payload.tell(text, &out)
        case .mmuSetSPTE(let payload): payload.tell(text, &out)
        case .mmio(let payload): payload.tell(text, &out)
        case .apic(let payload): payload.tell(text, &out)
        case .msr(let payload): payload.tell(text, &out)
        case .apicIPI(let payload): payload.tell(text, &out)
        case .apicAcceptIRQ(let payload), .apicvAcceptIRQ(let payload): payload.tell(text, &out)
        case .injVIRQ(let payload): payload.tell(text, &out)
        case .eoi(let payload), .pvEOI(let payload): payload.tell(text, &out)
        case .apicvInhibitChanged(let payload): payload.tell(text, &out)
        case .apicvUpdateRequest(let payload): payload.tell(text, &out)
        case .vcpuWakeup(let payload): payload.tell(text, &out)
        case .userspaceExit(let payload): payload.tell(text, &out)
        case .avicIncompleteIPI(let payload): payload.tell(text, &out)
        case .avicUnacceleratedAccess(let payload): payload.tell(text, &out)
        case .avicDoorbell(let payload): payload.tell(text, &out)
        case .avicGALog(let payload): payload.tell(text, &out)
        case .avicKickVCPUSlowpath(let payload): payload.tell(text, &out)
        case .piIRTEUpdate(let payload): payload.tell(text, &out)
        case .cr(let payload): payload.tell(text, &out)
        }
    }

    /// The vCPU that the event is aimed at, where its thread need not be that vCPU's.
    public var target: UInt32? {
        switch self {
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept): accept.vcpu
        case .eoi(let end), .pvEOI(let end): end.vcpu
        case .avicDoorbell(let doorbell): doorbell.vcpu
        case .avicGALog(let log): log.vcpu
        case .piIRTEUpdate(let update): UInt32(exactly: update.vcpu)
        case .entry, .exit, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter, .nestedVMEnterFailed, .smmTransition,
            .pageFault, .markMMIOSPTE, .handleMMIOPageFault, .mmuSetSPTE, .mmio, .apic, .msr, .cr, .apicIPI, .injVIRQ,
            .apicvInhibitChanged, .apicvUpdateRequest, .vcpuWakeup, .userspaceExit, .avicIncompleteIPI,
            .avicUnacceleratedAccess, .avicKickVCPUSlowpath:
            nil
        }
    }
}
