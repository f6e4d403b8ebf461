// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Sign S4: an L1 that intercepts external interrupts is offered one again and again, and gets nothing.
@Suite struct OfferTests {
    /// L1 is offered 0x30 and comes back with nothing, so many times.
    private func offer(_ times: Int, over ms: Double = 0, accepts: Bool = true, _ trace: inout Trace) {
        for index in 0..<times {
            if index > 0 { trace.after(ms: ms / Double(times - 1)) }
            // The first after an accept is how L1 takes what it gets.
            if accepts || index == 0 {
                trace.accept(0x30)
                trace.offer()
            }
            trace.offer()
        }
    }

    /// Each takes some ten microseconds.
    @Test(arguments: [(20, 9.8, false), (20, 10, true), (19, 30, false)] as [(Int, Double, Bool)])
    func `S4: twenty offers over ten milliseconds`(_ times: Int, _ ms: Double, _ isLost: Bool) {
        var trace = Trace.endedByL2(0x30)
        offer(times, over: ms, accepts: false, &trace)
        #expect(trace.outcome().lostToStaleSVI == (isLost ? [0x30] : []))
    }

    @Test func `an interrupt window starts the count anew`() {
        var trace = Trace.endedByL2(0x30)
        offer(12, over: 15, accepts: false, &trace)
        trace.exitOfL2(.interruptWindow)
        trace.forward(.interruptWindow)
        trace.enter()
        trace.resumeL2()
        offer(12, over: 15, accepts: false, &trace)
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    @Test func `so does BLOCKIRQ`() {
        var trace = Trace.endedByL2(0x30)
        offer(12, over: 15, accepts: false, &trace)
        trace.blockIRQ(true)
        trace.blockIRQ(false)
        offer(12, over: 15, accepts: false, &trace)
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    @Test func `so does anything that L1 injects`() {
        var trace = Trace.endedByL2(0x30)
        offer(12, over: 15, accepts: false, &trace)
        trace.resumeL2(injecting: 0x81)
        offer(12, over: 15, accepts: false, &trace)
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    @Test func `an accept counts once for each run of L2, and only after an offer`() {
        var resting = Trace.endedByL2(0x30)
        offer(1, &resting)
        for _ in 0..<30 {
            resting.after(ms: 1)
            resting.accept(0x30)
        }
        #expect(resting.outcome().lostToStaleSVI == [])
        var unoffered = Trace.endedByL2(0x30)
        for _ in 0..<30 {
            unoffered.accept(0x30)
            unoffered.visitL1()
            unoffered.after(ms: 2)
        }
        #expect(unoffered.outcome().lostToStaleSVI == [])
    }

    @Test func `one reflection is one offer, however often L1 comes back after it`() {
        var trace = Trace.endedByL2(0x30)
        offer(1, &trace)
        for _ in 0..<30 {
            trace.visitL1()
            trace.after(ms: 2)
        }
        #expect(trace.outcome().lostToStaleSVI == [])
    }

    @Test(
        arguments: [
            (22, 120, false, true), (21, 120, false, false), (22, 90, false, false), (40, 120, true, false),
        ] as [(Int, Double, Bool, Bool)])
    func `without a crossing it takes more round trips than accepts, for long`(
        _ times: Int, _ ms: Double, _ accepts: Bool, _ isFound: Bool
    ) {
        var trace = Trace.takingInterrupts()
        offer(times, over: ms, accepts: accepts, &trace)
        #expect(trace.outcome().grade(.lostAccept) == (isFound ? .hazard : nil))
    }

    @Test func `a sender that tries once proves nothing, however long L1 is offered it`() {
        var trace = Trace.endedByL2(0x30)
        offer(30, over: 2500, accepts: false, &trace)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().lostToStaleSVI == [0x30])
    }

    @Test(arguments: [false, true])
    func `an L1 that has its own APIC for L2 passes nothing on: that it comes back empty is no offer`(_ isL1s: Bool) {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2(injecting: 0x81)
        if isL1s { trace.deliver(0x22) }
        offer(25, over: 150, accepts: false, &trace)
        #expect(trace.outcome().grade(.lostAccept) == (isL1s ? .hazard : nil))
    }

    @Test(arguments: [(0x20, [0x30]), (0x30, [])] as [(UInt64, [UInt8])])
    func `what the task priority masks is not offered, though L1 comes back empty`(_ tpr: UInt64, _ vectors: [UInt8]) {
        var trace = Trace.endedByL2(0x30)
        trace.accessDirectly(0x80, write: true, value: tpr)
        offer(25, over: 150, accepts: false, &trace)
        #expect(trace.outcome().lostToStaleSVI == vectors)
    }

    @Test(arguments: [(0x2f, [0x35]), (0x30, [])] as [(UInt64, [UInt8])])
    func `a task priority masks its whole class, from round trips and from accepts alike`(
        _ tpr: UInt64, _ vectors: [UInt8]
    ) {
        var trips = Trace.endedByL2(0x35)
        trips.accessDirectly(0x80, write: true, value: tpr)
        trips.accept(0x35)
        for _ in 0..<26 {
            trips.offer()
            trips.after(ms: 5)
        }
        #expect(trips.outcome().lostToStaleSVI == vectors)
        var accepts = Trace.endedByL2(0x35)
        accepts.accept(0x35)
        accepts.offerInVain()
        for _ in 0..<30 {
            accepts.after(ms: 2)
            accepts.accessDirectly(0x80, write: true, value: tpr) { $0.accept(0x35) }
            accepts.accessDirectly(0x80, write: true, value: 0)
        }
        #expect(accepts.outcome().lostToStaleSVI == vectors)
    }
}
