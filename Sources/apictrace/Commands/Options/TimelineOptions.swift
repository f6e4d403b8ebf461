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

    private var paths: [String] { [html, perfetto].compactMap(\.self) }

    /// Some output needs a time line.
    var isWanted: Bool { !paths.isEmpty }

    /// Standard output is taken: there is no room for the report.
    var replacesReport: Bool { paths.contains("-") }

    func validate(inputs: [String]) throws {
        guard !isWanted || inputs.count < 2 else {
            throw ValidationError("--html and --perfetto are for one recording: their files have one clock.")
        }
        guard paths.count == Set(paths).count else {
            throw ValidationError("--html and --perfetto need a file each.")
        }
        guard Set(paths).isDisjoint(with: inputs) || replacesReport else {
            throw ValidationError("An output would replace the recording that is read.")
        }
    }

    func write(_ report: Report, _ timeline: borrowing Timeline) throws {
        if let html {
            let page = try report.html(timeline)
            try write(to: html) { try $0(Array(page.utf8)) }
        }
        if let perfetto { try write(to: perfetto) { try report.perfetto(timeline, write: $0) } }
    }

    private func write(to path: String, _ body: (@escaping ([UInt8]) throws -> Void) throws -> Void) throws {
        if path == "-" { return try body { Terminal.output($0) } }
        let file = try OutputStream(path: path)
        try body { try file.write($0) }
    }
}
