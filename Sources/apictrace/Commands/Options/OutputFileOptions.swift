// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// Where output goes.
struct OutputFileOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"),
        completion: .file())
    var output: String?

    /// From here on standard output is that file.
    func redirect() throws {
        if let output { try Terminal.redirect(to: output) }
    }
}
