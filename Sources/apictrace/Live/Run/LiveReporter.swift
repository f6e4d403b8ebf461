// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Feeds the analysis and shows what comes of it: findings at once, moments at the output's pace.
struct LiveReporter: LiveSink, ~Copyable {
    private var analysis: LiveAnalysis
    private var output: any LiveOutput
    private let out: OutputQueue
    private var metrics: MetricsOutlets?
    /// Ends the run when a finding reaches it.
    private let goal: Grade?
    private let start: UInt64
    private var beats = 0
    /// The gravest grade of what was found since somebody asked.
    private var news: Grade?
    /// When the last moment was shown, and the hits until then.
    private var shown: (time: UInt64, hits: UInt64)?

    /// Looking for findings at every second beat keeps the way from a completed proof to its line below 50 ms.
    private static let beatsBetweenLooks = 2

    init(
        _ info: TraceInfo, _ options: LiveOptions, output: any LiveOutput, to out: OutputQueue,
        metrics: MetricsOutlets? = nil, until goal: Grade?
    ) {
        analysis = LiveAnalysis(info, options)
        self.output = output
        self.out = out
        self.metrics = metrics
        self.goal = goal
        start = MonotonicClock.now
    }

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) { analysis.take(item, at: stamp) }

    @inline(__always)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) { analysis.event(event, at: stamp) }

    mutating func drained(_ progress: borrowing some LiveProgress & ~Copyable) -> Bool {
        analysis.tick(at: progress.settled)
        beats += 1
        if beats.isMultiple(of: Self.beatsBetweenLooks) { look(progress) }
        showMoment(progress)
        if metrics != nil { putMetrics(progress) }
        // As with any tool in a pipe: when its reader leaves it is over.
        guard out.hasReader else { return false }
        return goal.map { goal in !analysis.findings.contains { $0.grade >= goal } } ?? true
    }

    var sleepers: [Int32] { analysis.sleepers }

    mutating func resized() {
        output.resized()
    }

    mutating func pressed(_ key: Keyboard.Key) {
        output.pressed(key)
    }

    /// The run is over, well or not: the terminal is the user's again.
    mutating func end() {
        output.end()
    }

    /// Nothing was traced yet: what waits to be told that needs its place.
    mutating func begin(_ progress: borrowing some LiveProgress & ~Copyable) throws(TraceWriterError) {
        if metrics != nil { try metrics?.begin(analysis.metrics(progress.totals(), until: progress.settled)) }
    }

    mutating func takeNews() -> Grade? {
        defer { news = nil }
        return news
    }

    /// The trace is over.
    mutating func close(_ progress: borrowing some LiveProgress & ~Copyable) {
        look(progress)
        note(analysis.finish())
    }

    private mutating func note(_ grade: Grade?) {
        if let grade { news = max(news ?? grade, grade) }
    }

    /// Shows the report, once the trace is over, and returns it, and why the last metrics are not where they should be.
    consuming func finish(
        _ progress: borrowing some LiveProgress & ~Copyable
    ) throws -> (report: Report, failure: TraceWriterError?) {
        let totals = progress.totals()
        var snapshot = metrics == nil ? nil : analysis.metrics(totals, until: progress.settled)
        let report = analysis.report(totals)
        try output.finish(report)
        snapshot?.settle(report)
        var failure: TraceWriterError?
        do throws(TraceWriterError) {
            if let snapshot { try metrics?.finish(snapshot) }
        } catch {
            failure = error
        }
        return (report, failure)
    }

    private mutating func look(_ progress: borrowing some LiveProgress & ~Copyable) {
        for finding in analysis.newFindings(base: progress.base ?? start) {
            output.found(finding.report, at: finding.place)
            note(finding.report.grade)
        }
    }

    private mutating func putMetrics(_ progress: borrowing some LiveProgress & ~Copyable) {
        metrics?.serve()
        guard metrics?.isDue(at: MonotonicClock.now) ?? false else { return }
        metrics?.put(analysis.metrics(progress.totals(), until: progress.settled))
    }

    private mutating func showMoment(_ progress: borrowing some LiveProgress & ~Copyable) {
        let now = MonotonicClock.now
        let last = shown ?? (start, 0)
        guard shown == nil || now - last.time >= output.interval else { return }
        let totals = progress.totals()
        let hits = totals.byName.values.reduce(0, &+)
        let elapsed = Double(max(now &- last.time, 1)) / 1e9
        let moment = analysis.moment(
            base: progress.base ?? start, now: now, totals: totals,
            perSecond: shown == nil ? 0 : UInt64(Double(hits &- last.hits) / elapsed), seconds: elapsed)
        shown = (now, hits)
        output.show(moment)
    }
}
