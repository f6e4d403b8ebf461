// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain a rule: what happens in KVM, how a trace shows it, which kernels, what to do.",
        discussion: """
            Without a rule, all of them are listed.

            EXAMPLE:
              apictrace explain stale-svi
            """)

    @Argument(help: "The rule that a finding names.")
    var rule: RuleID?

    @OptionGroup var display: DisplayOptions

    func run() {
        let style = display.style
        var page = PagedOutput(display)
        page.add(rule.map { $0.explanation.text(of: $0, style: style) } ?? Explanation.list(style: style))
        page.finish()
    }
}
