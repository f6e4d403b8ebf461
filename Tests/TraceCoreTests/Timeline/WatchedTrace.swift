// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A trace with its time line and its report.
struct WatchedTrace: ~Copyable {
    let timeline: Timeline
    let report: Report

    /// - Parameters:
    ///   - chunks: of 124 items each.
    ///   - buckets: for a vCPU.
    init(
        _ trace: Trace, chunks: Int = 1 << 14, buckets: Int = Timeline.mostBuckets, window: ClosedRange<UInt64>? = nil
    ) {
        var analysis = WatchedAnalysis(
            info: trace.info, window: window, onlooker: Timeline(chunks: chunks, buckets: buckets))
        trace.feed(&analysis)
        analysis.finish()
        var totals = trace.totals
        (totals.first, totals.last) = (0, trace.time)
        timeline = analysis.release(for: Timeline())
        report = ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    init(recording path: String, chunks: Int = 1 << 14) throws {
        var file = try Recording(path: path)
        var analysis = WatchedAnalysis(info: file.info, onlooker: Timeline(chunks: chunks))
        let totals = try file.read(into: &analysis)
        analysis.finish()
        timeline = analysis.release(for: Timeline())
        report = ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    /// All buckets of a vCPU in one.
    func total(_ index: Int = 0) -> Timeline.Bucket {
        guard timeline.vcpus.indices.contains(index) else { return Timeline.Bucket() }
        return timeline.buckets(of: timeline.vcpus[index])?.total ?? Timeline.Bucket()
    }

    func events(_ index: Int = 0) -> [Timeline.Event] {
        var events: [Timeline.Event] = []
        timeline.forEachEvent(of: timeline.vcpus[index]) { events.append($0) }
        return events
    }

    func interrupts(_ index: Int = 0) -> [Timeline.Interrupt] {
        var interrupts: [Timeline.Interrupt] = []
        timeline.forEachInterrupt(of: timeline.vcpus[index]) { interrupts.append($0) }
        return interrupts
    }
}

extension Trace {
    /// vCPU 1 sends 0x41 to vCPU 0, on which L2 takes and ends it.
    static var ipiTakenByL2: Trace {
        var trace = Trace()
        trace.createVM()
        trace.thread(.vcpu1)
        trace.enter()
        trace.thread(.vcpu0)
        trace.resumeL2()
        trace.exitOfL2()
        trace.thread(.vcpu1)
        trace.exitOfL1(.apicWrite)
        trace.emit(.apicIPI(.init(icrLow: 0x41, destination: 0)))
        trace.accept(0x41)
        trace.enter()
        trace.thread(.vcpu0)
        trace.inject(0x41)
        trace.enter()
        trace.endDirectly(0x41)
        return trace
    }
}
