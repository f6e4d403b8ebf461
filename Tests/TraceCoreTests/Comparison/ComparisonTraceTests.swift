// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Comparisons of traces written by hand, events in: what a part of a recording says of the whole, and the whole of a part.
@Suite struct ComparisonTraceTests {
    /// 0x41 comes to L2 so many times and then, unless the trace ends before, waits past every excuse.
    private func trace(
        deliveries: Int, loses: Bool = true, recorded: EventKindSet = .init(rawValue: .max),
        _ change: (inout Trace) -> Void = { _ in }
    ) -> Trace {
        var trace = Trace(recorded: recorded)
        trace.createVM()
        trace.resumeL2()
        trace.accessDirectly(0x80, write: true, value: 0)
        for _ in 0..<deliveries {
            trace.deliver(0x41)
            trace.endDirectly(0x41)
        }
        change(&trace)
        if loses {
            trace.accept(0x41)
            trace.accept(0x41)
            trace.exitOfL2(.interruptWindow)
            trace.enter()
            trace.runL2(entries: 40, over: 3000)
        }
        return trace
    }

    private func compare(_ a: Trace, _ b: Trace) -> Comparison { Comparison(a.outcome().report, b.outcome().report) }

    @Test func `a wait that is lost in A and comes in B, more often than in A, is better; swapped it is worse`() {
        let (lossy, sound) = (trace(deliveries: 2), trace(deliveries: 3, loses: false))
        let comparison = compare(lossy, sound)
        #expect(comparison.outcome == .better)
        let swapped = compare(sound, lossy)
        #expect(swapped.outcome == .worse)
        // They list the same, with the sides changed.
        #expect(comparison.findings.map(\.rule) == swapped.findings.map(\.rule))
        #expect(comparison.findings.map(\.a) == swapped.findings.map(\.b))
        #expect(comparison.vms.map(\.a) == swapped.vms.map(\.b))
        #expect(comparison.vms.flatMap(\.exits).map(\.a) == swapped.vms.flatMap(\.exits).map(\.b))
        #expect(
            comparison.vms.flatMap(\.vcpus).flatMap(\.interrupts).map(\.b)
                == swapped.vms.flatMap(\.vcpus).flatMap(\.interrupts).map(\.a))
    }

    @Test func `a part that ends before the loss, without a mark, is not better than the whole`() {
        let (whole, part) = (trace(deliveries: 2), trace(deliveries: 2, loses: false))
        #expect(compare(whole, part).outcome == .incomparable)
        // The whole is worse than the part, which is said not to have come so far.
        let swapped = compare(part, whole)
        #expect(swapped.outcome == .worse)
        #expect(swapped.doubts.contains { $0.contains("A may not have come so far") })
    }

    @Test func `a part with lost events is never better`() {
        let gapped = trace(deliveries: 9, loses: false) { $0.gap(cpu: 0, events: 5) }
        #expect(compare(trace(deliveries: 2), gapped).outcome == .incomparable)
        #expect(compare(gapped, trace(deliveries: 2)).outcome == .incomparable)
    }

    @Test func `a part that is cut off is never better`() {
        var cut = trace(deliveries: 9, loses: false)
        cut.totals.cut = TraceCut(offset: 4096, expected: "a page")
        #expect(compare(trace(deliveries: 2), cut).outcome == .incomparable)
    }

    @Test func `a part without some of the events is never better`() {
        let all = EventKindSet(rawValue: .max)
        for kind in [EventKindSet(.eoi), EventKindSet(.apicAcceptIRQ), EventKindSet(.injVIRQ), EventKindSet(.mmio)] {
            let fewer = trace(deliveries: 9, loses: false, recorded: all.subtracting(kind))
            #expect(compare(trace(deliveries: 2), fewer).outcome == .incomparable)
        }
    }

    @Test func `a part without the vCPU that L2 ran on is never better`() {
        func two(_ hasSecond: Bool) -> Trace {
            trace(deliveries: 3, loses: false) { trace in
                guard hasSecond else { return }
                trace.thread(.vcpu1)
                trace.resumeL2()
                trace.runL2(entries: 3)
                trace.thread(.vcpu0)
            }
        }
        #expect(compare(two(true), two(false)).outcome == .incomparable)
        #expect(compare(two(false), two(true)).outcome == .notWorse)
    }

    @Test func `every trace compared with itself is the same`() {
        for loses in [true, false] {
            let one = trace(deliveries: 2, loses: loses)
            #expect(compare(one, one).outcome == .same)
        }
        let gapped = trace(deliveries: 2) { $0.gap(cpu: 0, events: 5) }
        #expect(compare(gapped, gapped).outcome == .same)
        #expect(!compare(gapped, gapped).doubts.isEmpty)
    }
}
