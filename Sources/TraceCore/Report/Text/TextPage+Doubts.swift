// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let column = 12
    private static let sentences = 6

    /// What the verdict can't rest on (losses, a cut, events that were not recorded) and how to record better.
    mutating func add(doubtsOf report: Report) {
        let doubts = [report.loss.sentence, report.source.cut?.sentence].compactMap(\.self)
        let limits = report.limits.map(RecordAdvice.sentence).filter { !$0.isEmpty }
        let sentences = doubts + limits
        if !sentences.isEmpty {
            blank()
            for sentence in sentences.prefix(Self.sentences) {
                add(sentence, label: "Doubt", indent: 2, column: Self.column, ink: .bold)
            }
            if sentences.count > Self.sentences {
                add("and \(sentences.count - Self.sentences) more: --json has them all", indent: Self.column)
            }
        }
        if let command = RecordAdvice.command(of: report.limits + report.findings.flatMap(\.limits)) {
            blank()
            add("Record next time, while it happens:", indent: 2)
            add(command: command, indent: 4)
        }
    }
}

extension Report.Loss {
    fileprivate var sentence: String? {
        guard gapsTotal > 0 || known > 0 || (overrun ?? 0) > 0 else { return nil }
        var parts = ["Events were lost in \(gapsTotal) \(gapsTotal == 1 ? "gap" : "gaps"), \(known) by their counts"]
        if unknownGaps > 0 { parts.append("\(unknownGaps) without a count") }
        if let overrun { parts.append("the recorder counted \(overrun)") }
        return parts.joined(separator: "; ") + ". Larger buffers (trace-cmd's -b) or fewer events help."
    }
}

extension Report.Cut {
    fileprivate var sentence: String {
        "The file is cut or damaged at byte \(offset), where \(expected) was expected; what can be read counts."
    }
}
