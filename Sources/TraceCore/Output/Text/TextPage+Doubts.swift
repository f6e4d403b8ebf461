// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let column = 12
    private static let sentences = 6
    private static let losersNamed = 4

    /// What the verdict can't rest on (losses, a cut, events that were not recorded) and how to record better.
    mutating func add(doubtsOf report: Report) {
        let loss = report.lossSentence(naming: style.shown(Self.losersNamed))
        let facts = [loss, report.source.cut?.sentence].compactMap(\.self)
        // The reasons stand at the top of the page.
        let doubts = report.unknowns.filter { !$0.standing && !report.reasons.contains(where: $0.text.hasPrefix) }
        let sentences = facts + doubts.map(\.text)
        if !sentences.isEmpty {
            blank()
            for sentence in sentences.prefix(style.shown(Self.sentences)) {
                add(sentence, label: "Doubt", indent: 2, column: Self.column, ink: .bold)
            }
            if sentences.count > style.shown(Self.sentences) {
                add("and \(sentences.count - Self.sentences) more: --json has them all", indent: Self.column)
            }
        }
        if let command = report.recordCommand {
            blank()
            add("Record next time, while it happens:", indent: 2)
            add(command: command, indent: 4)
        }
        let notes = report.unknowns.filter(\.standing).map(\.text)
        if !notes.isEmpty {
            blank()
            add(notes.joined(separator: " "), label: "Always", indent: 2, column: Self.column, ink: .faint)
        }
    }
}

extension Report {
    /// - Parameter most: VMs that are named; of more, none is.
    func lossSentence(naming most: Int) -> String? {
        guard !loss.isEmpty else { return nil }
        let losers = loss.isOfVMsAlone ? vms.filter { $0.eventsLost != nil }.map { "VM \($0.id)" } : []
        // A part of the trace may hold none of what was lost.
        if loss.isOfVMsAlone, losers.isEmpty, selection != nil { return nil }
        let whose = losers.isEmpty || losers.count > most ? "" : ", all of \(losers.listed)"
        let gaps = loss.gapsTotal == 1 ? "1 gap" : "\(loss.gapsTotal) gaps"
        let count = max(loss.known, loss.overrun ?? 0)
        let isLeast = loss.unknownGaps > 0 && loss.overrun ?? 0 <= loss.known
        let what = count == 0 ? "Events were lost" : "\(isLeast ? "At least " : "")\(count) events were lost"
        let advice =
            source.isLive
            ? "A larger ring (--buffer) helps" + (selection?.vms.count == 1 ? "." : ", or one VM alone (--vm).")
            : "Larger buffers (trace-cmd's -b) or fewer events help."
        return "\(what)\(loss.gapsTotal > 0 ? " in \(gaps)" : "")\(whose). \(advice)"
    }
}

extension Report.Source {
    fileprivate var isLive: Bool { format.hasPrefix(TraceInfo.live) }
}

extension Report.Cut {
    var sentence: String {
        "The file is cut or damaged at byte \(offset), where \(expected) was expected; what can be read counts."
    }
}
