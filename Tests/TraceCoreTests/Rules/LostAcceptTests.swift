// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Rule lost-accept: accepted in L2, not injected for long, though L2 could take interrupts. No crossing is needed.
@Suite struct LostAcceptTests {
    /// 0x41 waits in L2; an interrupt-window exit without it shows that L2 could have taken it.
    private func waiting(entries: Int = 20, over ms: Double = 101, tpr: UInt64? = 0, window: Bool = true) -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        // KVM injects what it can: kvm_inj_virq is on.
        trace.deliver(0x22)
        if let tpr { trace.accessDirectly(0x80, write: true, value: tpr) }
        trace.accept(0x41)
        trace.accept(0x41)
        if window {
            trace.exitOfL2(.interruptWindow)
            trace.enter()
        }
        trace.runL2(entries: window ? entries - 1 : entries, over: ms)
        return trace
    }

    @Test func `twenty entries and a hundred milliseconds are suspect where the task priority was shown`() throws {
        let finding = try #require(waiting().outcome().finding(.lostAccept))
        #expect(finding.grade == .suspect)
        #expect(finding.vectors == [0x41])
    }

    @Test(arguments: [(19, 200.0), (40, 99.0)]) func `fewer entries or less time are nothing`(
        _ entries: Int, _ ms: Double
    ) {
        #expect(waiting(entries: entries, over: ms).outcome().finding(.lostAccept) == nil)
    }

    @Test func `a task priority that was never shown: a hazard at most`() throws {
        let finding = try #require(waiting(tpr: nil).outcome().finding(.lostAccept))
        #expect(finding.grade == .hazard)
        #expect(finding.limits.contains { $0.text.contains("task priority") })
    }

    @Test func `a task priority that masks it explains the wait`() {
        #expect(waiting(tpr: 0x40).outcome().finding(.lostAccept) == nil)
    }

    @Test(arguments: [(200.0, Grade.hazard), (1999, .hazard), (2001, .suspect)])
    func `without a sign that L2 could take interrupts it is a hazard, unless it outlives every healthy wait`(
        _ ms: Double, _ grade: Grade
    ) {
        #expect(waiting(entries: 40, over: ms, window: false).outcome().grade(.lostAccept) == grade)
    }

    @Test(arguments: [(8, Grade.hazard), (9, .suspect)])
    func `a vCPU that stands still for seconds is paused: each time counts for no more than 200 ms`(
        _ pauses: Int, _ grade: Grade
    ) {
        var trace = waiting(entries: 40, over: 200, window: false)
        for _ in 0..<pauses {
            trace.after(ms: 3000)
            trace.runL2(entries: 1)
        }
        #expect(trace.outcome().grade(.lostAccept) == grade)
    }

    @Test(arguments: [
        (ExitReason.hlt, true, Grade.hazard), (Trace.cpuid, true, .hazard), (Trace.cpuid, false, .suspect),
    ])
    func `time in a HLT, which may sleep with interrupts off, or out of the guest makes no more than a hazard`(
        _ reason: ExitReason, _ isOutside: Bool, _ grade: Grade
    ) {
        var trace = waiting(entries: 20, over: 101, window: false)
        for _ in 0..<30 {
            if !isOutside { trace.after(ms: 100) }
            trace.exitOfL2(reason)
            if isOutside { trace.after(ms: 100) }
            trace.enter()
        }
        #expect(trace.outcome().grade(.lostAccept) == grade)
    }

    @Test func `a window that something else is injected at is none for it`() {
        var trace = waiting(entries: 2, over: 1, window: false)
        trace.exitOfL2(.interruptWindow)
        trace.accept(0x81)
        trace.inject(0x81)
        trace.enter()
        trace.endDirectly(0x81)
        trace.runL2(entries: 20, over: 120)
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
    }

    @Test func `on SVM a lost accept is one too`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1(.svmVMRUN)
        trace.emit(.nestedVMEnter(.init(isa: 2)))
        trace.enter()
        for _ in 0..<40 {
            trace.exitOfL2(.svmINTR)
            trace.accept(0x41)
            trace.enter()
            trace.after(ms: 5)
        }
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
    }

    @Test func `where injections are not recorded no wait is judged`() {
        var trace = waiting(tpr: nil)
        trace.info.recordedKinds.remove(EventKindSet(.injVIRQ))
        #expect(trace.outcome().finding(.lostAccept) == nil)
        #expect(trace.outcome().verdict == .inconclusive)
    }

    @Test func `L1's vector for posting interrupts to its L2 leaves nothing in IRR`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1(.vmresume)
        // The guest interrupt status of vmcs12: L1 gives L2 virtual-interrupt delivery.
        trace.emit(.nestedVMEnter(.init(intCtl: 0x41)))
        trace.enter()
        for _ in 0..<30 {
            trace.accept(0xf2)
            trace.runL2(entries: 2, over: 10)
        }
        #expect(trace.outcome().findings.isEmpty)
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `a lower vector that goes ahead is such a sign`() {
        var trace = waiting(entries: 2, over: 1, window: false)
        trace.deliver(0x31)
        trace.endDirectly(0x31)
        trace.runL2(entries: 20, over: 120)
        #expect(trace.outcome().grade(.lostAccept) == .suspect)
    }

    @Test func `a higher one that goes ahead is not`() {
        var trace = waiting(entries: 2, over: 1, window: false)
        trace.deliver(0x81)
        trace.endDirectly(0x81)
        trace.runL2(entries: 20, over: 120)
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
    }

    @Test func `a late injection withdraws it`() {
        var trace = waiting()
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        #expect(trace.outcome().finding(.lostAccept) == nil)
    }

    @Test func `L1 that was entered may have taken it`() {
        var trace = waiting(entries: 10, over: 60)
        trace.visitL1()
        trace.runL2(entries: 15, over: 90)
        #expect(trace.outcome().finding(.lostAccept) == nil)
    }

    @Test func `an INIT in VMX operation is for L1 to know of, and ends no wait`() {
        var trace = waiting(entries: 10, over: 60)
        trace.accept(0, mode: 0x500)
        trace.runL2(entries: 15, over: 90)
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x41])
    }

    @Test func `a higher vector in service holds it back all the while`() {
        var trace = waiting(entries: 2, over: 1)
        trace.deliver(0x61)
        trace.runL2(entries: 30, over: 200)
        trace.endDirectly(0x61)
        trace.runL2(entries: 3, over: 1)
        #expect(trace.outcome().finding(.lostAccept) == nil)
    }

    @Test func `BLOCKIRQ ends the waits of every vCPU of the VM`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.thread(.vcpu1)
        trace.resumeL2()
        trace.accept(0x41, on: 1)
        trace.exitOfL2(.interruptWindow)
        trace.enter()
        trace.blockIRQ(true)
        trace.runL2(entries: 30, over: 200)
        #expect(trace.outcome().finding(.lostAccept) == nil)
    }

    @Test func `what BLOCKIRQ held back at its accept waits from its next accept on`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.blockIRQ(true)
        trace.accept(0x41)
        trace.blockIRQ(false)
        trace.runL2(entries: 25, over: 150)
        #expect(trace.outcome().finding(.lostAccept) == nil)
        #expect(trace.outcome().verdict == .inconclusive)
        trace.accept(0x41)
        trace.runL2(entries: 25, over: 150)
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x41])
    }

    @Test func `after a crossing it is stale-svi's symptom, reported once`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.accept(0x41)
        trace.exitOfL2(.interruptWindow)
        trace.enter()
        trace.runL2(entries: 20, over: 101)
        let seen = trace.outcome()
        #expect(seen.grade(.staleSVI) == .suspect)
        #expect(seen.finding(.lostAccept) == nil)
    }

    @Test func `with APICv off a crossing is no cause, and a lost accept is reported`() {
        var trace = Trace()
        trace.thread(.vmm)
        trace.inhibit(reason: 0, set: true, mask: 1)
        trace.thread(.vcpu0)
        trace.resumeL2()
        trace.accessDirectly(0x80, write: true)
        trace.exitOfL2()
        trace.inject(0x51)
        trace.enter()
        trace.endHooked()
        trace.accept(0x41)
        trace.exitOfL2(.interruptWindow)
        trace.enter()
        trace.runL2(entries: 20, over: 101)
        #expect(trace.outcome().findings.map(\.rule) == [.lostAccept])
    }
}
