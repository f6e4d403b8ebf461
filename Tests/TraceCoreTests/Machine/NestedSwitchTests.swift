// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The switches between L1 and L2, and what passes with them: hooked accesses, vectors handed on, the PIC's.
@Suite struct NestedSwitchTests {
    private func goToL1(_ trace: inout Trace, _ reason: ExitReason = Trace.vmcall, info1: UInt64 = 0) {
        trace.exitOfL2(reason, info1: info1)
        trace.forward(reason)
        trace.enter()
    }

    private func accepted(_ trace: Trace) -> [UInt64] {
        let accepted = trace.outcome()[0x41].accepted
        return [accepted.l1, accepted.l2, accepted.unknown]
    }

    // MARK: Hooks

    /// 0x51 is in service in L2, which makes an access that L1 is handed and carries out.
    private func hooked(_ reason: ExitReason, info1: UInt64) -> Outcome {
        var trace = Trace.inL2()
        trace.deliver(0x51)
        goToL1(&trace, reason, info1: info1)
        trace.resumeL2()
        return trace.outcome()
    }

    @Test(arguments: [(ExitReason.apicAccess, 0x10b0), (.apicWrite, 0xb0)] as [(ExitReason, UInt64)])
    func `an exit that names the register is a hook as a fault is: L1 ends what L2 had in service`(
        _ reason: ExitReason, _ info1: UInt64
    ) {
        let seen = hooked(reason, info1: info1)
        #expect(seen.vcpus[0].accessesHooked[.eoi].writes == 1)
        #expect(seen[0x51].ended.l1 == 1)
        #expect(seen[0x51].inService == nil)
    }

    @Test(
        arguments: [(ExitReason.apicAccess, 0x00b0), (.apicAccess, 0x20b0), (.apicWrite, 0x80)]
            as [(ExitReason, UInt64)])
    func `a read, an instruction fetch or another register ends nothing`(_ reason: ExitReason, _ info1: UInt64) {
        let seen = hooked(reason, info1: info1)
        #expect(seen.vcpus[0].accessesHooked[.eoi].writes == 0)
        #expect(seen[0x51].inService != nil)
    }

    @Test func `a hooked read of EOI ends nothing either`() {
        var trace = Trace.inL2()
        trace.deliver(0x51)
        trace.accessHooked(0xb0, write: false)
        trace.resumeL2()
        #expect(trace.outcome().vcpus[0].accessesHooked[.eoi].reads == 1)
        #expect(trace.outcome()[0x51].inService != nil)
    }

    @Test func `once KVM is reported what L1 ended for L2, nothing else ended in silence`() {
        var trace = Trace.inL2()
        trace.deliver(0x31)
        trace.deliver(0x51)
        trace.accessHooked(0xb0, write: true)
        trace.exitOfL1(.eoiInduced)
        trace.eoi(0x51)
        trace.enter()
        trace.resumeL2()
        #expect(trace.outcome()[0x51].inService == nil)
        #expect(trace.outcome()[0x31].inService != nil)
    }

    @Test func `an MSR that L1 carried out may have been EOI, unless KVM is reported what was ended`() {
        for isTold in [false, true] {
            var trace = Trace.inL2()
            trace.deliver(0x31)
            trace.deliver(0x51)
            goToL1(&trace, .msrWrite)
            if isTold {
                trace.exitOfL1(.eoiInduced)
                trace.eoi(0x51)
                trace.enter()
            }
            trace.resumeL2()
            #expect(trace.outcome()[0x31].inService?.mayHaveEnded == !isTold)
        }
    }

    // MARK: What L1 injects

    @Test func `without a reflected exit L1 was not handed what it injects`() {
        var trace = Trace.inL2()
        trace.accept(0x30)
        goToL1(&trace)
        trace.resumeL2(injecting: 0x30)
        #expect(trace.outcome()[0x30].acknowledged.total == 0)
    }

    @Test func `a reflected exit is good for one vector`() {
        var trace = Trace.inL2()
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        #expect(trace.outcome()[0x30].acknowledged.l1 == 1)
        trace.accept(0x30)
        goToL1(&trace)
        trace.resumeL2(injecting: 0x30)
        #expect(trace.outcome()[0x30].acknowledged.l1 == 1)
    }

    @Test func `a vector of L1's own making says that L2 has an APIC of its own; one of the PIC's does not`() {
        for isOfPIC in [false, true] {
            var trace = Trace.inL2()
            goToL1(&trace)
            if isOfPIC {
                trace.exitOfL1()
                trace.inject(0x30)
                trace.enter()
            }
            trace.resumeL2(injecting: 0x30)
            #expect(trace.outcome().vms[0].apicOfL2.kind == (isOfPIC ? .unknown : .virtualised))
        }
    }

    @Test func `where KVM injects one of L1's interrupts into L2 the APIC is L1's, whatever else L1 injects`() {
        var trace = Trace.inL2()
        for _ in 0..<3 { trace.resumeL2(injecting: 0x81) }
        #expect(trace.outcome().vms[0].apicOfL2.kind == .virtualised)
        trace.deliver(0x41)
        #expect(trace.outcome().vms[0].apicOfL2.kind == .l1s)
    }

    @Test func `kvm_entry that repeats what L1 injects is no injection of KVM's`() {
        var trace = Trace.inL2()
        goToL1(&trace)
        trace.exitOfL1(.vmresume)
        trace.emit(.nestedVMEnter(.init(eventInj: 0x8000_0061)), .entry(.init(vcpu: 0, intrInfo: 0x8000_0061)))
        // Its delivery is interrupted, and made up for.
        trace.exitOfL2(.eptViolation, info2: 0x8000_0061)
        trace.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0061)))
        #expect(trace.outcome()[0x61].isUntouched)
    }

    @Test func `nor is the first one after VMRESUME where no kvm_nested_vmenter tells what L1 injects`() {
        var trace = Trace()
        trace.exitOfL1(.vmresume)
        trace.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0061)))
        #expect(trace.outcome()[0x61].isUntouched)
    }

    @Test func `L1 that is handed a vector acknowledges on exit, and lost-accept says what that may mean`() {
        var trace = Trace.inL2()
        trace.accept(0x30)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0030)
        trace.enter()
        trace.resumeL2()
        #expect(trace.outcome().vcpus[0].acknowledgesOnExit)
        trace.accept(0x41)
        trace.runL2(entries: 25, over: 150)
        let limits = trace.outcome().finding(.lostAccept)?.limits ?? []
        #expect(limits.contains { $0.text.contains("with the exit") })
    }

    @Test
    func
        `an EOI of L2's that L1 is reported of says that L1 gives it virtual-interrupt delivery; hooks of its APIC don't`()
    {
        for reason in [ExitReason.apicAccess, .apicWrite, .eoiInduced, Trace.cpuid] {
            var trace = Trace.inL2()
            trace.exitOfL2(reason)
            #expect(trace.outcome().vcpus[0].givesL2APICv == (reason == .eoiInduced))
            #expect(trace.outcome().vms[0].apicOfL2.kind == (reason == .eoiInduced ? .virtualised : .unknown))
        }
    }

    @Test func `an interrupt window of L2's that is handed to L1 is one window`() {
        var trace = Trace.inL2()
        goToL1(&trace, .interruptWindow)
        #expect(trace.transitions().filter { $0 == .interruptWindow }.count == 1)
        // The exit itself may not be recorded.
        var alone = Trace.inL2()
        alone.forward(.interruptWindow)
        #expect(alone.transitions().filter { $0 == .interruptWindow }.count == 1)
    }

    // MARK: Entries of L2 that no kvm_nested_vmenter tells of

    @Test func `up to 5_19 L2 runs after VMRESUME`() {
        var trace = Trace()
        trace.exitOfL1(.vmresume)
        trace.enter()
        trace.accept(0x41)
        #expect(accepted(trace) == [0, 1, 0])
    }

    @Test func `unless the entry is reported to have failed`() {
        var trace = Trace()
        trace.exitOfL1(.vmresume)
        trace.emit(.nestedVMEnterFailed(.init(error: 7)))
        trace.enter()
        trace.accept(0x41)
        #expect(accepted(trace) == [1, 0, 0])
    }

    @Test func `where it is recorded, VMRESUME without it was refused`() {
        var trace = Trace.inL2()
        goToL1(&trace)
        trace.exitOfL1(.vmresume)
        trace.enter()
        trace.accept(0x41)
        #expect(accepted(trace) == [1, 0, 0])
    }
}
