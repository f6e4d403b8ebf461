// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// How much of a report is shown, and in what form.
struct ReportOptions: ParsableArguments {
    @OptionGroup private var form: JSONOption

    @Flag(name: .shortAndLong, help: "Print the verdict only; with --json an object that has no more.")
    var quiet = false

    @Flag(
        name: .shortAndLong,
        help: "Cut no list short. Of a finding's events those are shown that were kept: the first 24 and 8 of the last."
    )
    var verbose = false

    @OptionGroup var display: DisplayOptions

    var json: Bool { form.json }

    func validate() throws {
        guard !quiet || !verbose else { throw ValidationError("--quiet and --verbose ask for opposite things.") }
    }

    var style: TextStyle {
        var style = display.style
        style.isVerbose = verbose
        return style
    }
}
