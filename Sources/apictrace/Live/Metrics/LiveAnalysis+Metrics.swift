// SPDX-License-Identifier: Apache-2.0
import TraceCore

extension LiveAnalysis {
    /// How the trace stands, for monitoring.
    ///
    /// - Parameters:
    ///   - totals: what the source knows by now.
    ///   - time: of the source's clock, up to which everything has come.
    func metrics(_ totals: TraceTotals, until time: UInt64) -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(source: analysis.machine.info.format, started: started, updated: WallClock.now)
        snapshot.verdict = verdict(totals)
        for finding in findings { snapshot.findings.count(finding.rule, finding.grade) }
        snapshot.reported = reported
        snapshot.events = totals.byName
        snapshot.dropped = totals.overrun ?? 0
        snapshot.add(analysis, until: time)
        return snapshot
    }
}
