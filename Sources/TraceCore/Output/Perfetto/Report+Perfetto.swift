// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// The report and what happened when, as Perfetto shows it (ui.perfetto.dev). Times are those of the trace's clock.
    ///
    /// - Parameters:
    ///   - timeline: of the same analysis.
    ///   - write: takes the bytes, block by block.
    public func perfetto(_ timeline: borrowing Timeline, write: @escaping ([UInt8]) throws -> Void) throws {
        var page = PerfettoPage(self, write)
        try page.addTrace()
        for (rank, vm) in vms.enumerated() {
            let track = try page.addVM(vm, rank: UInt64(rank + 2))
            for (rank, vcpu) in vm.vcpus.enumerated() {
                try page.addVCPU(vcpu, of: vm, in: track, rank: UInt64(rank + 4), timeline)
            }
        }
        try page.writer.finish()
    }
}

/// What the tracks have in common.
struct PerfettoPage {
    let report: Report
    let base: UInt64
    /// The trace's end.
    let end: UInt64
    var writer: PerfettoWriter
    /// Flows so far.
    var flows: UInt64 = 0
    /// Where a vCPU's IPIs are, once it has been asked for.
    var senders: [VCPUIndex: PerfettoWriter.Track] = [:]

    init(_ report: Report, _ write: @escaping ([UInt8]) throws -> Void) {
        self.report = report
        base = UInt64(report.source.span.base) ?? 0
        end = base.addingClamped(report.source.span.last)
        writer = PerfettoWriter(write)
    }

    func time(_ relative: UInt64) -> UInt64 { base.addingClamped(relative) }

    /// What was traced and lost, whatever VM it was.
    mutating func addTrace() throws {
        let clock = report.source.clock
        let trace = try writer.track("Trace", rank: 0)
        var annotations: PerfettoWriter.Annotations = [
            ("verdict", .text(report.verdict.rawValue)), ("kernel", .text(report.source.kernel)),
            ("clock", .text(clock.name)), ("unit", .text(clock.unit.rawValue)), ("format", .text(report.source.format)),
        ]
        for (index, reason) in report.reasons.enumerated() {
            annotations.append(("reason \(index + 1)", .text(reason)))
        }
        for (index, limit) in report.limits.enumerated() { annotations.append(("limit \(index + 1)", .text(limit))) }
        try writer.instant(
            report.verdictLine, on: trace, at: base, annotations)
        guard !report.loss.gaps.isEmpty else { return }
        let lost = try writer.track("Events lost", rank: 1)
        var cpus: [String: PerfettoWriter.Track] = [:]
        for gap in report.loss.gaps {
            let name = gap.process.map { "process \($0)" } ?? gap.cpu.map { "CPU \($0)" } ?? "some CPU"
            let track = try cpus[name] ?? writer.track(name, in: lost)
            cpus[name] = track
            try writer.slice(
                "events lost", on: track, from: time(gap.from), to: time(gap.to),
                gap.events.map { [("events", .number($0))] } ?? [])
        }
    }

    mutating func addVM(_ vm: Report.VM, rank: UInt64) throws -> PerfettoWriter.Track {
        let track = try writer.track(vm.name, rank: rank)
        let state = try writer.track("APICv", in: track, rank: 1)
        let mask = try writer.track("inhibit mask", in: track, rank: 2, counting: "mask")
        let active = try writer.track("APICv active", in: track, rank: 3, counting: "active")
        let (maskCount, activeCount) = (
            PerfettoWriter.Packet(.init(counting: mask)), PerfettoWriter.Packet(.init(counting: active))
        )
        for interval in vm.apicv {
            try writer.slice(
                interval.description, on: state, from: time(interval.from), to: time(interval.to),
                category: interval.state.rawValue)
            let value = UInt64(interval.mask.dropFirst(2), radix: 16) ?? 0
            try writer.add(maskCount, at: time(interval.from), number: value)
            try writer.add(activeCount, at: time(interval.from), number: interval.state == .active ? 1 : 0)
        }
        try addFindings(report.findings.filter { $0.vm == vm.id && $0.vcpu == nil }, in: track)
        return track
    }

    /// Findings as instants, and beside them the events that they rest on.
    mutating func addFindings(_ findings: [Report.Finding], in parent: PerfettoWriter.Track) throws {
        guard !findings.isEmpty else { return }
        let track = try writer.track("findings", in: parent, rank: 0)
        for finding in findings {
            let words: PerfettoWriter.Annotations = [
                ("id", .text(finding.id)), ("rule", .text(finding.rule.rawValue)),
                ("grade", .text(finding.grade.rawValue)), ("vectors", .text(finding.vectors.joined(separator: " "))),
                ("stuck", .text(finding.stuck.joined(separator: " "))), ("count", .number(finding.count)),
                ("inferred", .flag(finding.inferred)), ("why", .text(finding.explanation)),
                ("do", .text(finding.advice)),
            ]
            try writer.instant(
                "\(finding.id) \(finding.rule.rawValue), \(finding.grade.rawValue)", on: track,
                at: time(finding.first), category: "finding", words)
            let evidence = try writer.track("evidence of \(finding.id)", in: track)
            for entry in finding.evidence {
                try writer.instant(
                    entry.event, on: evidence, at: time(entry.time), category: "evidence",
                    [("text", .text(entry.text))])
            }
        }
    }
}
