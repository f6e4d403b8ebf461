// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore
@testable import apictrace

/// What is lost where the ring is full, and what isn't. Real KVM, driven by Tests/Guest.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct LiveLossTests {
    /// Takes everything and keeps the sums.
    private struct Sums: EventSink {
        var events: UInt64 = 0
        var lost: UInt64 = 0
        /// Whose events they were.
        var losers: Set<Int32?> = []
        var latest: UInt64 = 0
        var isInOrder = true

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            switch item {
            case .event(let event):
                // Writes of SPIV alone are sent.
                if event.kind != .apic { events += 1 }
                isInOrder = isInOrder && stamp.time >= latest
                latest = stamp.time
            case .lost(let gap):
                lost += gap.events ?? 0
                losers.insert(gap.process)
            case .fact: break
            }
        }
    }

    @Test func `what a full ring loses is reported as gaps`() throws {
        let types = try KernelTypes()
        var source = try LiveSource.start(LiveOptions(ringBytes: 1 << 16), host: .current, types: types)
        var sums = Sums()
        try source.drain(into: &sums)
        // Nobody reads meanwhile.
        #expect(try Guest(ipis: 1000, timers: 0).end())
        try source.finish(into: &sums)
        // Nearly all of kvm_apic is counted and not sent.
        let hits = EventKind.allCases.filter { $0 != .apic }.map { source.hits($0) }.reduce(0, +)
        #expect(sums.lost > 0)
        #expect(sums.lost == source.dropped)
        #expect(sums.isInOrder)
        // The vCPU's state, which is no event, may be among the lost.
        #expect(hits - sums.events == sums.lost || hits - sums.events == sums.lost - 1)
    }

    @Test func `of gaps without end the first are kept, and all are counted`() throws {
        var source = try LiveSource.start(LiveOptions(ringBytes: 4096), host: .current, types: try KernelTypes())
        var sums = Sums()
        let guest = try Guest(ipis: 10_000_000, timers: 0)
        defer { guest.stop() }
        for _ in 0..<20_000 where source.totals().furtherGaps.total == 0 {
            usleep(500)
            try source.drain(into: &sums)
        }
        try source.finish(into: &sums)
        let totals = source.totals()
        #expect(totals.gaps.count == TraceTotals.mostGaps)
        #expect(totals.furtherGaps.total > 0)
        let kept = totals.gaps.reduce(0) { $0 + ($1.events ?? 0) }
        #expect(kept + totals.furtherGaps.events == source.dropped)
    }

    private static let tellsInterrupts: Bool = {
        do { return try KernelTypes().distanceOfPreemptCount != nil } catch { return false }
    }()

    /// As the command does it, but that nobody reads while the second guest floods the ring.
    @Test(.enabled(if: tellsInterrupts, "the kernel's types don't say where it counts interrupts"))
    func `what one VM drops makes that VM inconclusive, and no other`() throws {
        var source = try LiveSource.start(LiveOptions(ringBytes: 1 << 16), host: .current, types: try KernelTypes())
        var analysis = Analysis(info: TraceInfo(.current, try KernelTypes(), kinds: source.kinds))
        let quiet = try Guest(ipis: 5, timers: 0)
        while quiet.isRunning {
            try source.drain(into: &analysis)
            usleep(1000)
        }
        for _ in 0..<3 { try source.drain(into: &analysis) }
        #expect(source.dropped == 0)
        let busy = try Guest(ipis: 10_000_000, timers: 0)
        for _ in 0..<3000 where source.hits(.apicIPI) < 10_000 { usleep(10_000) }
        try source.finish(into: &analysis)
        #expect(busy.isRunning)
        busy.stop()
        let totals = source.totals()
        #expect(totals.overrun ?? 0 > 0)
        #expect(totals.gaps.allSatisfy { $0.process == busy.thread })
        #expect(!totals.hasLostOfAnybody)
        analysis.finish()
        let report = ReportBuilder(analysis, totals: totals, path: nil).report()
        #expect(report.reasons == ["Events of VM 1 were lost while recording: what they held may be a finding."])
        #expect(report.vms.map(\.pid) == [quiet.thread, busy.thread])
        #expect(report.vms.map(\.eventsLost) == [nil, totals.overrun])
    }

    @Test func `what a guest drops that has ended meanwhile is its own still`() throws {
        var source = try LiveSource.start(LiveOptions(ringBytes: 1 << 16), host: .current, types: try KernelTypes())
        var sums = Sums()
        try source.drain(into: &sums)
        let guest = try Guest(ipis: 1000, timers: 0)
        #expect(guest.end())
        try source.finish(into: &sums)
        #expect(sums.lost > 0)
        #expect(sums.losers == [guest.thread])
    }

    @Test func `a trace that ends while a guest runs ends for all probes at once, and loses nothing`() throws {
        var source = try LiveSource.start(LiveOptions(), host: .current, types: try KernelTypes())
        var sums = Sums()
        let guest = try Guest(ipis: 10_000_000, timers: 0)
        defer { guest.stop() }
        for _ in 0..<6000 where sums.events <= 1000 {
            usleep(5000)
            try source.drain(into: &sums)
        }
        try source.finish(into: &sums)
        let after = source.totals()
        let end = MonotonicClock.now
        #expect(guest.isRunning)
        #expect(sums.events > 1000)
        #expect(after.overrun == 0)
        #expect(sums.lost == 0)
        // Detaching took longer than what a last event can be away from the end.
        #expect(end - sums.latest > 20_000_000)
        let counted = after.byName.filter { $0.key != "kvm_apic" }.values.reduce(0, +)
        // A hit is counted before its record's time is taken, and some were on their way.
        #expect(counted >= sums.events && counted - sums.events < 100)
    }
}
