// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What is in service, what an acknowledge says of it, and which vectors may be there unseen.
@Suite struct ServiceTests {
    /// A VM that ran before the trace, APICv in use, and its L1 launches L2.
    private func runningBefore() -> Trace {
        var trace = Trace()
        trace.exitOfL1(.apicWrite, info1: 0xf0)
        trace.enter()
        trace.resumeL2()
        return trace
    }

    private func crossed(_ trace: Trace) -> [UInt8] {
        trace.transitions().compactMap { if case .crossed(let crossing) = $0 { crossing.vector } else { nil } }
    }

    // MARK: An acknowledge says what has ended

    @Test func `KVM injects nothing while its class is in service: what was there ended unseen`() {
        var trace = Trace.inL2()
        for vector in [0x31, 0x41, 0x45] as [UInt8] { trace.deliver(vector) }
        let seen = trace.outcome()
        #expect(seen[0x41].inService == nil)
        #expect(seen[0x45].inService != nil)
        // A lower class is interrupted, and goes on later.
        #expect(seen[0x31].inService != nil)
        #expect(seen.vcpus[0].ledger.unseenEOIs == 1)
        #expect(seen.doubts.contains { $0.text.contains("The EOIs of 1 interrupts") })
    }

    @Test func `an interrupt of the PIC's says nothing, and leaves no EOI to miss`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        for vector in [0x51, 0x76] as [UInt8] {
            trace.exitOfL2()
            trace.inject(vector)
            trace.enter()
        }
        #expect(trace.outcome()[0x61].inService != nil)
        trace.deliver(0x71)
        #expect(trace.outcome()[0x76].inService == nil)
        #expect(trace.outcome().vcpus[0].ledger.unseenEOIs == 0)
    }

    @Test func `what L1 passes on was chosen by SVI, which may be stale: it says nothing`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        trace.accept(0x62)
        trace.offer(passingOn: 0x62)
        #expect(trace.outcome()[0x61].inService != nil)
    }

    @Test func `what L1 took with an exit ends in silence: no EOI of it is missed`() {
        var trace = Trace.inL2()
        for vector in [0x41, 0x45] as [UInt8] {
            trace.accept(vector)
            trace.exitOfL2(.externalInterrupt)
            trace.forward(.externalInterrupt, intInfo: 0x8000_0000 | UInt32(vector))
            trace.enter()
            trace.resumeL2()
        }
        #expect(trace.outcome()[0x41].inService == nil)
        #expect(trace.outcome().vcpus[0].ledger.unseenEOIs == 0)
    }

    @Test func `a hooked EOI ends what is in service for certain before what may be the PIC's`() {
        var trace = Trace.inL2()
        trace.deliver(0x51)
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.endHooked()
        #expect(trace.outcome()[0x51].inService == nil)
        #expect(trace.outcome()[0x76].inService != nil)
    }

    @Test func `what holds L2's interrupts back was injected into L2, not taken by L1`() {
        var trace = Trace.inL2()
        trace.accept(0x61)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0061)
        trace.enter()
        #expect(trace.outcome().vcpus[0].ledger.highestInjected(but: VectorSet()) == nil)
        trace.resumeL2()
        trace.deliver(0x31)
        #expect(trace.outcome().vcpus[0].ledger.highestInjected(but: VectorSet()) == 0x31)
        #expect(trace.outcome().vcpus[0].ledger.highestInjected(but: VectorSet([0x31])) == nil)
    }

    // MARK: What may be in service unseen

    @Test func `in a VM that ran before the trace L2 may end what went into service before it`() {
        var trace = runningBefore()
        trace.endDirectly(0x61)
        #expect(crossed(trace) == [])
        trace.endDirectly(0x61)
        #expect(crossed(trace) == [0x61])
    }

    @Test func `an injection shows that nothing of its class or above is in service unseen`() {
        var trace = runningBefore()
        trace.deliver(0x45)
        trace.endDirectly(0x45)
        trace.endDirectly(0x3f)
        #expect(crossed(trace) == [])
        trace.endDirectly(0x41)
        trace.endDirectly(0x61)
        #expect(crossed(trace) == [0x41, 0x61])
    }

    @Test func `an accept shows that the vector itself was free to go into service since`() {
        var trace = runningBefore()
        trace.accept(0x61)
        trace.endDirectly(0x61)
        #expect(crossed(trace) == [0x61])
    }

    @Test func `after a gap anything may be in service unseen, whatever was known before`() {
        var trace = Trace.inL2()
        trace.deliver(0x31)
        trace.endDirectly(0x31)
        trace.gap(cpu: 0)
        trace.runL2(entries: 1)
        trace.endDirectly(0x61)
        #expect(crossed(trace) == [])
    }

    @Test func `a VM whose state was loaded brings vectors in service along, though it was created in the trace`() {
        var trace = Trace()
        trace.createVM()
        trace.runL2(entries: 1)
        for _ in 0..<2 { trace.endDirectly(0x61) }
        #expect(crossed(trace) == [])
    }

    @Test func `an INIT leaves nothing in service: what L2 ends after it L1 has taken since`() {
        for isReset in [false, true] {
            var trace = Trace()
            trace.exitOfL1(.apicWrite, info1: 0xf0)
            if isReset { trace.accept(0, mode: 0x500) }
            trace.enter()
            trace.resumeL2()
            trace.endDirectly(0x61)
            #expect(crossed(trace) == (isReset ? [0x61] : []))
        }
    }

    // MARK: Whose the end is

    @Test func `what L1 took in silence is L1's to end`() {
        var trace = Trace.inL2()
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1(.eoiInduced)
        trace.eoi(0x61)
        #expect(crossed(trace) == [])
    }

    @Test func `an EOI outside of any exit may be either level's`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        trace.eoi(0x61)
        #expect(crossed(trace) == [])
        #expect(trace.outcome()[0x61].ended.unknown == 1)
    }

    @Test func `what was injected at no known level crosses nothing`() {
        var trace = Trace.inL2()
        trace.gap(cpu: 0)
        trace.inject(0x61)
        trace.enter()
        trace.endDirectly(0x61)
        #expect(crossed(trace) == [])
        #expect(trace.outcome()[0x61].ended.l2 == 1)
    }

    // MARK: Counts beside

    @Test func `IPIs of another delivery mode are another line`() {
        var counts = IPICounts()
        for low in [0x041, 0x141, 0x041] as [UInt32] { counts.sent(.init(icrLow: low, destination: 1)) }
        #expect(counts.lines.map(\.count) == [2, 1])
        #expect(counts.lines.map(\.mode) == [DeliveryMode(icrLow: 0x041), DeliveryMode(icrLow: 0x141)])
    }
}
