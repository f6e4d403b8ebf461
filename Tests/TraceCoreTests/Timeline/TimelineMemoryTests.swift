// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// A time line's memory is bounded: what goes, what stays, and that sums stay exact.
@Suite struct TimelineMemoryTests {
    /// A crossing, then a loss among a great many exits, and a great many more.
    static var loss: Trace {
        var trace = Trace.inL2()
        trace.accessDirectly(0x80, write: true, value: 0)
        trace.runL2(entries: 3000, over: 30)
        trace.exitOfL2()
        trace.inject(0x51)
        trace.enter()
        trace.endHooked()
        trace.accept(0x41)
        trace.runL2(entries: 3000, over: 2100)
        trace.accept(0x41)
        return trace
    }

    @Test func `buckets that are full become half as many, and their sums stay`() {
        let few = WatchedTrace(Self.loss, buckets: 32)
        let many = WatchedTrace(Self.loss)
        let fewer = few.timeline.buckets(of: few.timeline.vcpus[0])
        let more = many.timeline.buckets(of: many.timeline.vcpus[0])
        #expect(fewer?.buckets.count ?? 0 <= 32 && fewer?.buckets.count ?? 0 > 8)
        #expect(more?.buckets.count ?? 0 > 256)
        #expect(TimelineSums(few) == TimelineSums(few.report))
        for activity in Timeline.Bucket.Activity.allCases { #expect(few.total()[activity] == many.total()[activity]) }
        #expect(few.total().longestPause == many.total().longestPause)
    }

    @Test func `time is divided among the buckets that it passes`() {
        var trace = Trace.inL2()
        trace.after(ms: 40)
        trace.exitOfL2()
        trace.enter()
        let watched = WatchedTrace(trace, buckets: 64)
        let buckets = watched.timeline.buckets(of: watched.timeline.vcpus[0])
        let width = buckets?.width ?? 0
        #expect(buckets?.buckets.dropFirst().dropLast().allSatisfy { $0[.l2] == width } == true)
        #expect(buckets?.buckets.count ?? 0 > 16)
    }

    @Test
    func `where memory is used up what evidence names stays, with its neighbours, and the rest is thinned out evenly`()
    {
        let watched = WatchedTrace(Self.loss, chunks: 32)
        #expect(watched.report.findings.contains { $0.grade >= .suspect })
        let kept = watched.events()
        let holes = kept.indices.filter { kept[$0].kind == .summarised }
        #expect(holes.count > 3)
        let times = Set(kept.map(\.time))
        for evidence in watched.report.findings.flatMap(\.evidence) {
            #expect(times.contains(evidence.time) == true, "\(evidence.text)")
            let index = kept.firstIndex { $0.time == evidence.time } ?? 0
            // No hole within a few events of it.
            #expect(holes.allSatisfy { abs($0 - index) > 16 })
        }
        #expect(kept.count { $0.kind == .exit } < 3000)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
        let exits = kept.filter { $0.kind == .exit || $0.kind == .entry }.map(\.time)
        #expect(exits == exits.sorted())
    }

    @Test func `an interrupt that was on its way when detail ends has no fate`() {
        var trace = Trace.inL2()
        trace.runL2(entries: 2000)
        trace.deliver(0x41)
        trace.runL2(entries: 4000)
        let fates = WatchedTrace(trace, chunks: 16).interrupts().map(\.fate)
        #expect(fates.allSatisfy { $0 == .unknown || $0 == .inService })
    }

    @Test func `the longest pause of more than four seconds keeps its length`() {
        var trace = Trace.inL2()
        trace.after(ms: 9000)
        trace.exitOfL2()
        trace.enter()
        let times = WatchedTrace(trace).events().map(\.time)
        #expect((times.last ?? 0) - (times.first ?? 0) > 9_000_000_000)
    }

    @Test func `a hundred vCPUs have fewer buckets each`() {
        var trace = Trace()
        for vcpu in 0..<Int32(200) {
            trace.thread(Trace.Thread(tid: 1000 + vcpu, vcpu: vcpu, cpu: vcpu % 8))
            trace.exitOfL1()
            trace.after(ms: 10)
            trace.enter()
        }
        let watched = WatchedTrace(trace)
        #expect(watched.timeline.limit == Timeline.mostBuckets / 4)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
    }

    @Test func `with more vCPUs than there is memory for some have nothing one by one, and sums stay`() {
        var trace = Trace()
        for round in 0..<400 {
            trace.thread(Trace.Thread(tid: 1000 + Int32(round % 40), vcpu: Int32(round % 40), cpu: Int32(round % 8)))
            trace.exitOfL1()
            trace.enter()
        }
        let watched = WatchedTrace(trace, chunks: 16)
        #expect(watched.timeline.vcpus.count == 40)
        #expect(watched.timeline.vcpus.indices.contains { watched.events($0).isEmpty })
        #expect(watched.timeline.vcpus.indices.contains { !watched.events($0).isEmpty })
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
    }

    @Test func `all that may be kept fits into 64 MB`() {
        // An array that grows may have room for twice as many.
        let buckets = 2 * 64 * Timeline.mostBuckets * MemoryLayout<Timeline.Bucket>.stride
        let chunks = DetailPool().capacity * MemoryLayout<DetailPool.Chunk>.stride
        #expect(buckets + chunks < 64 << 20)
        #expect(chunks > 16 << 20)
    }

    @Test func `a snapshot keeps what lies around evidence, as JSON too`() throws {
        let watched = WatchedTrace(Self.loss)
        let snapshot = watched.timeline.snapshot(of: watched.report, buckets: 100, neighbours: 5)
        let vcpu = try #require(snapshot.vms.first?.vcpus.first)
        #expect(vcpu.buckets.count <= 100)
        #expect(vcpu.buckets.reduce(0) { $0 + $1.exits[1] } == UInt64(watched.total()[.exits, .l2]))
        let evidence = Set(watched.report.findings.flatMap(\.evidence).map(\.time))
        let named = vcpu.details.flatMap(\.events).filter(\.isEvidence)
        #expect(Set(named.map(\.time)) == evidence)
        #expect(vcpu.details.flatMap(\.events).count < 20 * evidence.count)
        #expect(vcpu.details.flatMap(\.interrupts).contains { $0.vector == "0x41" && $0.isLost })
        let data = try JSONEncoder().encode(snapshot)
        #expect(try JSONDecoder().decode(TimelineSnapshot.self, from: data) == snapshot)
    }
}
