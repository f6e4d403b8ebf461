// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Requested, acknowledged, ended: each vector's account, and what crosses.
@Suite struct InterruptLedgerTests {
    private func crossings(_ trace: Trace) -> [Crossing] {
        trace.transitions().compactMap { if case .crossed(let crossing) = $0 { crossing } else { nil } }
    }

    @Test func `accepted, injected and ended in L2: nothing is open and nothing crosses`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.accept(0x41)
        trace.inject(0x41)
        trace.enter()
        trace.endDirectly(0x41)
        let account = trace.outcome()[0x41]
        #expect((account.accepted.l2, account.acknowledged.l2, account.ended.l2) == (1, 1, 1))
        #expect(account.pending == nil && account.inService == nil)
        #expect(crossings(trace).isEmpty)
    }

    @Test func `a second accept while the first is pending for certain is coalesced`() {
        var trace = Trace.inL2()
        trace.accept(0x41)
        trace.accept(0x41)
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        let account = trace.outcome()[0x41]
        #expect((account.accepted.l2, account.coalesced, account.acknowledged.l2) == (2, 1, 1))
    }

    @Test func `a second accept is none where hardware may have delivered the first`() {
        var trace = Trace.inL2()
        trace.accept(0x41)
        trace.visitL1()
        trace.accept(0x41)
        #expect(trace.outcome()[0x41].coalesced == 0)
    }

    @Test func `an injection that an exit interrupted is reported by the event, from 6_0 on`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        trace.exitOfL2(.eptViolation, info2: 0x8000_0041)
        trace.inject(0x41, reinjected: true)
        trace.enter()
        let account = trace.outcome()[0x41]
        #expect((account.acknowledged.l2, account.reinjected) == (1, 1))
    }

    @Test(arguments: [0x8000_0041, 0x8000_0441] as [UInt64])
    func `up to 5_19 it repeats the exit's vectoring information, for software interrupts too`(_ info2: UInt64) {
        var trace = Trace.inL2()
        trace.exitOfL2(.eptViolation, info2: info2)
        trace.emit(.injVIRQ(.init(vector: 0x41, soft: nil, reinjected: nil)))
        trace.enter()
        let account = trace.outcome()[0x41]
        #expect((account.acknowledged.total, account.reinjected) == (0, 1))
    }

    @Test(arguments: [0x0000_0041, 0x8000_0042, 0x8000_0341] as [UInt64])
    func `up to 5_19 anything else is a new injection`(_ info2: UInt64) {
        var trace = Trace.inL2()
        trace.exitOfL2(.eptViolation, info2: info2)
        trace.emit(.injVIRQ(.init(vector: 0x41, soft: nil, reinjected: nil)))
        trace.enter()
        #expect(trace.outcome()[0x41].acknowledged.l2 == 1)
    }

    @Test func `kvm_entry tells of injections where kvm_inj_virq is not recorded, reinjections apart`() {
        var trace = Trace.inL2()
        trace.info.recordedKinds.remove(.init(.injVIRQ))
        trace.info.formatFields = ["kvm_entry.intr_info"]
        trace.exitOfL2()
        trace.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0041)))
        trace.exitOfL2(.eptViolation, info2: 0x8000_0041)
        trace.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0041)))
        let account = trace.outcome()[0x41]
        #expect((account.acknowledged.l2, account.reinjected) == (1, 1))
    }

    @Test func `a software interrupt is no business of the APIC`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.emit(.injVIRQ(.init(vector: 0x80, soft: true)))
        #expect(trace.outcome()[0x80].isUntouched)
    }

    @Test func `with APICv active an injection into L1 is the PIC's`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.inject(0x30)
        trace.enter()
        #expect(trace.outcome()[0x30].acknowledged.total == 0)
        trace.blockIRQ(true)
        trace.exitOfL1()
        trace.inject(0x30)
        #expect(trace.outcome()[0x30].acknowledged.l1 == 1)
    }

    @Test func `L1 that runs may have got what was pending, in silence`() {
        var trace = Trace.inL2()
        trace.accept(0x41)
        #expect(trace.outcome()[0x41].pending?.maybeSilent == false)
        trace.visitL1()
        #expect(trace.outcome()[0x41].pending?.maybeSilent == true)
    }

    @Test func `with APICv inhibited nothing is silent`() {
        var trace = Trace.inL2()
        trace.blockIRQ(true)
        trace.accept(0x41)
        trace.visitL1()
        #expect(trace.outcome()[0x41].pending?.maybeSilent == false)
    }

    @Test func `injected into L2 and ended by L1, which hooks the EOI and writes it in silence`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.inject(0x51)
        trace.enter()
        trace.endHooked()
        let account = trace.outcome()[0x51]
        #expect((account.acknowledged.l2, account.ended.l1) == (1, 1))
        #expect(crossings(trace).map(\.vector) == [0x51])
        #expect(crossings(trace).map(\.acknowledgedAt) == [.l2])
        #expect(crossings(trace).map(\.endedAt) == [.l1])
        #expect(crossings(trace).map(\.inferred) == [true])
    }

    @Test func `injected into L2 and ended by L1, whose EOI is EOI_INDUCED: seen, not inferred`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.inject(0x51)
        trace.enter()
        trace.accessHooked(0xb0, write: true)
        trace.exitOfL1(.eoiInduced, info1: 0x51)
        trace.eoi(0x51)
        trace.enter()
        trace.resumeL2()
        #expect(crossings(trace).map(\.inferred) == [false])
        #expect(trace.outcome()[0x51].ended.l1 == 1)
    }

    @Test func `taken by L1 in silence, passed on in event_inj and ended by L2`() {
        var trace = Trace.inL2()
        trace.accept(0x30)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt)
        trace.enter()
        trace.resumeL2(injecting: 0x30)
        trace.endDirectly(0x30)
        let account = trace.outcome()[0x30]
        #expect((account.acknowledged.l1, account.ended.l2) == (1, 1))
        #expect(crossings(trace).map(\.acknowledgedAt) == [.l1])
        #expect(crossings(trace).map(\.inferred) == [false])
    }

    @Test func `a vector that L1 injects without having been offered it is its own or the PIC's`() {
        var trace = Trace.inL2()
        trace.deliver(0x41)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt)
        trace.enter()
        trace.resumeL2(injecting: 0x30)
        #expect(trace.outcome()[0x30].acknowledged.total == 0)
    }

    @Test func `acknowledge-on-exit hands L1 the vector with the exit`() {
        var trace = Trace.inL2()
        trace.accept(0x30)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0030)
        trace.enter()
        #expect(trace.outcome()[0x30].acknowledged.l1 == 1)
        #expect(trace.outcome()[0x30].pending == nil)
    }

    @Test func `ended by L2 with nothing injected: L1 had taken it in silence`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1(.apicWrite, info1: 0x300)
        trace.accept(0x61)
        trace.enter()
        trace.resumeL2()
        trace.endDirectly(0x61)
        #expect(crossings(trace).map(\.vector) == [0x61])
        #expect(crossings(trace).allSatisfy { $0.inferred && $0.acknowledged == nil })
        #expect(trace.outcome()[0x61].acknowledged.l1 == 1)
    }

    @Test func `in a trace that begins in L2 it may have been injected before`() {
        var trace = Trace()
        trace.exitOfL2()
        trace.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
        trace.enter()
        trace.endDirectly(0x61)
        #expect(crossings(trace).isEmpty)
        // Another time it can't have been.
        trace.endDirectly(0x61)
        #expect(crossings(trace).map(\.vector) == [0x61])
    }

    @Test func `nor does an EOI after a gap tell who took the vector`() {
        var trace = Trace.inL2()
        trace.gap(cpu: 0)
        trace.exitOfL2()
        trace.enter()
        trace.endDirectly(0x61)
        #expect(crossings(trace).isEmpty)
    }

    @Test func `where injections are not recorded no EOI of L2's is a crossing`() {
        var trace = Trace.inL2()
        trace.info.recordedKinds.remove(.init(.injVIRQ))
        trace.endDirectly(0x61)
        #expect(crossings(trace).isEmpty)
    }

    @Test func `an EOI that finds nothing in service ends nothing`() {
        var trace = Trace.inL2()
        trace.endDirectly(-1)
        #expect(crossings(trace).isEmpty)
        #expect(trace.outcome().vcpus[0].ledger.highestInService == nil)
    }

    @Test func `kvm_pv_eoi repeats kvm_eoi, and counts where that is not recorded`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.inject(0x41)
        trace.eoi(0x41)
        trace.emit(.pvEOI(.init(vcpu: 0, vector: 0x41)))
        #expect(trace.outcome()[0x41].ended.l2 == 1)
        var alone = Trace.inL2()
        alone.exitOfL2()
        alone.inject(0x41)
        alone.emit(.pvEOI(.init(vcpu: 0, vector: 0x41)))
        #expect(alone.outcome()[0x41].ended.l2 == 1)
    }

    @Test func `INIT empties the APIC of a vCPU outside VMX operation`() {
        var trace = Trace()
        trace.exitOfL1()
        trace.accept(0x41)
        trace.accept(0, mode: 0x500)
        #expect(trace.outcome()[0x41].pending == nil)
        #expect(trace.outcome()[0x41].accepted.l1 == 1)
    }

    @Test func `INIT is L1's to know of where there is an L2`() {
        var trace = Trace.inL2()
        trace.accept(0x41)
        trace.accept(0, mode: 0x500)
        #expect(trace.outcome()[0x41].pending != nil)
    }

    /// A vCPU with an interrupt in service in L2 and another waiting: then what is done, and the vCPU runs L1.
    private func runsL1AgainAfter(_ what: (inout Trace) -> Void) -> Trace {
        var trace = Trace.inL2()
        trace.deliver(0x51)
        trace.accept(0x41)
        what(&trace)
        trace.enter()
        trace.exitOfL1()
        trace.enter()
        return trace
    }

    @Test func `INIT and SIPI, and L1 runs that was handed no exit: the VM was reset`() {
        let reset = runsL1AgainAfter {
            $0.exitOfL2()
            $0.accept(0, mode: 0x500)
            $0.accept(8, mode: 0x600)
        }
        #expect(reset.transitions().contains(.reset))
        #expect(reset.outcome()[0x51].inService == nil)
        #expect(reset.outcome()[0x41].pending == nil)
    }

    @Test(arguments: [[0x500], [0x600], [0x600, 0x500]] as [[UInt16]])
    func `one of the two, or SIPI first, resets nothing`(_ modes: [UInt16]) {
        let trace = runsL1AgainAfter { trace in
            trace.exitOfL2()
            for mode in modes { trace.accept(0, mode: mode) }
        }
        #expect(!trace.transitions().contains(.reset))
        #expect(trace.outcome()[0x51].inService != nil)
    }

    @Test func `L1 that is handed an exit after INIT and SIPI goes on as it was`() {
        let trace = runsL1AgainAfter {
            $0.exitOfL2()
            $0.accept(0, mode: 0x500)
            $0.accept(8, mode: 0x600)
            $0.forward(Trace.cpuid)
        }
        #expect(!trace.transitions().contains(.reset))
        #expect(trace.outcome()[0x51].inService != nil)
    }

    @Test func `modes without a vector are no interrupts`() {
        var trace = Trace.inL2()
        for mode: UInt16 in [0x200, 0x400, 0x500, 0x600, 0x700] { trace.accept(0x41, mode: mode) }
        #expect(trace.outcome()[0x41].isUntouched)
        trace.accept(0x41, mode: 0x100)
        #expect(trace.outcome()[0x41].accepted.l2 == 1)
    }

    @Test func `an APIC that was seen to be disabled takes nothing`() {
        var trace = Trace.inL2()
        trace.accessDirectly(0xf0, write: true, value: 0xff)
        trace.accept(0x41)
        #expect(trace.outcome()[0x41].pending == nil)
        #expect(trace.outcome()[0x41].accepted.l2 == 1)
        trace.accessDirectly(0xf0, write: true, value: 0x1ff)
        trace.accept(0x41)
        #expect(trace.outcome()[0x41].pending != nil)
    }
}
