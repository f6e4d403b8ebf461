// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What VMs add up to for monitoring while they come and go.
@Suite struct MetricsSnapshotTests {
    private let millisecond: UInt64 = 1_000_000
    private let write = KVMEvent.mmio(.init(type: 2, gpa: Trace.page + 0xb0, value: 0))

    private func snapshot(_ trace: borrowing LiveTrace) -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(source: "live (by hand)", started: 0, updated: 0)
        snapshot.add(trace.analysis, until: trace.time)
        return snapshot
    }

    private func inhibit(_ trace: inout LiveTrace, _ mask: UInt64, reason: Int32 = 0) {
        trace.emit(.apicvInhibitChanged(.init(reason: reason, set: mask & 1 << UInt64(reason) != 0, inhibits: mask)))
    }

    @Test
    func `VMs that run are counted with their vCPUs by what is known of their APICv, and those that ended as ended`() {
        var trace = LiveTrace()
        trace.state(inhibits: 0)
        trace.thread.tid = 102
        trace.state(vcpu: 1)
        trace.thread.tid = 201
        trace.state(vm: 0x2000, process: 200, inhibits: 1)
        #expect(snapshot(trace).vms == [.active: 1, .inhibited: 1])
        #expect(snapshot(trace).vcpus == 3)
        trace.end(process: 200)
        #expect(snapshot(trace).vms == [.active: 1])
        #expect(snapshot(trace).vcpus == 2)
        #expect(snapshot(trace).vmsEnded == 1)
    }

    @Test func `time counts for each reason of the mask, from when it is known until it goes or the VM ends`() {
        var trace = LiveTrace()
        trace.after(ms: 500)
        trace.state(inhibits: 0x5)
        trace.after(ms: 100)
        let both = snapshot(trace).inhibited
        #expect(both["DISABLED"] == 100 * millisecond)
        #expect(both["ABSENT"] == 100 * millisecond)
        // It was not there yet, and can be.
        #expect(both["NESTED"] == 0)
        inhibit(&trace, 0x1, reason: 2)
        trace.after(ms: 30)
        let one = snapshot(trace).inhibited
        #expect((one["DISABLED"] ?? 0) / millisecond == 130)
        #expect((one["ABSENT"] ?? 0) / millisecond == 100)
        inhibit(&trace, 0)
        trace.after(ms: 7)
        #expect((snapshot(trace).inhibited["DISABLED"] ?? 0) / millisecond == 130)
        inhibit(&trace, 0x8, reason: 3)
        trace.after(ms: 10)
        trace.end(process: 100)
        trace.after(ms: 1000)
        #expect((snapshot(trace).inhibited["DISABLED"] ?? 0) / millisecond == 130)
        #expect((snapshot(trace).inhibited["BLOCKIRQ"] ?? 0) / millisecond == 10)
        #expect((snapshot(trace).inhibited["ABSENT"] ?? 0) / millisecond == 100)
    }

    @Test func `changes beyond those that a report keeps count too`() {
        var trace = LiveTrace()
        trace.state(inhibits: 0)
        for _ in 0..<300 {
            inhibit(&trace, 0x8, reason: 3)
            trace.after(ms: 1)
            inhibit(&trace, 0, reason: 3)
            trace.after(ms: 1)
        }
        #expect((snapshot(trace).inhibited["BLOCKIRQ"] ?? 0) / millisecond == 300)
    }

    @Test func `times add up by bit, and those of a mask that nothing told are of an unknown reason`() {
        var time = InhibitedTime()
        time.add(5, of: 0)
        time.add(6, of: 0x9)
        var sum = InhibitedTime()
        sum.add(time)
        sum.add(time)
        #expect(sum.unknown == 10)
        #expect(sum.reasons.map(\.bit) == [0, 3])
        #expect(sum.reasons.map(\.time) == [12, 12])
    }

    /// A VM that is inhibited for a millisecond, reaches its APIC once and ends.
    private func comeAndGo(_ trace: inout LiveTrace, process: Int32) {
        trace.thread.tid = process + 1
        trace.state(process: process, inhibits: 1, firstRun: true)
        trace.emit(.enter)
        trace.emit(.leave(.eptMisconfig), write, .enter)
        trace.after(ms: 1)
        trace.end(process: process)
    }

    @Test func `nothing is forgotten when VMs that ended leave their places, nor counted twice`() {
        var trace = LiveTrace()
        var before = snapshot(trace)
        for vm in 1...UInt64(EndedVMs.mostQuiet + 40) {
            comeAndGo(&trace, process: 100 * Int32(vm))
            // Around the first that leave; a look takes time.
            guard vm.isMultiple(of: 64) || vm > EndedVMs.mostQuiet - 2 else { continue }
            let now = snapshot(trace)
            #expect(now.vmsEnded == vm)
            #expect(now.accesses[.init(.l1, isWrite: true)] == vm)
            var kept = now
            kept.keepUp(with: before)
            #expect(kept == now)
            before = now
        }
        #expect(trace.analysis.ended.totals.vms == 40)
        // And the microseconds that its events are apart.
        let inhibited = (before.inhibited["DISABLED"] ?? 0) / 1000
        #expect((1000...1005).contains(inhibited / UInt64(EndedVMs.mostQuiet + 40)))
    }

    @Test func `of VMs and vCPUs that are asked for only those count, whatever became of the others`() {
        var trace = LiveTrace()
        trace.analysis.wanted = Selection(vm: 100, vcpu: 0)
        for vm in 2...Int32(EndedVMs.mostQuiet + 40) { comeAndGo(&trace, process: 100 * vm) }
        trace.thread.tid = 101
        trace.state(inhibits: 1)
        trace.emit(.leave(.eptMisconfig), write, .enter)
        trace.thread.tid = 102
        trace.state(vcpu: 1, inhibits: 1)
        trace.emit(.exit(.init(reason: ExitReason.eptMisconfig.code, vcpu: 1)), write, .entry(.init(vcpu: 1)))
        let snapshot = snapshot(trace)
        #expect(trace.analysis.ended.totals.vms > 0)
        #expect(snapshot.vmsEnded == 0)
        #expect(snapshot.vms == [.inhibited: 1])
        #expect(snapshot.vcpus == 1)
        #expect(snapshot.accesses[.init(.l1, isWrite: true)] == 1)
    }

    @Test func `of very many VMs that are asked for and ended none is forgotten`() {
        var trace = LiveTrace()
        trace.analysis.wanted = Selection(vms: [.name("web")])
        let vms = EndedVMs.mostTelling + EndedVMs.mostQuiet + 20
        for vm in 1...Int32(vms) {
            trace.analysis.take(
                .fact(.command(Comm("web"))), at: EventStamp(time: trace.time, cpu: 0, tid: 10 * vm))
            comeAndGo(&trace, process: 10 * vm)
        }
        #expect(trace.analysis.ended.ofWanted.vms == 20)
        #expect(snapshot(trace).vmsEnded == UInt64(vms))
        #expect(snapshot(trace).accesses[.init(.l1, isWrite: true)] == UInt64(vms))
    }
}
