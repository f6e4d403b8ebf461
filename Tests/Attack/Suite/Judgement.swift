// SPDX-License-Identifier: Apache-2.0
package import TraceCore

/// What apictrace makes of a recording, all the way to the report.
package struct Judgement: Sendable {
    package let report: Report

    var verdict: Grade { report.verdict }

    init(of recording: HeldRecording) {
        var analysis = Analysis(info: recording.info, window: recording.window)
        recording.feed(&analysis)
        analysis.finish()
        report = ReportBuilder(analysis, totals: recording.currentTotals, path: nil).report()
    }

    init(path: String, window: ClosedRange<UInt64>? = nil) throws(InputError) {
        var file = try Recording(path: path)
        var analysis = Analysis(info: file.info, window: window)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        report = ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    /// The findings without times, ids of vCPUs and words: what renumbering may not change.
    var essence: [String] {
        report.findings.map { finding in
            ([finding.rule.rawValue, "\(finding.grade)", "\(finding.count)"] + finding.vectors + finding.symptoms)
                .joined(separator: " ")
        }.sorted()
    }

    /// What the same events must give, whichever way they came.
    func differences(from other: Judgement) -> [String] {
        let (one, two) = (report, other.report)
        var differences: [String] = []
        if one.verdict != two.verdict { differences.append("verdict \(one.verdict), not \(two.verdict)") }
        if one.findings != two.findings { differences.append("findings") }
        if one.vms != two.vms { differences.append("VMs") }
        if one.host.sviFix.state != two.host.sviFix.state { differences.append("fix") }
        return differences
    }

    /// The findings in a line each, and the doubts of a report without findings.
    package var summary: String {
        let findings = report.findings.map { finding in
            let vectors = finding.vectors.isEmpty ? "" : " " + finding.vectors.joined(separator: ",")
            return "\(finding.rule.rawValue) \(finding.grade)\(vectors)"
        }
        let fix = report.host.sviFix
        return "\(verdict) [\(findings.joined(separator: "; "))] fix \(fix.state) by \(fix.basis)"
    }
}

extension Judgement {
    /// Evidence lines that are no record of the recording: each must be one of its events, at its time, by its thread.
    func inventedEvidence(in recording: HeldRecording) -> [(rule: RuleID, line: Report.Evidence)] {
        let lines = report.findings.flatMap { finding in finding.evidence.map { (rule: finding.rule, line: $0) } }
        guard !lines.isEmpty else { return [] }
        let base = UInt64(report.source.span.base) ?? 0
        var times: [UInt64: [Int]] = Dictionary(lines.map { (base + $0.line.time, []) }) { first, _ in first }
        for (index, item) in recording.items.enumerated() where times[item.stamp.time] != nil {
            times[item.stamp.time]?.append(index)
        }
        return lines.filter { _, line in
            !(times[base + line.time] ?? []).contains { index in
                recording.items[index].is(line.event, cpu: line.cpu ?? -1, tid: line.tid ?? -1)
            }
        }
    }
}

extension HeldRecording.Item {
    /// What only live tracing knows stands beside the event that made it known, with the same stamp.
    fileprivate func `is`(_ name: String, cpu: Int32, tid: Int32) -> Bool {
        guard stamp.cpu == cpu, stamp.tid == tid else { return false }
        switch content {
        case .event(let event): return event.kind.tracepoints.contains(name)
        case .fact: return true
        case .lost: return false
        }
    }
}
