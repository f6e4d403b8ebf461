// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What makes a wait of an accepted interrupt a sign, and what ends it or starts it anew.
@Suite struct WaitTests {
    /// L1 has an exit to enter L2 by, and 0x41 is accepted in it.
    private func acceptWhileL1Resumes(_ trace: inout Trace, _ vector: UInt8 = 0x41) {
        trace.exitOfL1(.vmresume)
        trace.accept(vector)
        trace.emit(.nestedVMEnter(.init()))
        trace.enter()
    }

    private func goToL1(_ trace: inout Trace) {
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
    }

    // MARK: Whose it is

    @Test func `a stale SVI holds back the whole class of the vector that crossed`() {
        for (vector, isLost) in [(0x5f, true), (0x60, false)] as [(UInt8, Bool)] {
            var trace = Trace.endedByL1(0x51)
            trace.accept(vector)
            trace.runL2(entries: 10, over: 30)
            #expect(trace.outcome().lostToStaleSVI == (isLost ? [vector] : []))
        }
    }

    @Test func `an accept after the crossing makes it one that waits for that`() {
        var trace = Trace.takingInterrupts()
        trace.accept(0x41)
        trace.deliver(0x51)
        trace.endHooked()
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().lostToStaleSVI == [])
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().lostToStaleSVI == [0x41])
    }

    @Test func `what was accepted while L1 ran is L1's to take`() {
        var trace = Trace.endedByL1(0x51)
        goToL1(&trace)
        acceptWhileL1Resumes(&trace)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    // MARK: L1 in between

    @Test func `after L1 ran it takes another accept in L2 to know that it waits`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.visitL1()
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().lostToStaleSVI == [])
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().lostToStaleSVI == [0x41])
    }

    @Test func `another accept while L1 runs doesn't tell`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        goToL1(&trace)
        acceptWhileL1Resumes(&trace)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    // MARK: Entries

    @Test func `what lasts is the time in stretches of entries, not the pauses between them`() {
        func waiting(pause: Double, entries: Int, over ms: Double) -> Trace {
            var trace = Trace.takingInterrupts()
            trace.accept(0x41)
            trace.runL2(entries: 10, over: 30)
            trace.after(ms: pause)
            trace.exitOfL2(.interruptWindow)
            trace.enter()
            trace.runL2(entries: entries, over: ms)
            return trace
        }
        #expect(waiting(pause: 200, entries: 15, over: 30).outcome().finding(.lostAccept) == nil)
        #expect(waiting(pause: 0, entries: 15, over: 75).outcome().grade(.lostAccept) == .hazard)
    }

    @Test func `many short stretches are a long wait`() {
        var trace = Trace.takingInterrupts()
        trace.accept(0x41)
        for _ in 0..<15 {
            trace.exitOfL2(.interruptWindow)
            trace.enter()
            trace.after(ms: 8)
            trace.runL2(entries: 1)
        }
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x41])
    }

    @Test func `an inhibit that holds no interrupt back ends no wait`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 4, over: 6)
        // IRQWIN.
        trace.inhibit(reason: 7, set: true, mask: 0x80)
        trace.accept(0x41)
        #expect(trace.outcome().finding(.staleSVI)?.count == 2)
    }

    // MARK: Chances

    /// 0x41 waits for long, with something before.
    private func grade(after something: (inout Trace) -> Void) -> Grade? {
        var trace = Trace.takingInterrupts()
        trace.accept(0x41)
        something(&trace)
        trace.accept(0x41)
        trace.runL2(entries: 25, over: 150)
        return trace.outcome().grade(.lostAccept)
    }

    @Test func `a lower class that KVM injects goes ahead of it: it could have been taken`() {
        #expect(grade { $0.deliver(0x31) } == .suspect)
    }

    @Test func `kvm_entry alone may tell of that injection`() {
        let seen = grade {
            $0.exitOfL2()
            $0.accept(0x31)
            $0.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0031)))
        }
        #expect(seen == .suspect)
    }

    @Test func `one of its own class does not go ahead`() {
        let seen = grade {
            $0.deliver(0x40)
            $0.endDirectly(0x40)
        }
        #expect(seen == .hazard)
    }

    @Test func `nor does the PIC's interrupt, which asks no priority`() {
        let seen = grade {
            $0.exitOfL2()
            $0.inject(0x31)
            $0.enter()
        }
        #expect(seen == .hazard)
    }

    @Test func `nor does what L1 takes with the exit`() {
        let seen = grade {
            $0.accept(0x31)
            $0.exitOfL2(.externalInterrupt)
            $0.forward(.externalInterrupt, intInfo: 0x8000_0031)
            $0.enter()
            $0.resumeL2()
        }
        #expect(seen == .hazard)
    }

    @Test func `nor anything once L1 may have taken it`() {
        let seen = grade {
            $0.visitL1()
            $0.deliver(0x31)
            $0.endDirectly(0x31)
        }
        #expect(seen == .hazard)
    }

    @Test func `a window is a chance at the very next entry, with nothing else to inject`() {
        let stamp = EventStamp(time: 0, cpu: 0, tid: 101)
        func isChance(_ what: (inout Wait) -> Void) -> Bool {
            var wait = Wait(0x41, accepted: stamp)
            wait.windowOpened()
            what(&wait)
            wait.enteredL2(injects: false, RunClock(), at: stamp)
            return wait.chance != nil
        }
        #expect(isChance { _ in })
        #expect(!isChance { $0.enteredL2(injects: true, RunClock(), at: stamp) })
        #expect(!isChance { $0.otherDelivered(outranked: false, .injVIRQ, at: stamp) })
        #expect(!isChance { $0.enteredL1(silently: false) })
        #expect(!isChance { $0.restart() })
    }

    // MARK: The end

    @Test func `late is what had a sign; what comes soon is not worth a word`() {
        func statement(_ entries: Int) -> String? {
            var trace = Trace.endedByL1(0x51)
            trace.info.symbols = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: false)
            trace.accept(0x41)
            trace.runL2(entries: entries, over: 6)
            trace.exitOfL2()
            trace.inject(0x41)
            trace.enter()
            return trace.outcome().finding(.staleSVI)?.statement
        }
        #expect(statement(4)?.contains("Delivered late: 0x41") == true)
        #expect(statement(3)?.contains("late") == false)
    }

    @Test func `a sign before a gap is withdrawn by a delivery after it`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        trace.gap(cpu: 0)
        trace.runL2(entries: 1)
        #expect(trace.outcome().lostToStaleSVI == [0x41])
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    @Test func `waits without a sign leave a gap room for those with one`() {
        var trace = Trace.takingInterrupts()
        for vector in 0x80..<0x98 as Range<UInt8> { trace.accept(vector) }
        trace.gap(cpu: 0)
        trace.runL2(entries: 1)
        trace.accept(0x42)
        trace.runL2(entries: 25, over: 120)
        trace.gap(cpu: 0)
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x42])
    }

    // MARK: One loss, one finding

    @Test func `what stale-svi says was lost is not reported by lost-accept too, a hazard neither`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 25, over: 120)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().finding(.lostAccept) == nil)
    }

    // MARK: Whose EOI, and what KVM can have seen

    /// 0x41 is accepted while it is in service, then its first EOI comes, and nothing else for long.
    private func acceptedInService(then: (inout Trace) -> Void = { _ in }) -> Grade? {
        var trace = Trace.takingInterrupts()
        trace.deliver(0x41)
        trace.accept(0x41)
        trace.endDirectly(0x41)
        then(&trace)
        trace.accept(0x41)
        trace.runL2(entries: 40, over: 2500)
        return trace.outcome().grade(.lostAccept)
    }

    @Test func `an EOI ends the interrupt that was in service, not the one that waits behind it`() {
        #expect(acceptedInService() == .suspect)
    }

    @Test func `the next one ends it`() {
        var trace = Trace.takingInterrupts()
        trace.deliver(0x41)
        trace.accept(0x41)
        trace.endDirectly(0x41)
        trace.accept(0x41)
        trace.runL2(entries: 40, over: 2500)
        trace.endDirectly(0x41)
        #expect(trace.outcome().finding(.lostAccept) == nil)
    }

    @Test func `KVM has chosen before it hears of a later accept: that one was not passed over`() {
        for isEarlier in [true, false] {
            var trace = Trace.takingInterrupts()
            if isEarlier { trace.accept(0x71) }
            trace.exitOfL2()
            trace.accept(0x41)
            if !isEarlier { trace.accept(0x71) }
            trace.inject(0x41)
            trace.enter()
            trace.accept(0x71)
            trace.runL2(entries: 40, over: 150)
            #expect(trace.outcome().grade(.lostAccept) == (isEarlier ? .suspect : .hazard))
        }
    }

    @Test(arguments: [
        (0x0f, false, false), (0x10, false, true), (0x10, true, false), (0x1f, true, false), (0x20, true, true),
    ])
    func `below 16 nothing is ever delivered, below 32 only where the task priority is 0`(
        _ vector: UInt8, _ isTPRUnknown: Bool, _ waits: Bool
    ) {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        if !isTPRUnknown { trace.accessDirectly(0x80, write: true) }
        trace.deliver(0x22)
        trace.endDirectly(0x22)
        for _ in 0..<2 { trace.accept(vector) }
        trace.runL2(entries: 40, over: 2500)
        #expect((trace.outcome().finding(.lostAccept) != nil) == waits)
    }

    /// Accepted in hard interrupt context alone.
    private func acceptedInHardIRQ(_ then: (inout Trace) -> Void = { _ in }) -> Grade? {
        var trace = Trace.takingInterrupts()
        for _ in 0..<2 { trace.emit(.apicAcceptIRQ(.init(vcpu: 0, vector: 0x51, inHardIRQ: true))) }
        then(&trace)
        trace.runL2(entries: 40, over: 2500)
        return trace.outcome().grade(.lostAccept)
    }

    @Test
    func
        `what a hardware interrupt's handler sends may be for a VM that isn't recorded, until it is taken or sent here`()
    {
        #expect(acceptedInHardIRQ() == .hazard)
        #expect(acceptedInHardIRQ { $0.accept(0x51) } == .suspect)
        let taken = acceptedInHardIRQ {
            $0.deliver(0x51)
            $0.endDirectly(0x51)
            for _ in 0..<2 { $0.emit(.apicAcceptIRQ(.init(vcpu: 0, vector: 0x51, inHardIRQ: true))) }
        }
        #expect(taken == .suspect)
    }

    // MARK: The task priority, once it may be another

    @Test func `a task priority that nobody saw change masks nothing any more`() {
        let changes: [(inout Trace) -> Void] = [
            {
                $0.accessHooked(0x80, write: true)
                $0.resumeL2()
            },
            {
                $0.exitOfL2(.msrWrite)
                $0.forward(.msrWrite)
                $0.enter()
                $0.resumeL2()
            },
            {
                $0.exitOfL2(.crAccess, info1: 8)
                $0.enter()
            },
        ]
        func isFound(_ change: (inout Trace) -> Void) -> Bool {
            var trace = Trace.takingInterrupts()
            trace.accessDirectly(0x80, write: true, value: 0x50)
            change(&trace)
            for _ in 0..<2 { trace.accept(0x41) }
            trace.runL2(entries: 40, over: 2500)
            return trace.outcome().finding(.lostAccept) != nil
        }
        #expect(!isFound { _ in })
        for change in changes { #expect(isFound(change)) }
        // Of CR0, from CR8, and one that kvm_cr tells of.
        #expect(
            !isFound {
                $0.exitOfL2(.crAccess, info1: 0)
                $0.enter()
            })
        #expect(
            !isFound {
                $0.exitOfL2(.crAccess, info1: 0x18)
                $0.enter()
            })
        let reported: (inout Trace) -> Void = {
            $0.exitOfL2(.crAccess, info1: 8)
            $0.emit(.cr(.init(isWrite: true, register: 8, value: 5)))
            $0.enter()
        }
        #expect(!isFound(reported))
    }
}
