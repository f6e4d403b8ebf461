// SPDX-License-Identifier: Apache-2.0

/// One hit of a KVM tracepoint, with the fields that the machine uses.
///
/// Closed on purpose: an event that isn't here is counted by name and skipped by id. Payloads are trivially
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
