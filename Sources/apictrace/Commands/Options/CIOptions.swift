// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// Outputs for systems that run jobs, beside the reports of all recordings.
struct CIOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Also write the findings of all files as SARIF 2.1.0 to this file; - is standard output, in the reports' place.",
            valueName: "file"),
        completion: .file())
    var sarif: String?

    @Option(
        help: ArgumentHelp(
            "Also write the verdicts of all files as JUnit XML, a test case a rule, to this file; --fail-on says which grades fail.",
            valueName: "file"),
        completion: .file())
    var junit: String?

    var paths: [String] { [sarif, junit].compactMap(\.self) }

    func write(_ files: [AnalyzedFile], failOn grade: Grade) throws {
        // Each is tried: what an earlier run left there must not pass for this one's.
        let outcomes = [
            Result { if let sarif { try OutputStream(path: sarif).write(SARIFLog(files).text()) } },
            Result { if let junit { try OutputStream(path: junit).write(JUnitReport(files, failOn: grade).text) } },
        ]
        for outcome in outcomes { try outcome.get() }
    }
}
