// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// APICv's state over a VM's life, by events and by evidence.
@Suite struct APICvTimelineTests {
    private func timeline(_ trace: Trace) throws -> APICvTimeline {
        try #require(trace.outcome().vms.first).apicv
    }

    /// A vCPU that was there before the trace.
    private func running() -> Trace {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        return trace
    }

    @Test func `a VM begins inhibited by ABSENT, until its irqchip is created`() throws {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.inhibited, .active])
        #expect(apicv.intervals.map(\.mask) == [0x4, 0])
        #expect(apicv.intervals.allSatisfy { !$0.inferred })
    }

    @Test func `enable_apicv=0 leaves DISABLED set for good`() throws {
        // 5.19 to 6.8: both are set at creation, one event each.
        var trace = Trace()
        trace.thread(.vmm)
        trace.inhibit(reason: 2, set: true, mask: 0x4)
        trace.inhibit(reason: 0, set: true, mask: 0x5)
        trace.inhibit(reason: 2, set: false, mask: 0x1)
        trace.thread(.vcpu0)
        trace.exitOfL1()
        #expect(trace.outcome().vms.count == 1)
        #expect(try timeline(trace).intervals.map(\.mask) == [0x4, 0x5, 0x1])
    }

    @Test func `an event that changes nothing is no interval`() throws {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.blockIRQ(false)
        trace.blockIRQ(true)
        trace.blockIRQ(true)
        trace.inhibit(reason: 7, set: false, mask: 0x8)
        trace.blockIRQ(false)
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.mask) == [0x4, 0, 0x8, 0])
        #expect(apicv.total == 4)
        #expect(apicv.intervals[2].setBy == 101)
    }

    @Test func `nothing is known at the start of a trace of a VM that runs`() throws {
        let apicv = try timeline(running())
        #expect(apicv.intervals.map(\.state) == [.unknown])
        #expect(apicv.intervals[0].from == nil)
    }

    @Test func `kvm_apicv_accept_irq settles an unknown start as active, by inference`() throws {
        var trace = running()
        trace.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.active])
        #expect(apicv.intervals[0].inferred)
    }

    @Test(arguments: [ExitReason.apicWrite, .eoiInduced])
    func `an exit of L1's that only APICv has settles it too`(_ reason: ExitReason) throws {
        var trace = running()
        trace.exitOfL1(reason)
        #expect(try timeline(trace).state == .active)
    }

    @Test func `the same exit of an L2 that L1 gives APICv to says nothing`() throws {
        var trace = running()
        trace.resumeL2()
        trace.exitOfL2(.apicWrite, info1: 0x300)
        let seen = trace.outcome()
        #expect(seen.vms[0].apicv.state == .unknown)
        // Nor is it an access to L1's APIC.
        #expect(seen.vcpus[0].accessesByL1.writes == 0)
    }

    @Test func `APIC_ACCESS settles nothing: 5_10 has it with APICv inhibited`() throws {
        var trace = running()
        trace.exitOfL1(.apicAccess, info1: 0x10b0)
        #expect(try timeline(trace).state == .unknown)
        #expect(trace.outcome().vcpus[0].accessesByL1[.eoi].writes == 1)
    }

    @Test func `the first change tells which other inhibits there were before`() throws {
        var trace = running()
        trace.inhibit(reason: 3, set: true, mask: 0x18)
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.mask) == [0x10, 0x18])
        #expect(apicv.intervals.map(\.inferred) == [true, false])
    }

    @Test(arguments: [true, false]) func `a lone first change leaves open what was before: it fires without one too`(
        _ set: Bool
    ) throws {
        var trace = running()
        trace.blockIRQ(set)
        #expect(try timeline(trace).intervals.map(\.state) == [.unknown, set ? .inhibited : .active])
    }

    @Test func `evidence that comes after a change settles nothing before it`() throws {
        var trace = running()
        trace.blockIRQ(false)
        trace.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
        #expect(try timeline(trace).intervals.map(\.state) == [.unknown, .active])
    }

    @Test func `5_10's kvm_apicv_update_request fires on real changes, so the start is settled`() throws {
        var trace = running()
        trace.emit(.apicvUpdateRequest(.init(activate: false, bit: 3)))
        trace.emit(.apicvUpdateRequest(.init(activate: true, bit: 3)))
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.active, .inhibited, .active])
        #expect(apicv.intervals.map(\.mask) == [0, 0x8, 0])
        #expect(apicv.intervals.map(\.inferred) == [true, false, false])
    }

    @Test(arguments: [
        KVMEvent.apicvInhibitChanged(.init(reason: 3, set: true, inhibits: 0x18)),
        .apicvUpdateRequest(.init(activate: false, bit: 3)),
    ])
    func `a change before the VM ran says nothing of a time before it, for there was none`(_ change: KVMEvent) throws {
        var trace = Trace()
        trace.emit(change)
        trace.exitOfL1()
        trace.enter()
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.inhibited])
        #expect(apicv.isSeenFromCreation)
        #expect(apicv.initial == .unknown)
    }

    @Test func `the mask that is read is news where evidence had shown that there was some inhibit`() {
        var apicv = APICvTimeline()
        let stamp = EventStamp(time: 2000, cpu: 0, tid: 101)
        _ = apicv.showedInactive(.eoiByExit, settles: true, since: 1000, at: stamp)
        #expect((apicv.state, apicv.current.mask) == (.inhibited, 0))
        let isChange = apicv.read(0x8, tellsMasks: true, at: 3000)
        #expect(isChange)
        #expect((apicv.state, apicv.current.mask) == (.inhibited, 0x8))
    }

    @Test func `accesses before the state was known are reported apart once it is`() {
        var trace = running()
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        var active = trace
        active.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
        #expect(trace.outcome().vcpus[0].accessesDirect.whileUnknown.reads == 1)
        #expect(active.outcome().vcpus[0].accessesDirect.whileActive.reads == 1)
        trace.inhibit(reason: 3, set: false, mask: 0x10)
        #expect(trace.outcome().vcpus[0].accessesDirect.whileInhibited.reads == 1)
    }

    @Test func `of many changes the first are kept, and the last of those ends where the next begins`() throws {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        for _ in 0..<APICvTimeline.capacity {
            trace.blockIRQ(true)
            trace.blockIRQ(false)
        }
        let apicv = try timeline(trace)
        #expect(apicv.intervals.count == APICvTimeline.capacity)
        #expect(apicv.total == 2 + 2 * APICvTimeline.capacity)
        let last = try #require(trace.outcome().report.vms[0].apicv.last)
        #expect(last.to - last.from == 1000)
    }
}
