// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// `live --json`: findings as they come, a summary now and then, and the report as the last line.
struct JSONLines: LiveOutput {
    let out: OutputQueue
    /// Nothing but the report.
    let isQuiet: Bool
    /// Nanoseconds between summaries.
    var interval: UInt64 = 1_000_000_000

    func found(_ finding: Report.Finding, at place: String) {
        if !isQuiet, let line = try? finding.line() { out.put(line + "\n") }
    }

    func show(_ moment: LiveMoment) {
        guard !isQuiet else { return }
        let summary = Report.Summary(
            time: moment.time, verdict: moment.verdict, events: moment.hits, perSecond: moment.perSecond,
            dropped: moment.dropped, vms: moment.vms.count, vcpus: moment.vms.reduce(0) { $0 + $1.vcpus.count })
        if let line = try? summary.line() { out.put(line + "\n") }
    }

    func finish(_ report: Report) throws {
        out.putLast(try report.line() + "\n")
    }
}
