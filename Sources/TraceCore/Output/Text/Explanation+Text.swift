// SPDX-License-Identifier: Apache-2.0

extension Explanation {
    /// The page that `apictrace explain` prints.
    public func text(of rule: RuleID, style: TextStyle) -> String {
        var page = TextPage(style: style)
        page.add(title, label: rule.rawValue, column: rule.rawValue.count + 2, ink: .bold)
        let sections = [
            ("What is reported", summary), ("What happens", mechanism), ("How a trace shows it", signature),
            ("Affected kernels", affected), ("Fix", fix), ("What to do", advice),
        ]
        for (heading, words) in sections {
            page.blank()
            page.add("", label: heading, ink: .bold)
            page.add(paragraphs: words, indent: 2)
        }
        page.blank()
        page.add("", label: "Events to record", ink: .bold)
        page.add(command: requiredEvents.recordCommand, indent: 2)
        page.add("Where a kernel lacks one of them: trace-cmd record -b 16384 -e kvm -e kvmmmu", indent: 2)
        page.blank()
        page.add("", label: "References", ink: .bold)
        for reference in references { page.add(reference, indent: 2) }
        return page.text
    }

    /// All rules, one line each.
    public static func list(style: TextStyle) -> String {
        var page = TextPage(style: style)
        let column = RuleID.allCases.map(\.rawValue.count).reduce(0, max) + 2
        for rule in RuleID.allCases {
            page.add(rule.explanation.title, label: rule.rawValue, column: column, ink: .bold)
        }
        return page.text
    }
}
