// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Events in, spans out: an event is a microsecond after the one before.
@Suite struct TimelineTests {
    static let ms: UInt64 = 1_000_000
    static let us: UInt64 = 1000

    @Test func `time belongs to the level that ran, and to L0 for the level that exited`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.after(ms: 3)
        trace.exitOfL1()
        trace.after(ms: 1)
        trace.enter()
        trace.resumeL2()
        trace.after(ms: 5)
        trace.exitOfL2()
        trace.after(ms: 2)
        trace.enter()
        let watched = WatchedTrace(trace)
        let total = watched.total()
        // The first exit and VMRESUME come 1 µs after an entry, and VMRESUME takes 2.
        #expect(total[.l1] == 3 * Self.ms + 3 * Self.us)
        #expect(total[.l0ForL1] == Self.ms + 4 * Self.us)
        #expect(total[.l2] == 5 * Self.ms + Self.us)
        // kvm_nested_vmexit comes before the entry.
        #expect(total[.l0ForL2] == 2 * Self.ms + 2 * Self.us)
        #expect(total[.unknown] == 0 && total[.blocked] == 0 && total[.unknownLevel] == 0)
        #expect(total.longestPause == 5 * Self.ms + Self.us)
    }

    @Test func `an exit that turns out to be L2's counts for L2, and so does an access that it told of`() {
        var trace = Trace.inL2()
        trace.exitOfL2(.apicAccess, info1: 0x1080)
        trace.enter()
        let watched = WatchedTrace(trace)
        #expect(watched.total()[.exits, .l2] == 1)
        #expect(watched.total()[.exits, .l1] == 1)
        #expect(watched.total()[.l1, isWrite: true] == 0)
        let exits = watched.events().filter { $0.kind == .exit }
        #expect(exits.map(\.level) == [.l1, .l2])
        #expect(exits.last?.reason(.vmx) == .apicAccess)
        #expect(!watched.events().contains { $0.kind == .accessed })
        #expect(watched.report.vms[0].vcpus[0].apicAccess.l1.writes == 0)
    }

    @Test func `a HLT blocks until its vCPU wakes`() {
        var trace = Trace()
        trace.createVM()
        trace.enter()
        trace.exitOfL1(.hlt)
        trace.after(ms: 7)
        trace.emit(.vcpuWakeup(.init()))
        trace.enter()
        let watched = WatchedTrace(trace)
        #expect(watched.total()[.blocked] == 7 * Self.ms + Self.us)
        #expect(watched.total()[.l0ForL1] == Self.us)
        #expect(watched.events().map(\.kind).suffix(3) == [.exit, .woke, .entry])
    }

    @Test func `a vCPU that sleeps at the trace's end slept until then`() {
        var trace = Trace()
        trace.createVM()
        trace.enter()
        trace.exitOfL1(.hlt)
        trace.thread(.vcpu1)
        trace.after(ms: 9)
        trace.exitOfL1()
        let watched = WatchedTrace(trace)
        // The other one is entered and exits.
        #expect(watched.total()[.blocked] == 9 * Self.ms + 2 * Self.us)
        #expect(watched.total()[.exits, .l1] == 1)
    }

    @Test func `an interrupt has its steps with their levels, and who asked for it`() {
        let watched = WatchedTrace(.ipiTakenByL2)
        let target = watched.timeline.vcpus.firstIndex { $0.id == 0 } ?? 0
        let interrupts = watched.interrupts(target)
        #expect(interrupts.count == 1)
        let interrupt = interrupts.first
        #expect(interrupt?.vector == 0x41 && interrupt?.fate == .ended && interrupt?.isCrossing == false)
        #expect(interrupt?.accepted?.level == .l2)
        #expect(interrupt?.acknowledged?.level == .l2 && interrupt?.acknowledgement == .injected)
        #expect(interrupt?.ended?.level == .l2)
        #expect((interrupt?.request).flatMap { watched.timeline.sender(of: $0)?.id } == 1)
        #expect(interrupt?.request?.time == interrupt?.accepted.map { $0.time - Self.us })
    }

    @Test func `an accept that no IPI of its thread's asked for has no request`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.emit(.apicIPI(.init(icrLow: 0x42, destination: 0)))
        trace.accept(0x41)
        trace.enter()
        #expect(WatchedTrace(trace).interrupts().map(\.request) == [nil])
    }

    @Test func `what is accepted again while it waits is one interrupt`() {
        var trace = Trace.inL2()
        for _ in 0..<3 {
            trace.exitOfL2()
            trace.accept(0x41)
            trace.enter()
        }
        let watched = WatchedTrace(trace)
        #expect(watched.interrupts().map(\.coalesced) == [2])
        #expect(watched.interrupts().map(\.fate) == [.pending])
        #expect(watched.total()[.accepted, .l2] == 3)
    }

    @Test func `acknowledged in L2 and ended by L1 is a crossing`() {
        var trace = Trace.inL2()
        trace.deliver(0x51)
        trace.endHooked()
        let watched = WatchedTrace(trace)
        #expect(watched.interrupts().map(\.isCrossing) == [true])
        #expect(watched.interrupts().map { $0.ended?.level } == [.l1])
        // L1's write leaves no event: it is known when L2 goes on, and was when L2's was handed on.
        #expect(
            watched.interrupts().map { $0.ended?.time } == [watched.events().first { $0.kind == .accessHooked }?.time])
        #expect(watched.total()[.hooked, isWrite: true] == 1)
    }

    @Test func `lost events are a hole: nobody knows what the vCPU did, nor what became of what was in service`() {
        var trace = Trace.inL2()
        trace.deliver(0x41)
        trace.after(ms: 1)
        trace.exitOfL2()
        trace.gap(cpu: 0)
        trace.after(ms: 4)
        trace.exitOfL2()
        trace.enter()
        let watched = WatchedTrace(trace)
        #expect(watched.interrupts().map(\.fate) == [.unknown])
        #expect(watched.total()[.unknown] > 4 * Self.ms)
        #expect(watched.total()[.unknown] < 4 * Self.ms + 10 * Self.us)
        #expect(watched.events().contains { $0.kind == .gap })
    }

    @Test func `what comes before the time that is asked for is no part of it`() {
        var trace = Trace.inL2()
        trace.runL2(entries: 10)
        let begin = trace.time + 1
        trace.runL2(entries: 5)
        let watched = WatchedTrace(trace, window: begin...UInt64.max)
        #expect(watched.total()[.exits, .l2] == 5)
        #expect(watched.events().count { $0.kind == .exit } == 5)
    }

    @Test func `a vCPU that was a target before it ran is one`() {
        var trace = Trace()
        trace.createVM()
        trace.enter()
        trace.accept(0x41, on: 1)
        trace.thread(Trace.Thread(tid: 102, vcpu: nil, cpu: 1))
        // The thread's first event names no vCPU.
        trace.emit(.apicIPI(.init(icrLow: 0x42, destination: 0)))
        trace.thread(.vcpu1)
        trace.exitOfL1()
        trace.enter()
        let watched = WatchedTrace(trace)
        let second = watched.timeline.vcpus.firstIndex { $0.id == 1 } ?? 0
        #expect(watched.total(second).ipis == 1)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
    }
}
