// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// `live --json`: findings as they come, a summary now and then, and the report as the last line.
struct JSONLines: LiveOutput {
    let out: OutputQueue
    /// Nothing but the report.
    let isQuiet: Bool
    /// Nanoseconds between summaries.
    let interval: UInt64
    /// Of the summary before, by ``MonotonicClock``: moments may be made more often, for another output.
    private var last: (time: UInt64, hits: UInt64)?

    static let second: UInt64 = 1_000_000_000

    init(out: OutputQueue, isQuiet: Bool, interval: UInt64 = second) {
        (self.out, self.isQuiet, self.interval) = (out, isQuiet, interval)
    }

    func found(_ finding: Report.Finding, at place: String) {
        if !isQuiet, let line = try? finding.line() { out.put(line + "\n") }
    }

    mutating func show(_ moment: LiveMoment) {
        guard !isQuiet else { return }
        let now = MonotonicClock.now
        let summary = Report.Summary(
            time: moment.time, verdict: moment.verdict, events: moment.hits, perSecond: perSecond(moment.hits, at: now),
            dropped: moment.dropped, vms: moment.vms.count, vcpus: moment.vms.reduce(0) { $0 + $1.vcpus.count })
        last = (now, moment.hits)
        if let line = try? summary.line() { out.put(line + "\n") }
    }

    private func perSecond(_ hits: UInt64, at now: UInt64) -> UInt64 {
        guard let last, now > last.time, hits > last.hits else { return 0 }
        return UInt64(Double(hits - last.hits) / (Double(now - last.time) / 1e9))
    }

    func finish(_ report: Report) throws {
        out.putLast(try report.line() + "\n")
    }
}
