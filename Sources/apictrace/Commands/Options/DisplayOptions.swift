// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// How text is shown.
struct DisplayOptions: ParsableArguments {
    enum Colour: String, CaseIterable, ExpressibleByArgument {
        case auto, always, never
    }

    @Option(help: ArgumentHelp("Colour: where a terminal reads it, always or never.", valueName: "when"))
    var color = Colour.auto

    @Flag(help: "The same as --color never.")
    var noColor = false

    @Flag(help: "Don't send what is longer than the terminal through $PAGER.")
    var noPager = false

    var style: TextStyle { Terminal.style(colour: noColor ? .never : color) }
}
