// SPDX-License-Identifier: Apache-2.0

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

    /// The vCPU that the event is aimed at, where its thread need not be that vCPU's.
    public var target: UInt32? {
        switch self {
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept): accept.vcpu
        case .eoi(let end), .pvEOI(let end): end.vcpu
        case .avicDoorbell(let doorbell): doorbell.vcpu
        case .avicGALog(let log): log.vcpu
        case .piIRTEUpdate(let update): UInt32(exactly: update.vcpu)
        default: nil
        }
    }
}
