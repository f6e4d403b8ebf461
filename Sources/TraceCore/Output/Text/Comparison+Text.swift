// SPDX-License-Identifier: Apache-2.0

extension Comparison {
    /// The comparison as one would paste it into a mail: what B is beside A and why, then what differs, A in the left column and B in
    /// the right. Lists are cut to what differs most; the JSON has all.
    public func text(style: TextStyle) -> String {
        var page = TextPage(style: style)
        for (index, reason) in reasons.enumerated() {
            page.add(
                reason, label: index == 0 ? outcome.rawValue.uppercased() : "", column: Grade.columns, ink: outcome.ink)
        }
        for (name, side) in [("A", a), ("B", b)] {
            page.add(side.description, label: name, indent: 2, column: Grade.columns, ink: .bold)
        }
        if let selection = a.selection ?? b.selection {
            page.add(selection.description, column: Grade.columns)
        }
        page.add(findingsOf: self)
        for vm in vms { page.add(vm) }
        if !observations.isEmpty {
            page.blank()
            page.add(
                observations.map { "\($0.kind.rawValue) \($0.a) in A, \($0.b) in B" }.joined(separator: "; "),
                label: "Noticed",
                column: Grade.columns, ink: .bold)
        }
        if !doubts.isEmpty { page.blank() }
        for doubt in doubts { page.add(doubt, label: "Doubt", column: Grade.columns, ink: .bold) }
        return page.text
    }

    /// The answer in one line.
    public var outcomeLine: String { "\(outcome.rawValue): \(reasons.first ?? "")".printable }
}

extension Comparison.Outcome {
    fileprivate var ink: TextStyle.Ink {
        switch self {
        case .same, .notWorse, .better: .green
        case .incomparable: .cyan
        case .worse, .mixed: .red
        }
    }
}

extension Comparison.Side {
    /// `bad.dat: confirmed; trace.dat v6, 39.676450 s, 1121041 events, Linux ...; fix for stale SVI absent (behaviour)`.
    fileprivate var description: String {
        let time = clock.unit == .nanoseconds ? "\(TimeText.seconds(duration)) s" : nil
        let facts = [format, time, "\(events) events", kernel.isEmpty ? nil : kernel].compactMap(\.self)
        let fix =
            host.isa == .vmx ? "; fix for stale SVI \(host.sviFix.state.rawValue) (\(host.sviFix.basis.rawValue))" : ""
        return "\(path ?? "standard input"): \(verdict.rawValue); \(facts.joined(separator: ", "))\(fix)"
    }
}

extension Report.Selection {
    fileprivate var description: String {
        var parts = vms
        if !vcpus.isEmpty { parts.append("vCPU \(vcpus.prefix(8).map(String.init).joined(separator: ", "))") }
        if from != nil || to != nil { parts.append("a part of the time") }
        return "Only of them: \(parts.joined(separator: ", "))."
    }
}
