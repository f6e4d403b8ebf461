// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Signs S2, S3 and S4 of stale-svi, and what confirms it.
@Suite struct StaleSVISignsTests {
    // MARK: S1

    /// L1 is handed 0x51 with the exit, and L2 ends it through an MSR that nothing tells of; then 0x41 waits in L2.
    @Test(arguments: [(false, [0x41]), (true, [])] as [(Bool, [UInt8])])
    func `a vector that L1 posts interrupts to its L2 with waits for ever, and is not lost`(
        _ givesL2APICv: Bool, _ lost: [UInt8]
    ) {
        var trace = Trace(recorded: EventKindSet(rawValue: .max).subtracting(EventKindSet(.msr)))
        trace.createVM()
        trace.resumeL2()
        trace.accept(0x51)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0051)
        trace.enter()
        trace.exitOfL1(.vmresume)
        trace.emit(.nestedVMEnter(.init(intCtl: givesL2APICv ? 1 : 0)))
        trace.enter()
        trace.exitOfL2(.msrWrite)
        trace.eoi(0x51)
        trace.enter()
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(trace.outcome().finding(.staleSVI)?.crossings.map(\.vector) == [0x51])
        #expect(trace.outcome().finding(.staleSVI)?.vectors == lost)
    }

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

    /// The other vCPU's entry and exit and the wakeup take three microseconds more.
    @Test(arguments: [(49.997, true), (49.996, false)])
    func `S2: a HLT that sleeps on for fifty milliseconds though another vCPU's IPI waits`(
        _ ms: Double, _ isLost: Bool
    ) {
        // HLT with interrupts off sleeps rightly: no more than a hazard, which names the vector.
        let seen = sleeping(for: ms).outcome()
        #expect(seen.grade(.staleSVI) == .hazard)
        #expect(seen.finding(.staleSVI)?.vectors == (isLost ? [0x41] : []))
    }

    @Test(arguments: [(50.1, true), (49.9, false)])
    func `a sleep is judged up to the end of the trace`(_ ms: Double, _ isLost: Bool) {
        #expect(sleeping(for: ms, wake: false).outcome().finding(.staleSVI)?.vectors == (isLost ? [0x41] : []))
    }

    @Test func `a clock without durations doesn't tell how long a HLT sleeps`() {
        var trace = sleeping(for: 60)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x41])
        trace.info.clock = TraceClock(name: "x86-tsc", unit: .ticks)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
    }

    @Test func `what comes after a late wakeup was not lost`() {
        var trace = sleeping(for: 60)
        trace.info.symbols = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: false)
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
    }

    @Test func `L1 that runs after the sleep may have taken it`() {
        var trace = sleeping(for: 60)
        trace.visitL1()
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
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

    @Test(arguments: [(true, [0x41]), (false, [])] as [(Bool, [UInt8])])
    func `L1's own HLT sleeps on what came during it; what came before hardware may have delivered`(
        _ comesDuring: Bool, _ lost: [UInt8]
    ) {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1()
        if !comesDuring { trace.accept(0x41) }
        trace.enter()
        trace.exitOfL1(.hlt)
        trace.thread(.vcpu1)
        if comesDuring { trace.accept(0x41, on: 0) }
        trace.after(ms: 60)
        trace.exitOfL1()
        #expect(trace.outcome().finding(.staleSVI)?.vectors == lost)
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
        trace.deliver(0x61)
        trace.missEOI(telling: vector)
        return trace
    }

    @Test(arguments: [0, 0x22, 0x51] as [Int32])
    func `S3: L1's EOI ends a lower vector than the one that KVM injected: it is stuck`(_ reported: Int32) throws {
        let seen = stuck(telling: reported).outcome()
        let finding = try #require(seen.finding(.staleSVI))
        #expect(finding.grade == .suspect)
        #expect(finding.vectors.isEmpty)
        #expect(finding.stuck == [0x61])
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
        #expect(finding.vectors == [0x41])
        #expect(finding.stuck == [0x61])
        #expect(finding.symptoms == [.stuckISR, .lostAccept])
    }

    @Test func `S3 and S4 together do not: L1 may have had other reasons to come back with nothing, up to two seconds`()
        throws
    {
        var trace = stuck()
        for _ in 0..<21 {
            trace.after(ms: 1)
            trace.accept(0x30)
            trace.offerInVain()
        }
        let finding = try #require(trace.outcome().finding(.staleSVI))
        #expect(finding.grade == .suspect)
        #expect(finding.vectors == [0x30])
        #expect(finding.stuck == [0x61])
    }

    @Test func `S3 without any crossing seen is stuck-isr's`() throws {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.deliver(0x61)
        trace.accessHooked(0xb0, write: true)
        trace.exitOfL1(.eoiInduced)
        // APICv is inhibited while it is reported: no stale-svi.
        trace.blockIRQ(true)
        trace.eoi(0)
        let seen = trace.outcome()
        #expect(seen.finding(.staleSVI) == nil)
        let finding = try #require(seen.finding(.stuckISR))
        #expect(finding.grade == .suspect)
        #expect(finding.stuck == [0x61])
    }

    @Test func `a PIC vector in L2 is no sign of what L1's EOI should have ended`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.deliver(0x41)
        trace.missEOI(telling: 0x41)
        #expect(trace.outcome().grade(.staleSVI) != .suspect)
        #expect(trace.outcome().fix.state != .absent)
    }

    @Test func `an EOI that L1 intercepted as an MSR leaves nothing that S3 may rest on`() {
        var trace = Trace.endedByL1(0x51)
        trace.deliver(0x61)
        trace.exitOfL2(.msrWrite)
        trace.forward(.msrWrite)
        trace.enter()
        trace.resumeL2()
        trace.exitOfL2(Self.toL1)
        trace.forward(Self.toL1)
        trace.enter()
        trace.exitOfL1(.eoiInduced)
        trace.eoi(0x22)
        trace.enter()
        #expect(trace.outcome().fix.state != .absent)
    }

    private static let toL1 = Trace.vmcall

    // MARK: S4

    /// After a crossing of 0x30, round trips that bring nothing, over some time.
    private func offered(_ times: Int, over ms: Double) -> Trace {
        var trace = Trace.endedByL2(0x30)
        for index in 0..<times {
            if index > 0 { trace.after(ms: ms / Double(times - 1)) }
            trace.accept(0x30)
            trace.offerInVain()
        }
        return trace
    }

    @Test(arguments: [(2001.0, Grade.confirmed), (1999, .hazard), (12, .hazard)])
    func `S4 confirms it: twenty offers for longer than any healthy wait, and L1 got none`(
        _ ms: Double, _ grade: Grade
    ) throws {
        let seen = offered(20, over: ms).outcome()
        let finding = try #require(seen.finding(.staleSVI))
        #expect(finding.grade == grade)
        #expect(finding.vectors == [0x30])
    }

    @Test(arguments: [(10, 30.0), (30, 9.5)]) func `too few, or too soon, loses nothing`(_ times: Int, _ ms: Double) {
        #expect(offered(times, over: ms).outcome().grade(.staleSVI) == .hazard)
        #expect(offered(times, over: ms).outcome().finding(.staleSVI)?.vectors == [])
    }

    @Test func `accepts that KVM does not even reflect any more count like round trips`() {
        var trace = offered(1, over: 0)
        for _ in 0..<30 {
            trace.after(ms: 70)
            trace.accept(0x30)
            trace.runL2(entries: 1)
        }
        #expect(trace.outcome().grade(.staleSVI) == .confirmed)
    }

    @Test func `accepts that the task priority holds back are no offers`() {
        var trace = offered(1, over: 0)
        for _ in 0..<30 {
            trace.after(ms: 70)
            trace.accessDirectly(0x80, write: true, value: 0x30) { $0.accept(0x30) }
            trace.accessDirectly(0x80, write: true, value: 0)
        }
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
    }

    @Test(arguments: [(1, Grade.hazard), (9, .hazard), (10, .confirmed)])
    func `a pause between two offers counts for no more than 200 ms`(_ pauses: Int, _ grade: Grade) {
        var trace = Trace.endedByL2(0x30)
        for index in 0..<30 {
            if index > 0 { trace.after(ms: index <= pauses ? 3000 : 1) }
            trace.accept(0x30)
            trace.offerInVain()
        }
        #expect(trace.outcome().grade(.staleSVI) == grade)
    }

    @Test func `one round trip for each accept is how an L1 with a timer of its own takes it`() {
        var trace = Trace.endedByL2(0x30)
        for _ in 0..<60 {
            trace.after(ms: 70)
            trace.accept(0x30)
            trace.offer()
        }
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [])
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

    @Test func `a delivery in the end: late, not lost`() throws {
        var trace = offered(20, over: 2500)
        trace.accept(0x81)
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        let finding = try #require(trace.outcome().finding(.staleSVI))
        #expect(finding.grade == .hazard)
        #expect(finding.vectors.isEmpty)
        #expect(finding.statement.contains("Delivered late: 0x30"))
    }

    @Test func `the PIC's interrupt of the same number is no delivery`() {
        var trace = offered(20, over: 2500)
        trace.accept(0x30)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt)
        trace.inject(0x30)
        trace.enter()
        trace.resumeL2(injecting: 0x30)
        #expect(trace.outcome().finding(.staleSVI)?.vectors == [0x30])
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test func `a gap later on leaves the sign, not the proof`() {
        var trace = offered(20, over: 2500)
        trace.gap(cpu: 0)
        trace.runL2(entries: 2)
        #expect(trace.outcome().grade(.staleSVI) == .suspect)
    }
}
