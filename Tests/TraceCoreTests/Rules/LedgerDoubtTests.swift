// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The doubts that a VM's own events leave: interrupts that nothing delivers, EOIs that nobody saw, levels that isn't known.
@Suite struct LedgerDoubtTests {
    private func inL2(created: Bool = true, clock: TraceClock.Unit = .nanoseconds) -> Trace {
        var trace = Trace(clock: clock)
        if created { trace.createVM() } else { trace.exitOfL1(.apicWrite, info1: 0xf0) }
        trace.resumeL2()
        return trace
    }

    private func doubts(_ trace: Trace) -> [String] { trace.outcome().doubts.map(\.text) }

    private func isDoubted(_ trace: Trace) -> Bool {
        doubts(trace).contains { $0.contains("0x41") }
    }

    // MARK: Accepted

    @Test func `an interrupt that was delivered before, and now is not, is a doubt`() {
        var trace = inL2()
        trace.deliver(0x41)
        trace.endDirectly(0x41)
        trace.accept(0x41)
        #expect(!isDoubted(trace))
        trace.runL2(entries: 2, over: 6)
        #expect(isDoubted(trace))
    }

    @Test func `not where the task priority holds it back`() {
        var trace = inL2()
        trace.deliver(0x41)
        trace.endDirectly(0x41)
        trace.accessDirectly(0x80, write: true, value: 0x40)
        trace.accept(0x41)
        trace.runL2(entries: 2, over: 2001)
        #expect(!isDoubted(trace))
    }

    @Test func `a clock without durations doesn't tell how long it waits`() {
        var trace = inL2(clock: .ticks)
        trace.accept(0x41)
        trace.runL2(entries: 2, over: 6)
        #expect(!isDoubted(trace))
    }

    @Test func `a vCPU that ran no L2 waits for nothing of the kind`() {
        var trace = inL2()
        // IRQWIN: nothing is silent from here on.
        trace.inhibit(reason: 7, set: true, mask: 0x80)
        trace.thread(.vcpu1)
        trace.exitOfL1()
        trace.accept(0x41, on: 1)
        trace.after(ms: 6)
        trace.enter()
        #expect(!isDoubted(trace))
    }

    /// 0x41 is accepted while L2 runs, and L1 runs after it, which may have taken it in silence.
    private func neverDelivered(
        after ms: Double = 6, created: Bool = true, before: (inout Trace) -> Void = { _ in },
        then: (inout Trace) -> Void = { _ in }
    ) -> Bool {
        var trace = inL2(created: created)
        before(&trace)
        trace.accept(0x41)
        trace.visitL1()
        trace.after(ms: ms)
        then(&trace)
        trace.runL2(entries: 1)
        return isDoubted(trace)
    }

    @Test func `one that L1 may have taken in silence is a doubt where nothing of it is ever seen`() {
        #expect(neverDelivered())
        #expect(!neverDelivered(after: 4))
        // A sender that tries again shows that it wasn't taken.
        #expect(neverDelivered(after: 4, before: { $0.accept(0x41) }))
    }

    @Test func `not where BLOCKIRQ held it back`() {
        let isBlocked = neverDelivered(then: {
            $0.blockIRQ(true)
            $0.blockIRQ(false)
        })
        #expect(!isBlocked)
    }

    @Test func `not where it was delivered or ended at some time`() {
        let delivered = neverDelivered {
            $0.deliver(0x41)
            $0.endHooked()
        }
        #expect(!delivered)
        // It had gone into service before the trace.
        #expect(!neverDelivered(created: false, before: { $0.endDirectly(0x41) }))
    }

    @Test(arguments: [(false, 2001, true), (false, 1999, false), (true, 2001, false)] as [(Bool, Double, Bool)])
    func `what was always injected into L2, and not for two seconds now, is a doubt; not where L1 takes it too`(
        _ isTakenByL1: Bool, _ ms: Double, _ isOpen: Bool
    ) {
        var trace = inL2()
        trace.deliver(0x41)
        trace.endDirectly(0x41)
        if isTakenByL1 {
            trace.accept(0x41)
            trace.exitOfL2(.externalInterrupt)
            trace.forward(.externalInterrupt, intInfo: 0x8000_0041)
            trace.enter()
            trace.resumeL2()
        }
        trace.accept(0x41)
        trace.visitL1()
        trace.after(ms: ms)
        trace.runL2(entries: 1)
        #expect(isDoubted(trace) == isOpen)
    }

    @Test func `what was accepted while L1 ran is L1's to take`() {
        var trace = inL2()
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1()
        trace.accept(0x41)
        trace.enter()
        trace.after(ms: 6)
        trace.resumeL2()
        #expect(!isDoubted(trace))
    }

    @Test func `L2's posted interrupts have vectors that are never delivered themselves`() {
        for isDelivered in [false, true] {
            var trace = Trace()
            trace.createVM()
            trace.exitOfL1(.vmresume)
            trace.emit(.nestedVMEnter(.init(intCtl: 1)))
            trace.enter()
            if isDelivered {
                trace.deliver(0x41)
                trace.endDirectly(0x41)
            }
            trace.accept(0x41)
            trace.accept(0x41)
            trace.runL2(entries: 25, over: 150)
            #expect(trace.outcome().finding(.lostAccept)?.vectors == (isDelivered ? [0x41] : nil))
            #expect(isDoubted(trace) == isDelivered)
        }
    }

    /// L1 gives L2 APICv, by the guest interrupt status of vmcs12.
    private func resumeL2WithAPICv(_ trace: inout Trace) {
        trace.exitOfL1(.vmresume)
        trace.emit(.nestedVMEnter(.init(intCtl: 1)))
        trace.enter()
    }

    @Test func `where KVM injects L1's interrupts into L2 nobody posts any, and none has such a vector`() {
        for isInjected in [false, true] {
            var trace = Trace()
            trace.createVM()
            resumeL2WithAPICv(&trace)
            if isInjected {
                trace.deliver(0x22)
                trace.endDirectly(0x22)
            }
            trace.accept(0x41)
            trace.accept(0x41)
            trace.runL2(entries: 25, over: 150)
            #expect(isDoubted(trace) == isInjected)
        }
    }

    @Test func `two such vectors are one too many, but for what came while L1 ran, which takes its own in silence`() {
        for inL2 in [false, true] {
            var trace = Trace()
            trace.createVM()
            trace.exitOfL1()
            if !inL2 { trace.accept(0x31) }
            trace.enter()
            resumeL2WithAPICv(&trace)
            if inL2 { trace.accept(0x31) }
            trace.accept(0x41)
            trace.accept(0x41)
            trace.runL2(entries: 25, over: 150)
            #expect(isDoubted(trace) == inL2)
        }
    }

    @Test func `a vector that another vCPU takes is no such vector`() {
        for isTaken in [false, true] {
            var trace = Trace()
            trace.createVM()
            trace.thread(.vcpu1)
            trace.resumeL2()
            if isTaken { trace.accept(0x41, on: 1) }
            trace.exitOfL2(.externalInterrupt)
            trace.forward(.externalInterrupt, intInfo: isTaken ? 0x8000_0041 : 0)
            trace.enter()
            trace.thread(.vcpu0)
            resumeL2WithAPICv(&trace)
            trace.accept(0x41)
            trace.accept(0x41)
            trace.runL2(entries: 25, over: 150)
            #expect(isDoubted(trace) == isTaken)
        }
    }

    @Test func `one that L2 ended is none of those`() {
        var trace = Trace()
        trace.exitOfL1(.apicWrite, info1: 0xf0)
        trace.exitOfL1(.vmresume)
        trace.emit(.nestedVMEnter(.init(intCtl: 1)))
        trace.enter()
        trace.endDirectly(0x41)
        // KVM injects what it can: kvm_inj_virq is on.
        trace.deliver(0x22)
        trace.accept(0x41)
        trace.runL2(entries: 25, over: 150)
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x41])
    }

    // MARK: In service

    /// Injection, two exits and two entries take seven microseconds themselves.
    @Test(arguments: [(99.992, false), (99.993, true)]) func `an EOI that doesn't come for a hundred milliseconds`(
        _ ms: Double, _ isOpen: Bool
    ) {
        var trace = inL2()
        trace.deliver(0x41)
        trace.runL2(entries: 2, over: ms)
        #expect(doubts(trace).contains { $0.contains("its EOI was not seen") } == isOpen)
    }

    @Test func `nor one of what L1 passes on to L2`() {
        var trace = inL2()
        trace.accept(0x41)
        trace.offer(passingOn: 0x41)
        trace.runL2(entries: 2, over: 101)
        #expect(doubts(trace).contains { $0.contains("its EOI was not seen") })
    }

    @Test func `the PIC's interrupt has no EOI of the local APIC's`() {
        var trace = inL2()
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.runL2(entries: 2, over: 200)
        #expect(!doubts(trace).contains { $0.contains("EOI") })
    }

    @Test func `not of the PIC's interrupts, and not of those that L1 takes`() {
        var trace = inL2()
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.accept(0x41)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0041)
        trace.enter()
        trace.resumeL2()
        trace.runL2(entries: 2, over: 200)
        #expect(!doubts(trace).contains { $0.contains("EOI") })
    }

    // MARK: What was on

    @Test func `an L2 ran and no interrupt was accepted at all: the event may have been off, unless that is known`() {
        var trace = inL2()
        trace.runL2(entries: 2)
        #expect(doubts(trace).contains { $0.contains("no interrupt was accepted") })
        trace.info.knowsSelection = true
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `formats of exits without any exit don't tell whether an L2 ran`() {
        var trace = Trace()
        trace.createVM()
        trace.enter()
        #expect(trace.outcome().verdict == .inconclusive)
        #expect(doubts(trace).contains { $0.contains("Whether an L2 ran") })
        var known = Trace(recorded: EventKindSet(.entry, .apicvInhibitChanged))
        known.info.knowsSelection = true
        known.createVM()
        known.enter()
        #expect(known.outcome().verdict == .inconclusive)
    }

    /// 0x41 waits for long though L2 could take it, and no injection has been seen.
    private func waitingAfterWindow() -> Trace {
        var trace = inL2()
        trace.accessDirectly(0x80, write: true)
        trace.accept(0x41)
        trace.accept(0x41)
        trace.exitOfL2(.interruptWindow)
        trace.enter()
        trace.runL2(entries: 20, over: 101)
        return trace
    }

    @Test func `without injections and switches on record a wait proves no more than a hazard`() {
        var trace = waitingAfterWindow()
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
        trace.deliver(0x22)
        #expect(trace.outcome().grade(.lostAccept) == .suspect)
    }

    @Test func `kvm_entry tells of injections too, where it has a field for them`() {
        var trace = waitingAfterWindow()
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
        trace.info.formatFields = ["kvm_entry.intr_info"]
        #expect(trace.outcome().grade(.lostAccept) == .suspect)
    }

    @Test func `with APICv off nothing is silent: L1 ends no wait, and an injection into it is no chance of L2's`() {
        var trace = inL2()
        trace.accessDirectly(0x80, write: true)
        trace.inhibit(reason: 7, set: true, mask: 0x80)
        trace.accept(0x41)
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1()
        trace.accept(0x31)
        trace.inject(0x31)
        trace.enter()
        trace.resumeL2()
        trace.runL2(entries: 25, over: 150)
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x41])
        trace.accept(0x41)
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
    }
}
