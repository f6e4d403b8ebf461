// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// Outputs of what happened when, beside the report.
struct TimelineOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write what happened when for Perfetto (ui.perfetto.dev) to this file; - is standard output, in the report's place.",
            valueName: "file"),
        completion: .file())
    var perfetto: String?

    /// Some output needs a time line.
    var isWanted: Bool { perfetto != nil }

    /// Standard output is taken: there is no room for the report.
    var replacesReport: Bool { perfetto == "-" }

    func validate(inputs: [String]) throws {
        guard !isWanted || inputs.count < 2 else {
            throw ValidationError("--perfetto is for one recording: its file has one clock.")
        }
    }

    func write(_ report: Report, _ timeline: borrowing Timeline) throws {
        guard let perfetto else { return }
        if perfetto == "-" { return try report.perfetto(timeline) { Terminal.output($0) } }
        let file = try OutputStream(path: perfetto)
        try report.perfetto(timeline) { try file.write($0) }
    }
}
