// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What the tool makes of a file, all the way to the report's text and JSON.
struct Outcome {
    let verdict: Grade
    let events: UInt64
    /// Nothing is said to be missing of the file.
    let isWhole: Bool
    /// What is said to be missing, or not to be judged.
    let doubts: Set<String>

    /// Nil where nothing can be said of it, which the tool says in its error.
    /// - Parameter isRendered: the report is put into words too, which takes as long as all the rest.
    init?(_ file: DamagedFile, isRendered: Bool) {
        guard var trace = try? Recording(descriptor: file.copy(), name: "damaged.dat") else { return nil }
        var analysis = Analysis(info: trace.info)
        guard let totals = try? trace.read(into: &analysis) else { return nil }
        analysis.finish()
        let report = ReportBuilder(analysis, totals: totals, path: nil).report()
        if isRendered { Self.render(report) }
        verdict = report.verdict
        events = report.source.events.total
        isWhole = report.source.cut == nil
        doubts = Set(report.limits + ["\(report.loss)"])
    }

    private static func render(_ report: Report) {
        precondition((try? Report(json: report.json())) == report, "the report reads back differently")
        precondition(!report.text(style: TextStyle()).isEmpty, "no text")
    }
}
