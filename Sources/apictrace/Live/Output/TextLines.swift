// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// `live` where nobody watches a screen: findings as they come, a line every ten seconds, and the report.
struct TextLines: LiveOutput {
    let out: OutputQueue
    /// Nothing but the verdict.
    let isQuiet: Bool
    let style: TextStyle
    let interval: UInt64 = 10_000_000_000

    func found(_ finding: Report.Finding, at place: String) {
        guard !isQuiet else { return }
        let vectors = finding.vectors.isEmpty ? "" : ", \(finding.vectors.joined(separator: " "))"
        let line = "\(finding.rule.rawValue), \(place)\(vectors), since +\(LiveScreen.seconds(finding.first)) s"
        out.put("\(style.paint(finding.grade.rawValue.uppercased(), finding.grade.ink)) \(line.printable)\n")
    }

    func show(_ moment: LiveMoment) {
        if !isQuiet, moment.time >= interval { out.put(LiveScreen.status(moment) + "\n") }
    }

    func finish(_ report: Report) throws {
        out.putLast(
            isQuiet ? report.verdictLine + "\n" : report.text(style: Terminal.fitted(style), rows: Terminal.rows))
    }
}
