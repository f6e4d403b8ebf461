// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

@main
struct Apictrace: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apictrace",
        abstract: "Tells whether a nested guest loses interrupts, and how it knows.",
        subcommands: [Live.self]
    )
}
