// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What a crossing leaves armed: the sleeps and waits that it explains, and the deliveries that show the fix.
@Suite struct CrossingTests {
    private static let unfixed = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: false)

    private func lost(_ trace: Trace) -> [UInt8]? { trace.outcome().finding(.staleSVI)?.vectors }

    private func goToL1(_ trace: inout Trace, _ reason: ExitReason = Trace.vmcall, intInfo: UInt32 = 0) {
        trace.exitOfL2(reason)
        trace.forward(reason, intInfo: intInfo)
        trace.enter()
    }

    /// A VM that ran before the trace.
    private func runningBefore(showsActive: Bool = true) -> Trace {
        var trace = Trace()
        trace.exitOfL1(showsActive ? .apicWrite : Trace.vmcall, info1: showsActive ? 0xf0 : 0)
        trace.enter()
        trace.resumeL2()
        return trace
    }

    private func cross(_ vector: UInt8, _ trace: inout Trace) {
        trace.deliver(vector)
        trace.endHooked()
    }

    // MARK: Sleeps

    /// After the crossing of 0x51 a HLT of L2's in which a vector is accepted, and 60 ms later it goes on.
    private func slept(
        on vector: UInt8 = 0x41, tpr: UInt8? = nil, before: (inout Trace) -> Void = { _ in }, accepts: Bool = true,
        halted: Double = 0, sleeping: Double = 60
    ) -> Trace {
        var trace = Trace.endedByL1(0x51, tpr: tpr)
        before(&trace)
        trace.exitOfL2(.hlt)
        trace.after(ms: halted)
        if accepts { trace.accept(vector) }
        trace.after(ms: sleeping)
        trace.emit(.vcpuWakeup(.init(nanoseconds: 1, waited: true)))
        trace.enter()
        return trace
    }

    @Test func `a sleep is the crossing's where its class or a lower one waits`() {
        #expect(lost(slept(on: 0x5f)) == [0x5f])
        #expect(lost(slept(on: 0x60)) == [])
    }

    @Test func `a task priority of its class lets it sleep`() {
        #expect(lost(slept(tpr: 0x3f)) == [0x41])
        #expect(lost(slept(tpr: 0x40)) == [])
    }

    @Test func `it counts from the accept, where that came during the HLT`() {
        #expect(lost(slept(halted: 40, sleeping: 20)) == [])
        #expect(lost(slept(halted: 40, sleeping: 51)) == [0x41])
    }

    @Test func `it counts from the HLT, where hardware can't have delivered it before`() {
        #expect(lost(slept(before: { $0.accept(0x41) }, accepts: false)) == [0x41])
        let visited = slept(
            before: {
                $0.accept(0x41)
                $0.visitL1()
            }, accepts: false)
        #expect(lost(visited) == [])
    }

    @Test func `BLOCKIRQ before it or after it explains it`() {
        #expect(lost(slept(before: { $0.blockIRQ(true) })) == [])
        var later = slept()
        later.blockIRQ(true)
        #expect(lost(later) == [])
    }

    @Test func `an EOI shows that it was delivered after all`() {
        var trace = slept()
        trace.endDirectly(0x41)
        #expect(lost(trace) == [])
    }

    @Test func `after a gap it may have been`() {
        var trace = slept()
        trace.gap(cpu: 0)
        #expect(lost(trace) == [])
    }

    // MARK: Waits

    @Test func `an EOI shows that a wait is over, too`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(lost(trace) == [0x41])
        trace.endDirectly(0x41)
        #expect(lost(trace) == [])
    }

    @Test func `the highest class that has crossed counts, not the latest`() {
        var trace = Trace.endedByL1(0x81)
        trace.info.symbols = Self.unfixed
        cross(0x31, &trace)
        trace.accept(0x51)
        trace.runL2(entries: 10, over: 30)
        #expect(lost(trace) == [0x51])
    }

    @Test func `after a gap it takes another crossing`() {
        var trace = Trace.endedByL1(0x51)
        trace.gap(cpu: 0)
        trace.runL2(entries: 1)
        trace.accept(0x41)
        trace.runL2(entries: 10, over: 30)
        #expect(lost(trace) == [])
    }

    // MARK: Deliveries

    /// What a delivery of 0x41 after the crossing of 0x51 shows, where something comes first.
    private func shown(after something: (inout Trace) -> Void) -> FixState.State {
        var trace = Trace.endedByL1(0x51)
        something(&trace)
        trace.deliver(0x41)
        return trace.outcome().fix.state
    }

    @Test func `a delivery shows the fix`() {
        #expect(shown { _ in } == .present)
    }

    @Test func `not after a gap, and not where L1 is handed interrupts with the exit`() {
        #expect(shown { $0.gap(cpu: 0) } == .unknown)
        let handed = shown {
            $0.accept(0x22)
            goToL1(&$0, .externalInterrupt, intInfo: 0x8000_0022)
            $0.resumeL2()
        }
        #expect(handed == .unknown)
    }

    @Test func `where devices that post their interrupts can't be seen, one is not enough`() {
        var trace = Trace.endedByL1(0x51)
        trace.info.recordedKinds.remove(EventKindSet(.piIRTEUpdate))
        trace.deliver(0x41)
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test func `each crossing is good for one`() {
        var trace = runningBefore()
        for _ in 0..<5 {
            cross(0x51, &trace)
            for vector in [0x41, 0x42, 0x43, 0x44] as [UInt8] {
                trace.deliver(vector)
                trace.endDirectly(Int32(vector))
            }
        }
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test func `the latest crossing counts, whatever was armed before`() {
        var trace = Trace.endedByL1(0x31)
        cross(0x81, &trace)
        trace.deliver(0x51)
        #expect(trace.outcome().fix.state == .present)
    }

    @Test func `while nothing tells whether APICv was active deliveries show nothing`() {
        var trace = runningBefore(showsActive: false)
        for _ in 0..<20 { cross(0x51, &trace) }
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test(arguments: [(0x3f, .present), (0x40, .unknown)] as [(UInt8, FixState.State)])
    func `a higher class that waited at the crossing may have put SVI right in L1`(
        _ above: UInt8, _ state: FixState.State
    ) {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        // The PIC's interrupts would be reported of.
        trace.inject(0x77, reinjected: true)
        for _ in 0..<17 {
            trace.accept(0x30)
            trace.accept(above)
            trace.offer(passingOn: 0x30)
            trace.endDirectly(0x30)
        }
        #expect(trace.outcome().fix.state == state)
    }

    // MARK: APICv's state

    @Test func `a crossing while APICv is known gives one a ground that came while it wasn't`() {
        var trace = runningBefore(showsActive: false)
        cross(0x51, &trace)
        trace.blockIRQ(false)
        #expect(trace.outcome().grade(.staleSVI) == .inconclusive)
        cross(0x51, &trace)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        #expect(trace.outcome().finding(.staleSVI)?.count == 1)
    }

    /// 5.10 to 5.17: no event tells of inhibits.
    private func withoutInhibits(_ show: (inout Trace) -> Void = { _ in }) -> Grade? {
        var trace = Trace(recorded: EventKindSet(rawValue: .max).subtracting(EventKindSet(.apicvInhibitChanged)))
        trace.exitOfL1()
        trace.enter()
        show(&trace)
        trace.resumeL2()
        cross(0x51, &trace)
        return trace.outcome().grade(.staleSVI)
    }

    @Test func `where no kernel could tell, a crossing is the hazard that it is on any kernel without the fix`() {
        #expect(withoutInhibits() == .hazard)
    }

    @Test func `where the vCPUs contradict each other it can't be judged`() {
        let seen = withoutInhibits {
            $0.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
            $0.exitOfL1(.msrWrite)
            $0.eoi(0x41)
            $0.emit(.msr(.init(isWrite: true, index: 0x80b, value: 0)))
            $0.enter()
        }
        #expect(seen == .inconclusive)
    }

    @Test func `what L2 ends without an injection is a crossing only where injections were on`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.endDirectly(0x51)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
        trace.info.recordedKinds.remove(.init(.injVIRQ))
        #expect(trace.outcome().finding(.staleSVI) == nil)
        #expect(trace.outcome().verdict == .exposed)
        trace.info.formatFields = ["kvm_entry.intr_info"]
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }
}
