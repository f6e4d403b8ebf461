// SPDX-License-Identifier: Apache-2.0
import AttackSuite

@testable import TraceCore

/// Random events with every field drawn over its whole width.
enum TestEvents {
    static func event(_ kind: EventKind, _ random: inout TestRandom) -> KVMEvent {
        func any<T: FixedWidthInteger>() -> T { T(truncatingIfNeeded: random.next()) }
        func flag() -> Bool { random.next() & 1 == 1 }
        func perhaps<T>(_ value: T) -> T? { flag() ? value : nil }
        func exit() -> KVMEvent.Exit {
            .init(
                reason: any(), isa: any(), vcpu: perhaps(any()), rip: any(), info1: any(), info2: any(),
                intrInfo: any())
        }
        func accept() -> KVMEvent.APICAcceptIRQ {
            .init(vcpu: any(), deliveryMode: any(), vector: any(), inHardIRQ: flag())
        }
        switch kind {
        case .entry: return .entry(.init(vcpu: perhaps(any()), rip: any(), intrInfo: perhaps(any())))
        case .exit: return .exit(exit())
        case .nestedVMExit: return .nestedVMExit(exit())
        case .nestedVMExitInject:
            return .nestedVMExitInject(
                .init(exitCode: any(), info1: any(), info2: any(), intInfo: any(), isa: any()))
        case .nestedVMEnter:
            return .nestedVMEnter(
                .init(rip: any(), nestedRIP: any(), intCtl: any(), eventInj: any(), isa: perhaps(any())))
        case .nestedVMEnterFailed: return .nestedVMEnterFailed(.init(error: any()))
        case .smmTransition: return .smmTransition(.init(vcpu: any(), entering: flag()))
        case .pageFault: return .pageFault(.init(vcpu: perhaps(any()), address: any(), errorCode: any()))
        case .markMMIOSPTE: return .markMMIOSPTE(.init(gfn: any()))
        case .handleMMIOPageFault: return .handleMMIOPageFault(.init(address: any(), gfn: any()))
        case .mmuSetSPTE: return .mmuSetSPTE(.init(gfn: any()))
        case .mmio: return .mmio(.init(type: any(), length: any(), gpa: any(), value: any()))
        case .apic: return .apic(.init(isWrite: flag(), register: any(), value: any()))
        case .msr: return .msr(.init(isWrite: flag(), index: any(), value: any(), exception: flag()))
        case .apicIPI: return .apicIPI(.init(icrLow: any(), destination: any()))
        case .apicAcceptIRQ: return .apicAcceptIRQ(accept())
        case .apicvAcceptIRQ: return .apicvAcceptIRQ(accept())
        case .injVIRQ:
            return .injVIRQ(.init(vector: any(), soft: perhaps(flag()), reinjected: perhaps(flag())))
        case .eoi: return .eoi(.init(vcpu: any(), vector: any()))
        case .pvEOI: return .pvEOI(.init(vcpu: any(), vector: any()))
        case .apicvInhibitChanged: return .apicvInhibitChanged(.init(reason: any(), set: flag(), inhibits: any()))
        case .apicvUpdateRequest: return .apicvUpdateRequest(.init(activate: flag(), bit: any()))
        case .vcpuWakeup: return .vcpuWakeup(.init(nanoseconds: any(), waited: flag()))
        case .userspaceExit: return .userspaceExit(.init(reason: any()))
        case .avicIncompleteIPI:
            return .avicIncompleteIPI(.init(vcpu: any(), icrHigh: any(), icrLow: any(), id: any()))
        case .avicUnacceleratedAccess:
            return .avicUnacceleratedAccess(.init(vcpu: any(), offset: any(), isWrite: flag()))
        case .avicDoorbell: return .avicDoorbell(.init(vcpu: any()))
        case .avicGALog: return .avicGALog(.init(vm: any(), vcpu: any()))
        case .avicKickVCPUSlowpath: return .avicKickVCPUSlowpath(.init(icrHigh: any(), icrLow: any(), index: any()))
        case .piIRTEUpdate: return .piIRTEUpdate(.init(vcpu: any(), vector: any(), set: flag()))
        case .cr: return .cr(.init(isWrite: flag(), register: any(), value: any()))
        }
    }

    static func fact(_ random: inout TestRandom) -> LiveFact {
        func any<T: FixedWidthInteger>() -> T { T(truncatingIfNeeded: random.next()) }
        func flag() -> Bool { random.next() & 1 == 1 }
        let choices = VCPUState.VMXChoices(
            deliversVirtualInterrupts: flag(), l1InterceptsInterrupts: flag(), l1DeliversVirtualInterrupts: flag())
        func eight() -> VectorSet { VectorSet(registers: (0..<8).map { _ in any() }) }
        let words = LAPICWords(irr: eight(), isr: eight(), tpr: any(), ppr: any())
        switch random.next() % 7 {
        case 0:
            var state = VCPUState(
                vm: any(), process: any(), vcpu: any(), inhibits: any(), isAPICvActive: flag(),
                isGuestMode: flag(), hasLAPIC: flag(), vmx: flag() ? choices : nil)
            state.isFirstRun = flag()
            return .state(state)
        case 1:
            return .lapic(
                LAPICReading(
                    vcpu: any(), occasion: flag() ? .l1Exit : flag() ? .exit : .l2Entry(.init(rawValue: any())),
                    words: words))
        case 2: return .exits(ExitReason(isa: flag() ? .vmx : .svm, recorded: any()), count: any())
        case 3: return .tick
        case 5: return .ended(process: any())
        case 4: return .command(Comm("CPU \(random.next() % 1_000_000)/KVM"))
        default: return .process(any())
        }
    }
}
