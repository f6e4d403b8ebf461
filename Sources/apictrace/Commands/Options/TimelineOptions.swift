// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import ReportPage
import TraceCore

/// Outputs of what happened when, beside the report.
struct TimelineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write the report as a page for a browser, with tables and a time line, to this file; - is standard output.",
            valueName: "file"),
        completion: .file())
    var html: String?

    @Option(
        help: ArgumentHelp(
            "Also write what happened when for Perfetto (ui.perfetto.dev) to this file; - is standard output, in the report's place.",
            valueName: "file"),
        completion: .file())
    var perfetto: String?

    var paths: [String] { [html, perfetto].compactMap(\.self) }

    /// Some output needs a time line.
    var isWanted: Bool { !paths.isEmpty }

    func validate(recordings: Int) throws {
        guard !isWanted || recordings < 2 else {
            throw ValidationError("--html and --perfetto are for one recording: their files have one clock.")
        }
    }

    func write(_ report: Report, _ timeline: borrowing Timeline) throws {
        if let html { try OutputStream(path: html).write(report.html(timeline)) }
        if let perfetto {
            let file = try OutputStream(path: perfetto)
            try report.perfetto(timeline) { try file.write($0) }
        }
    }
}
