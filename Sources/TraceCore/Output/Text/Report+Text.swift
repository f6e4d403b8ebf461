// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// The report as one would paste it into a mail: the verdict, the gravest finding in full, the others in short,
    /// what is not known, and what to record next. About a screen; the JSON report has it all.
    ///
    /// - Parameter rows: of the terminal; a page that is longer says its verdict once more at its end, where it stays in sight.
    public func text(style: TextStyle, rows: Int? = nil) -> String {
        var page = TextPage(style: style)
        let times = TimeText(source)
        page.add(
            headline(times, style), label: verdict.rawValue.uppercased(), column: Grade.columns, ink: verdict.ink)
        page.add(describeSource(times), column: Grade.columns)
        if let selection { page.add(describe(selection, times, style), column: Grade.columns) }
        for reason in reasons { page.add(reason, column: Grade.columns) }
        page.blank()
        if let gravest = findings.first, verdict != .clean {
            page.add(finding: gravest, of: self, times: times)
            page.add(others: findings.dropFirst(), of: self, times: times)
        } else {
            page.add(surveyOf: self, times: times)
            page.add(others: findings[...], of: self, times: times)
        }
        page.add(observationsOf: self, times: times)
        page.add(whatIfOf: self, times: times)
        page.add(doubtsOf: self)
        if let rows, page.lineCount >= rows {
            page.blank()
            page.add(
                headline(times, style), label: verdict.rawValue.uppercased(), column: Grade.columns, ink: verdict.ink)
        }
        return page.text
    }

    /// The answer in one line, for lists of files.
    public var verdictLine: String { "\(verdict.rawValue): \(headline)" }

    /// The same without the grade.
    public var headline: String { headline(TimeText(source), TextStyle()).printable }

    func headline(_ times: TimeText, _ style: TextStyle) -> String {
        guard let gravest = findings.first, verdict != .clean else { return verdict.claim + "." }
        let claim = gravest.rule.isAboutLostInterrupts ? claim(of: gravest) : gravest.rule.explanation.title
        let vectors = gravest.vectors.isEmpty ? "" : gravest.vectorList(style) + ", "
        return "\(claim): \(vectors)\(name(of: gravest)), since \(times.both(gravest.first)).\(furtherLosses(style))"
    }

    /// What a headline says of a finding: a wait is reported as a wait, only a crossing as one, and that no loss shows only where
    /// one would have.
    private func claim(of finding: Finding) -> String {
        switch finding.grade {
        case .exposed: return "L2 uses L1's local APIC by itself while APICv is active; \(consequence(of: finding))"
        case .hazard where !finding.vectors.isEmpty: return finding.claimOfWait
        default: return finding.grade.claim
        }
    }

    /// How much it says that no loss is shown.
    private func consequence(of finding: Finding) -> String {
        if host.sviFix.settled == .present { return "KVM has the fix, which makes that harmless" }
        if unknowns.contains(where: { !$0.record.isEmpty }) { return "a loss could not show, for events are missing" }
        let hasLost = hasLost(ofVM: finding.vm) || source.cut != nil
        return hasLost ? "what was lost of the trace may hold a loss" : "no loss is shown"
    }

    /// Lost vectors beside the gravest finding's.
    private func furtherLosses(_ style: TextStyle) -> String {
        let others = findings.dropFirst().filter { $0.grade >= .suspect && !$0.vectors.isEmpty }
        guard !others.isEmpty else { return "" }
        let shown = others.prefix(style.shown(2)).map {
            "\($0.vectorList(style)) on \($0.vcpu.map { "vCPU \($0)" } ?? "a vCPU") (\($0.grade.rawValue))"
        }
        let rest = others.count > shown.count ? ["\(others.count - shown.count) more"] : []
        return " Also \((shown + rest).listed)."
    }

    func describeSource(_ times: TimeText) -> String {
        var facts = [source.path, source.format].compactMap(\.self)
        let duration = times.duration(from: source.span.first, to: source.span.last).map { " in \($0)" } ?? ""
        facts.append("\(source.events.total) events\(duration)")
        // A text may name neither.
        if source.cpus > 0 { facts.append(source.cpus == 1 ? "1 CPU" : "\(source.cpus) CPUs") }
        if source.clock.name != TraceClock.unknown { facts.append("clock \(source.clock.name)") }
        if !source.kernel.isEmpty { facts.append(source.kernel) }
        return facts.joined(separator: ", ")
    }

    /// `Only of it: VM of process 2104, vCPU 0, from +1.000000 s (trace time 73.300000) on.`
    func describe(_ selection: Selection, _ times: TimeText, _ style: TextStyle) -> String {
        var parts: [String] = []
        if !selection.vms.isEmpty { parts.append(selection.vms.listed) }
        if let vcpu = selection.vcpus.first {
            let list = selection.vcpus.map(String.init)
            let shown = list.count > style.shown(8) ? list.prefix(8).joined(separator: ", ") + ", ..." : list.listed
            parts.append(selection.vcpus.count == 1 ? "vCPU \(vcpu)" : "vCPUs \(shown)")
        }
        if let from = selection.from { parts.append("from \(times.both(from)) on") }
        if let to = selection.to { parts.append("up to \(times.both(to))") }
        return "Only of it: \(parts.joined(separator: ", "))."
    }
}

extension Grade {
    /// Columns that the longest grade takes in front of the words beside it.
    static let columns = 14

    public var ink: TextStyle.Ink {
        switch self {
        case .clean: .green
        case .inconclusive: .cyan
        case .exposed, .hazard: .yellow
        case .suspect, .confirmed: .red
        }
    }

    /// What the grade says about lost interrupts, and no more than that.
    fileprivate var claim: String {
        switch self {
        case .clean: "Nothing that loses interrupts between L1 and L2 shows in this trace"
        case .inconclusive: "No loss is shown, but this trace can't rule it out"
        case .exposed: "L2 uses L1's local APIC by itself while APICv is active"
        case .hazard: "No loss is shown, but interrupts crossed levels, which loses others on kernels without the fix"
        case .suspect: "Interrupts are most likely lost"
        case .confirmed: "Interrupts are lost"
        }
    }
}

extension Report.Finding {
    fileprivate var claimOfWait: String {
        crossings.isEmpty
            ? "An interrupt was accepted and not delivered: lost, or held back by a guest that may have interrupts off"
            : "Interrupts crossed levels, and another waits since: lost, or held back by a guest that may have interrupts off"
    }
}
