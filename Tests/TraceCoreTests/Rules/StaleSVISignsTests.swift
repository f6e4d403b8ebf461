// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Signs S2, S3 and S4 of stale-svi, and what confirms it.
@Suite struct StaleSVISignsTests {
    // MARK: S2

    /// A HLT of L2's that L0 handles, with an accept in it, and what wakes it.
    private func sleeping(for ms: Double, wake: Bool = true) -> Trace {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2(.hlt)
        trace.thread(.vcpu1)
        trace.accept(0x41, on: 0)
        trace.after(ms: ms)
        trace.exitOfL1()
        trace.thread(.vcpu0)
        guard wake else { return trace }
        trace.emit(.vcpuWakeup(.init(nanoseconds: UInt64(ms * 1_000_000), waited: true)))
        trace.enter()
        return trace
    }

    @Test(arguments: [(50.1, Grade.suspect), (49.9, .hazard)])
    func `S2: a HLT that sleeps on for fifty milliseconds though another vCPU's IPI waits`(_ ms: Double, _ grade: Grade)
    {
        let seen = sleeping(for: ms).outcome()
        #expect(seen.grade(.staleSVI) == grade)
        #expect(seen.finding(.staleSVI)?.vectors == (grade == .suspect ? [0x41] : [0x51]))
    }

    @Test(arguments: [(50.1, Grade.suspect), (49.9, .hazard)])
    func `a sleep is judged up to the end of the trace`(_ ms: Double, _ grade: Grade) {
        #expect(sleeping(for: ms, wake: false).outcome().grade(.staleSVI) == grade)
    }

    @Test func `a HLT that L1 handles is L1's affair`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2(.hlt)
        trace.forward(.hlt)
        trace.accept(0x41)
        trace.after(ms: 200)
        trace.enter()
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `a HLT with nothing accepted is idle`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2(.hlt)
        trace.after(ms: 500)
        trace.enter()
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }

    // MARK: S3

    /// 0x51 is in service in L2, and L1's EOI ends another.
    private func stuck(telling vector: Int32 = 0) -> Trace {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        trace.missEOI(telling: vector)
        return trace
    }

    @Test(arguments: [0, 0x22, 0x51] as [Int32])
    func `S3: L1's EOI ends a lower vector than the one that KVM injected: it is stuck`(_ told: Int32) throws {
        let seen = stuck(telling: told).outcome()
        let finding = try #require(seen.finding(.staleSVI))
        #expect(finding.grade == .suspect)
        #expect(finding.vectors == [0x61])
        #expect(finding.symptoms == [.stuckISR])
        #expect(seen.finding(.stuckISR) == nil)
        #expect(seen.fix.state == .absent)
        #expect(seen.fix.basis == .behaviour)
    }

    @Test func `the vector in service itself, or a higher one, is the right one`() {
        #expect(stuck(telling: 0x61).outcome().grade(.staleSVI) == .hazard)
        #expect(stuck(telling: 0x81).outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `L1 may have taken the vector that it ends by itself, having ended the other in silence`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        trace.accessHooked(0xb0, write: true)
        trace.accept(0x22)
        trace.exitOfL1(.eoiInduced)
        trace.eoi(0x22)
        trace.enter()
        trace.resumeL2()
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test func `S1 and S3 together confirm it, whatever the task priority`() throws {
        var trace = Trace.endedByL1(0x51, tpr: nil)
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        trace.missEOI()
        trace.accept(0x41)
        trace.runL2(entries: 4, over: 5)
        let finding = try #require(trace.outcome().finding(.staleSVI))
        #expect(finding.grade == .confirmed)
        #expect(finding.vectors == [0x41, 0x61])
        #expect(finding.symptoms == [.stuckISR, .lostAccept])
    }

    @Test func `S3 without any crossing seen is stuck-isr's`() throws {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        // APICv is inhibited while it is told: no stale-svi.
        trace.blockIRQ(true)
        trace.missEOI()
        let seen = trace.outcome()
        #expect(seen.finding(.staleSVI) == nil)
        let finding = try #require(seen.finding(.stuckISR))
        #expect(finding.grade == .suspect)
        #expect(finding.vectors == [0x61])
    }

    // MARK: S4

    /// After a crossing of 0x30, round trips that bring nothing, over some time.
    private func offered(_ times: Int, over ms: Double) -> Trace {
        var trace = Trace.endedByL2(0x30)
        for index in 0..<times {
            if index > 0 { trace.after(ms: ms / Double(times - 1)) }
            trace.accept(0x30)
            trace.offer()
        }
        return trace
    }

    @Test func `S4 confirms it: twenty offers over ten milliseconds, and L1 got none`() throws {
        let seen = offered(20, over: 12).outcome()
        let finding = try #require(seen.finding(.staleSVI))
        #expect(finding.grade == .confirmed)
        #expect(finding.vectors == [0x30])
    }

    @Test(arguments: [(10, 30.0), (30, 9.5)]) func `too few, or too soon, is a hazard`(_ times: Int, _ ms: Double) {
        #expect(offered(times, over: ms).outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `accepts that KVM does not even reflect any more count like round trips`() {
        var trace = offered(1, over: 0)
        for _ in 0..<30 {
            trace.after(ms: 1)
            trace.accept(0x30)
            trace.runL2(entries: 1)
        }
        #expect(trace.outcome().grade(.staleSVI) == .confirmed)
    }

    @Test func `accepts alone, none reflected and come back empty, prove nothing`() {
        var trace = Trace.endedByL2(0x30)
        for _ in 0..<30 {
            trace.after(ms: 1)
            trace.accept(0x30)
        }
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `an empty round trip, an interrupt window and the vector: L2 had interrupts off`() {
        var trace = Trace.endedByL2(0x30)
        for _ in 0..<40 {
            trace.after(ms: 1)
            trace.accept(0x30)
            trace.offer()
            trace.exitOfL2(.interruptWindow)
            trace.forward(.interruptWindow)
            trace.enter()
            trace.resumeL2(injecting: 0x30)
            trace.endDirectly(0x30)
        }
        #expect(trace.outcome().findings.allSatisfy { $0.grade <= .hazard })
    }

    @Test func `a delivery later on, after an interrupt window, withdraws it`() {
        var trace = offered(20, over: 12)
        trace.exitOfL2(.interruptWindow)
        trace.forward(.interruptWindow)
        trace.enter()
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        #expect(trace.outcome().findings.allSatisfy { $0.grade <= .hazard })
    }

    @Test func `a delivery without one shows that it was held back: suspect, no longer proof`() {
        var trace = offered(20, over: 12)
        trace.accept(0x81)
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        #expect(trace.outcome().grade(.staleSVI) == .suspect)
    }

    @Test func `a hole later on leaves the sign, not the proof`() {
        var trace = offered(20, over: 12)
        trace.hole(cpu: 0)
        trace.runL2(entries: 2)
        #expect(trace.outcome().grade(.staleSVI) == .suspect)
    }
}
