// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    /// Column of the words beside a finding's labels.
    private static let column = 12
    /// Lines of evidence that fit on a screen with the rest.
    private static let evidenceLines = (first: 9, last: 5)
    private static let linesOfAKind = 4
    private static let otherFindings = 8

    /// One finding in full: who, since when, why, the chain, the registers, the ledger, the advice.
    mutating func add(finding: Report.Finding, of report: Report, times: TimeText) {
        let inferred = finding.inferred ? ", in part inferred" : ""
        add("\(finding.rule.rawValue), \(finding.grade.rawValue)\(inferred): \(report.name(of: finding))")
        let count = finding.count.times
        field("When", "\(times.both(finding.first)) to \(times.both(finding.last)), \(count)")
        field("Why", finding.explanation)
        field("Do now", finding.advice)
        if !finding.outweighsHints || report.host.sviFix.state != .unknown {
            field("KVM's fix", report.host.sviFix.description)
        }
        fields("Not known", finding.limits)
        fields("Crossing", finding.crossings.map(\.description))
        if !finding.stuck.isEmpty {
            field("Stuck", "\(finding.stuck.joined(separator: ", ")): received, in service still, and blocking")
        }
        if !finding.symptoms.isEmpty { field("Shown by", finding.symptoms.joined(separator: ", ")) }
        if let interval = report.apicv(during: finding) { field("APICv", interval.description) }
        if !finding.registers.isEmpty { field("Registers", finding.registers.description) }
        fields("Ledger", report.ledger(of: finding).map(\.description))
        add(chain: finding, times: times)
        field(
            "More",
            (["apictrace explain \(finding.rule.rawValue)"] + finding.references.prefix(1)).joined(separator: "; "))
    }

    /// The findings after the first, two or three lines each.
    mutating func add(others: ArraySlice<Report.Finding>, of report: Report, times: TimeText) {
        guard !others.isEmpty else { return }
        blank()
        for finding in others.prefix(style.shown(Self.otherFindings)) {
            let vectors = finding.vectors.isEmpty ? "" : ", \(finding.vectorList(style))"
            add(
                "\(finding.rule.rawValue): \(report.name(of: finding))\(vectors), \(finding.count.times) since "
                    + "\(times.both(finding.first)). \(finding.explanation)",
                label: finding.grade.rawValue, column: Grade.columns, ink: finding.grade.ink)
        }
        if others.count > style.shown(Self.otherFindings) {
            add("and \(others.count - Self.otherFindings) more: --json has them all", column: Grade.columns)
        }
    }

    private mutating func field(_ label: String, _ words: String) {
        add(words, label: label, indent: 2, column: Self.column, ink: .bold)
    }

    private mutating func fields(_ label: String, _ lines: [String]) {
        for line in lines.prefix(style.shown(Self.linesOfAKind)) { field(label, line) }
        if lines.count > style.shown(Self.linesOfAKind) { field("", "and \(lines.count - Self.linesOfAKind) more") }
    }

    private mutating func add(chain finding: Report.Finding, times: TimeText) {
        let evidence = finding.evidence
        let (first, last) = Self.evidenceLines
        let isWhole = style.isVerbose || evidence.count <= first + last
        let shown = isWhole ? evidence[...] : evidence.prefix(first) + evidence.suffix(last)
        let events = finding.evidenceTotal == 1 ? "event" : "events"
        field("Chain", "\(shown.count) of \(finding.evidenceTotal) \(events): since begin, trace time, thread, event")
        let columns = EvidenceColumns(shown, times: times)
        for (index, event) in shown.enumerated() {
            if !isWhole, index == first { add("...", indent: 4) }
            add(event.text, label: columns.lead(event), indent: 4, column: 4 + columns.width)
        }
    }
}

extension Report.Finding {
    /// It shows more than what a format or a release lets one guess of the fix, which would only seem to contradict it.
    fileprivate var outweighsHints: Bool { rule == .staleSVI && grade >= .suspect }
}

extension Report {
    /// The ledger lines of the finding's vectors on its vCPU.
    func ledger(of finding: Finding) -> [InterruptLine] {
        let vcpus = vms.filter { $0.id == finding.vm }.flatMap(\.vcpus).filter { $0.id == finding.vcpu }
        return vcpus.flatMap(\.interrupts).filter { (finding.vectors + finding.stuck).contains($0.vector) }
    }

    /// The state of APICv when the finding began.
    fileprivate func apicv(during finding: Finding) -> APICvInterval? {
        let intervals = vms.first { $0.id == finding.vm }?.apicv ?? []
        return intervals.last { $0.from <= finding.first && finding.first <= $0.to }
    }
}
