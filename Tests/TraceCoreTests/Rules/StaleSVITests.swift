// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Rule stale-svi, its crossing and its first sign (S1): accepted in L2, and entry after entry without it.
@Suite struct StaleSVITests {
    @Test func `a crossing without a sign is a hazard that names the crossing, and no vector as lost`() throws {
        let seen = Trace.endedByL1(0x51).outcome()
        let finding = try #require(seen.finding(.staleSVI))
        #expect(finding.grade == .hazard)
        #expect(finding.vectors.isEmpty)
        #expect(finding.crossings.map(\.vector) == [0x51])
        #expect(finding.crossings.map(\.acknowledgedAt) == [.l2])
        #expect(finding.crossings.map(\.endedAt) == [.l1])
        #expect(finding.inferred)
        #expect(seen.verdict == .hazard)
    }

    @Test func `the other direction is a hazard too`() throws {
        let finding = try #require(Trace.endedByL2(0x30).outcome().finding(.staleSVI))
        #expect(finding.grade == .hazard)
        #expect(finding.crossings.map(\.acknowledgedAt) == [.l1])
        #expect(finding.crossings.map(\.endedAt) == [.l2])
        #expect(!finding.inferred)
    }

    @Test(arguments: [(4, 5.0, true), (3, 5.0, false), (4, 4.9, false), (40, 4.5, false)])
    func `S1: four entries over five milliseconds without the vector`(_ entries: Int, _ ms: Double, _ isLost: Bool) {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: entries, over: ms)
        // L2 may have interrupts off: a wait alone is no more than a hazard.
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == (isLost ? [0x41] : []))
    }

    @Test(arguments: [(2001.0, Grade.suspect), (1999.0, .hazard), (574.0, .hazard)])
    func `a wait that outlives every healthy one by far is suspect`(_ ms: Double, _ grade: Grade) {
        var trace = Trace.endedByL1(0x51)
        // KVM injects what it can: kvm_inj_virq is on.
        trace.accept(0x41)
        trace.runL2(entries: 30, over: ms)
        trace.accept(0x41)
        #expect(trace.outcome().grade(.staleSVI) == grade)
    }

    @Test func `a single accept that never repeats is no loss that can be proven`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 30, over: 5000)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `the lost vector is named, with its first accept's time`() throws {
        var trace = Trace.endedByL1(0x51)
        trace.after(ms: 7)
        trace.accept(0x41)
        let accepted = trace.time
        trace.runL2(entries: 4, over: 5)
        trace.accept(0x41)
        let finding = try #require(trace.outcome().finding(.staleSVI))
        #expect(finding.vectors == [0x41])
        #expect(finding.first == accepted)
        #expect(finding.count == 2)
        #expect(finding.symptoms == [.lostAccept])
        #expect(trace.outcome().report.vms[0].vcpus[0].interrupts.first { $0.vector == "0x41" }?.class == .unexplained)
    }

    @Test func `a vector of a higher class is not held back by a stale SVI`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x61)
        trace.runL2(entries: 8, over: 20)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `what came before any crossing is not its loss`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.accept(0x41)
        trace.runL2(entries: 8, over: 20)
        #expect(trace.outcome().findings.isEmpty)
        #expect(trace.outcome().verdict == .inconclusive)
    }

    @Test func `L1 that was entered in between may have taken it`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        for _ in 0..<8 {
            trace.runL2(entries: 2, over: 4)
            trace.visitL1()
        }
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome()[0x41].pending?.maybeSilent == true)
    }

    @Test func `interrupts off in L2: late is not lost`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.info.symbols = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: false)
        trace.runL2(entries: 30, over: 40)
        trace.exitOfL2(.interruptWindow)
        trace.inject(0x41)
        trace.enter()
        let seen = trace.outcome()
        #expect(seen.findings.allSatisfy { $0.grade <= .hazard && !$0.vectors.contains(0x41) })
        #expect(seen.finding(.staleSVI)?.statement.contains("Delivered late: 0x41 after 40.0 ms") == true)
    }

    @Test func `an interrupt-window exit of L2's that L0 handles starts the wait anew`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        for _ in 0..<10 {
            trace.runL2(entries: 3, over: 4)
            trace.exitOfL2(.interruptWindow)
            trace.enter()
        }
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
        trace.runL2(entries: 4, over: 5)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x41])
    }

    @Test func `a handler of the same class or a higher one holds it back`() {
        var trace = Trace.endedByL1(0x51)
        trace.deliver(0x61)
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
        trace.endDirectly(0x61)
        trace.runL2(entries: 4, over: 5)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x41])
    }

    @Test func `the PIC's interrupt, which the local APIC never accepted, holds nothing back`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x41])
    }

    @Test func `what L1 may have ended through an MSR that can't be reported holds nothing back for certain`() {
        var trace = Trace.endedByL1(0x51)
        trace.deliver(0x61)
        trace.exitOfL2(.msrWrite)
        trace.forward(.msrWrite)
        trace.enter()
        trace.resumeL2()
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x41])
    }

    @Test(arguments: [(0x40 as UInt64, false), (0x4f, false), (0x3f, true)])
    func `a task priority that was shown masks its class and all below`(_ tpr: UInt64, _ isLost: Bool) {
        var trace = Trace.endedByL1(0x51)
        trace.accessDirectly(0x80, write: true, value: tpr)
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == (isLost ? [0x41] : []))
    }

    @Test func `CR8 is the task priority too`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.emit(.cr(.init(isWrite: true, register: 8, value: 0xf)))
        trace.enter()
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
        trace.exitOfL2()
        trace.emit(.cr(.init(isWrite: true, register: 8, value: 3)))
        trace.enter()
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x41])
    }

    @Test func `a task priority that was never shown may have masked it: a hazard, which says so`() throws {
        var trace = Trace.endedByL1(0x51, tpr: nil)
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        let finding = try #require(trace.outcome().finding(.staleSVI))
        #expect(finding.grade == .hazard)
        #expect(finding.vectors == [0x41])
        #expect(finding.limits.contains { $0.text.contains("task priority") })
    }

    @Test func `BLOCKIRQ holds everything back on purpose`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 3, over: 3)
        trace.blockIRQ(true)
        trace.runL2(entries: 30, over: 30)
        trace.accept(0x41)
        trace.runL2(entries: 30, over: 30)
        let seen = trace.outcome()
        #expect(seen.grade(.staleSVI) == .hazard)
        #expect(seen.report.vms[0].vcpus[0].interrupts.first { $0.vector == "0x41" }?.class == .blocked)
    }

    @Test func `with APICv inhibited, or on SVM, there is no SVI to be stale`() {
        var inhibited = Trace()
        inhibited.createVM()
        inhibited.blockIRQ(true)
        inhibited.resumeL2()
        inhibited.exitOfL2()
        inhibited.inject(0x51)
        inhibited.enter()
        inhibited.endHooked()
        #expect(inhibited.outcome().finding(.staleSVI) == nil)

        var svm = Trace()
        svm.createVM()
        svm.exitOfL1(.svmVMRUN)
        svm.emit(.nestedVMEnter(.init(isa: 2)))
        svm.enter()
        svm.exitOfL2(.svmINTR)
        svm.inject(0x51)
        svm.enter()
        svm.exitOfL2(.svmNPF)
        svm.emit(.pageFault(.init(vcpu: 0, address: Trace.page + 0xb0, errorCode: 2)))
        svm.forward(.svmNPF)
        svm.enter()
        svm.exitOfL1(.svmVMRUN)
        svm.emit(.nestedVMEnter(.init(isa: 2)))
        svm.enter()
        #expect(svm.outcome().vcpus[0].ledger[0x51].ended.l1 == 1)
        #expect(svm.outcome().verdict == .clean)
    }

    @Test(arguments: [TraceClock.Unit.ticks, .none]) func `a clock without durations shows no sign that takes long`(
        _ unit: TraceClock.Unit
    ) {
        var trace = Trace.endedByL1(0x51)
        trace.info.clock = TraceClock(name: "x86-tsc", unit: unit)
        trace.accept(0x41)
        trace.runL2(entries: 30, over: 100)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
    }

    @Test func `a gap in the middle of a crossing leaves none, and no clean bill`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.exitOfL2()
        trace.inject(0x51)
        trace.enter()
        trace.gap(cpu: 0, events: 12)
        trace.endHooked()
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        let seen = trace.outcome()
        #expect(seen.finding(.staleSVI) == nil)
        #expect(seen.verdict == .inconclusive)
    }

    @Test func `a gap after the crossing ends what waits on it; on another CPU it doesn't`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 3, over: 4)
        var elsewhere = trace
        trace.gap(cpu: 0)
        elsewhere.gap(cpu: 6)
        trace.runL2(entries: 10, over: 30)
        elsewhere.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
        #expect(elsewhere.outcome().finding(.staleSVI)?.vectors == [0x41])
    }

    @Test func `a crossing while nothing tells of APICv is inconclusive, until evidence comes`() throws {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        trace.resumeL2()
        trace.exitOfL2()
        trace.inject(0x51)
        trace.enter()
        trace.endHooked()
        #expect(trace.outcome().grade(.staleSVI) == .inconclusive)
        #expect(trace.outcome().verdict == .inconclusive)
        var active = trace
        active.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
        #expect(active.outcome().grade(.staleSVI) == .hazard)
        // HYPERV had been set all the time.
        trace.inhibit(reason: 3, set: false, mask: 0x2)
        #expect(trace.outcome().finding(.staleSVI) == nil)
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `another VM's inhibits don't touch it`() {
        var trace = Trace.endedByL1(0x51)
        trace.thread(.init(tid: 900, vcpu: nil, cpu: 7))
        trace.inhibit(reason: 2, set: true, mask: 0x4)
        trace.thread(.init(tid: 901, vcpu: 0, cpu: 7))
        trace.exitOfL1()
        trace.blockIRQ(true)
        trace.enter()
        trace.thread(.vcpu0)
        trace.accept(0x41)
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        // The delivery still shows that this kernel loads SVI rightly.
        #expect(trace.outcome().fix.state == .present)
    }
}
