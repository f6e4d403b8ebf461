// SPDX-License-Identifier: Apache-2.0

extension KVMEvent {
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
        }
    }
}
