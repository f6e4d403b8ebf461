// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Explain a rule: what happens in KVM, how a trace shows it, which kernels, what to do.",
        discussion: """
            Without a rule, all of them are listed.

            EXAMPLE:
              apictrace explain stale-svi
            """)

    @Argument(help: "The rule that a finding names.")
    var rule: RuleID?

    @Flag(help: "No colour, also on a terminal.")
    var noColor = false

    func run() {
        let style = Terminal.style(noColour: noColor)
        Terminal.output(rule.map { $0.explanation.text(of: $0, style: style) } ?? Explanation.list(style: style))
    }
}
