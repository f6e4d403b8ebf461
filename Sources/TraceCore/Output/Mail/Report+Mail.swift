// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// The report as a plain text for a mailing list: what happened, what shows it, of which kernel, how it was recorded, and what is
    /// not known. At most 72 columns, but for a word that is longer.
    ///
    /// - Parameter kallsyms: the copy of the host's symbols that was read beside the recording.
    public func mail(kallsyms: String? = nil) -> String {
        var page = TextPage(style: TextStyle(width: Self.mailColumns))
        let times = TimeText(source)
        page.add(summary(times))
        if let gravest = findings.first, verdict != .clean {
            page.add(mailOf: gravest, of: self, times: times)
            page.add(hostOf: self, times: times)
        } else {
            page.head("What was looked at")
            page.add(surveyOf: self, times: times)
        }
        page.add(recordingOf: self, times: times)
        page.add(whatIfOf: self, times: times)
        page.head("To repeat this")
        page.add(command: repeating(kallsyms, times), indent: 4)
        page.add(notKnownOf: self, times: times)
        return page.text
    }

    private static let mailColumns = 72

    /// What happened, in three sentences or so, which stand where a reader of the list begins.
    private func summary(_ times: TimeText) -> String {
        guard let gravest = findings.first, verdict != .clean else {
            return ([headline(times, TextStyle())] + reasons).joined(separator: " ")
        }
        return "\(headline(times, TextStyle())) \(gravest.explanation)"
    }

    /// The command that gives this report of the same file.
    private func repeating(_ kallsyms: String?, _ times: TimeText) -> [String] {
        var words = ["apictrace analyze"]
        for vm in selection?.vms ?? [] { words.append("--vm \(vm.quoted)") }
        for vcpu in selection?.vcpus ?? [] { words.append("--vcpu \(vcpu)") }
        if let from = selection?.from { words.append("--from \(times.argument(from))") }
        if let to = selection?.to { words.append("--to \(times.argument(to))") }
        if let whatIf { words.append("--what-if \(whatIf.policy.rawValue)") }
        if let kallsyms { words.append("--kallsyms \(kallsyms.quoted)") }
        let path = source.path ?? "-"
        // A name like an option's would be taken for one.
        return words + ["--mail", (path.hasPrefix("-") && path != "-" ? "./" + path : path).quoted]
    }
}

extension TextPage {
    private static let intervals = 12
    private static let findings = 8

    fileprivate mutating func head(_ title: String) {
        blank()
        add(title + ":")
        blank()
    }

    /// The gravest finding's proof, and the others by name.
    fileprivate mutating func add(mailOf finding: Report.Finding, of report: Report, times: TimeText) {
        head("The events that show it (seconds since the trace began, thread, event)")
        for (index, event) in finding.evidence.enumerated() {
            let left = finding.evidenceTotal - UInt64(finding.evidence.count)
            if left > 0, index == finding.evidenceBefore { add("... \(left) more ...", indent: 2) }
            let thread = event.tid.map { "\($0)  " } ?? ""
            add("\(times.sinceBegin(event.time))  \(thread)\(event.event)", indent: 2)
            add(event.text, indent: 6)
        }
        let ledger = report.ledger(of: finding)
        if !ledger.isEmpty || !finding.crossings.isEmpty {
            head("What became of these vectors on \(report.name(of: finding))")
            for crossing in finding.crossings { add(crossing.description, indent: 2) }
            for line in ledger { add(line.description, indent: 2) }
        }
        let others = report.findings.dropFirst()
        guard !others.isEmpty else { return }
        head("Other findings")
        for other in others.prefix(Self.findings) {
            let vectors = other.vectors.isEmpty ? "" : ", \(other.vectorList(style))"
            add(
                "\(other.grade.rawValue): \(other.rule.rawValue), \(report.name(of: other))\(vectors), since "
                    + "\(times.both(other.first))", indent: 2)
        }
        if others.count > Self.findings { add("and \(others.count - Self.findings) more", indent: 2) }
    }

    fileprivate mutating func add(hostOf report: Report, times: TimeText) {
        head("Host")
        let kernel = report.source.kernel.isEmpty ? "Kernel: not named by the recording" : report.source.kernel
        add(kernel, indent: 2)
        add(report.host.description, indent: 2)
        let involved = report.findings.first.flatMap(\.vm)
        for vm in report.vms where involved.map({ $0 == vm.id }) ?? vm.hasL2 {
            add("APICv of \(vm.name):", indent: 2)
            for interval in vm.apicv.prefix(Self.intervals) {
                add(
                    "\(times.interval(from: interval.from, to: interval.to)): \(interval.description)", indent: 4,
                    column: 6)
            }
            if vm.apicv.count > Self.intervals { add("and \(vm.apicv.count - Self.intervals) more changes", indent: 4) }
        }
    }

    fileprivate mutating func add(recordingOf report: Report, times: TimeText) {
        head("Recording")
        add(report.describeSource(times), indent: 2)
        if let selection = report.selection {
            add(report.describe(selection, times, style), indent: 2)
        }
        let events = report.source.eventsSelected ?? report.source.events.byName.keys.sorted()
        let what = report.source.eventsSelected == nil ? "Events in it" : "Events selected"
        // Who records all of KVM's events has a hundred of them.
        let used = events.filter { EventKind(tracepoint: $0) != nil }
        let more =
            events.count > used.count ? ", and \(events.count - used.count) of which the analysis has no use" : ""
        add("\(what): \(used.joined(separator: ", "))\(more)", indent: 2)
        let loss = report.lossSentence(naming: 4) ?? "No event is known to be lost."
        add(loss, indent: 2)
        if let cut = report.source.cut { add(cut.sentence, indent: 2) }
        add("Read by \(report.tool.name) \(report.tool.version).", indent: 2)
    }

    fileprivate mutating func add(notKnownOf report: Report, times: TimeText) {
        var sentences: [String] = []
        for sentence in (report.findings.first?.limits ?? []) + report.limits where !sentences.contains(sentence) {
            sentences.append(sentence)
        }
        if !sentences.isEmpty {
            head("Not known")
            for sentence in sentences { add(sentence, indent: 2) }
        }
        if let command = report.recordCommand {
            blank()
            add("This would record it:")
            blank()
            add(command: command, indent: 4)
        }
    }
}

extension Report.Finding {
    /// How many of the kept events lie before those that were left out.
    fileprivate var evidenceBefore: Int { min(evidence.count, EvidenceLog.headCapacity) }
}

extension String {
    /// As a POSIX shell takes it for one word; as bash does where a byte of it is none that a mail can carry.
    fileprivate var quoted: String {
        if utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) { return quotedForBash }
        let plain =
            !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "-_./+:,@%=".utf8.contains(byte)
                }
            }
        return plain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// `$'a\x0ab'`.
    private var quotedForBash: String {
        let bytes = utf8.map { byte in
            let isPlain = (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "'") && byte != UInt8(ascii: "\\")
            return isPlain ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "$'" + bytes.joined() + "'"
    }
}
