// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Makes a part of a recording, step by step: what the whole says, what is taken of it, the file, and what that says.
struct CutMaker {
    private let request: CutRequest
    private let totals: TraceTotals
    private let whole: Report
    private let finding: Report.Finding?
    private let sample: TimeSample
    /// Threads of VMs that the finding isn't of, and of those that weren't asked for.
    private let others: (finding: Set<Int32>, selection: Set<Int32>)
    private(set) var trials = 0

    init(_ recording: inout Recording, _ request: CutRequest) throws {
        self.request = request
        var sieve = Sieve(Analysis(info: recording.info, symbols: request.symbols), nil)
        totals = try recording.readAll(into: &sieve, threads: 1, progress: nil)
        sample = sieve.sample
        sieve.analysis.finish()
        let threads = sieve.analysis.machine.threadsOfVMs
        let selected = sieve.analysis.machine.vms.indices.filter { vm in
            sieve.analysis.machine.isSelected(vm, request.selection)
        }
        guard sieve.analysis.machine.hasAny(of: request.selection) else { throw CutError.nothingToTake }
        whole = Self.report(sieve, totals)
        let finding = try request.finding.map { [whole] asked in try Self.finding(asked, in: whole) }
        self.finding = finding
        others = (
            Set(threads.filter { finding?.vm != nil && $0.serial != finding?.vm }.map(\.tid)),
            Set(threads.filter { !selected.contains($0.vm) }.map(\.tid))
        )
    }

    var events: UInt64 { totals.byName.values.reduce(0, &+) }

    var purpose: String {
        if let finding { return "\(finding.id) (\(finding.rule.rawValue), \(finding.grade.rawValue))" }
        return request.selection.isEmpty ? "a time that was asked for" : "a VM that was asked for"
    }

    private static func finding(_ asked: String, in report: Report) throws(CutError) -> Report.Finding {
        let found = report.findings.first { finding in
            finding.id.lowercased() == asked.lowercased() || finding.id.dropFirst() == asked
        }
        guard let found else { throw .noFinding(asked, known: report.findings.map(\.id)) }
        return found
    }

    private static func report(_ sieve: consuming Sieve, _ totals: TraceTotals) -> Report {
        ReportBuilder(sieve.analysis, totals: totals, path: nil).report()
    }

    // MARK: - What is taken

    /// What is taken whatever the finding needs.
    private var frame: CutPlan {
        var plan = CutPlan(parts: [])
        let edges = [totals.first, totals.last] + totals.gaps.flatMap { [$0.from, $0.to] }
        plan.moments = Set(edges.compactMap(\.self))
        var windows: [ClosedRange<UInt64>] = request.window.map { [$0] } ?? []
        if finding == nil, request.window == nil { windows = [0...(.max)] }
        if let around = request.around {
            windows += evidence.map { ($0 > around ? $0 - around : 0)...$0.addingClamped(around) }
        }
        if !windows.isEmpty {
            plan.parts.append(.init(windows: Self.joined(windows), others: others.selection))
        }
        return plan
    }

    private static func joined(_ windows: [ClosedRange<UInt64>]) -> [ClosedRange<UInt64>] {
        windows.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { joined, window in
            guard let last = joined.last, last.overlaps(window) else { return joined.append(window) }
            joined[joined.count - 1] = last.lowerBound...max(last.upperBound, window.upperBound)
        }
    }

    private var evidence: [UInt64] {
        let base = totals.first ?? 0
        let times = finding?.evidence.map(\.time) ?? []
        return (times + [finding?.first, finding?.last].compactMap(\.self)).map { base.addingClamped($0) }
    }

    mutating func plan(_ recording: inout Recording) throws -> CutPlan {
        guard finding != nil else { return frame }
        for others in Set([others.finding, []]).sorted(by: { $0.count > $1.count }) {
            var search = CutSearch(sample: sample, others: others, frame: frame, evidence: evidence)
            let plan = try search.run { plan in try tellsTheSame(plan, of: &recording) }
            trials += search.trials
            if let plan { return plan }
        }
        throw CutError.differs("not even all of its events, without the rest of the file, show it")
    }

    private func tellsTheSame(_ plan: CutPlan, of recording: inout Recording) throws(InputError) -> Bool {
        var sieve = Sieve(Analysis(info: recording.info, symbols: request.symbols), plan)
        var totals = try recording.readAll(into: &sieve, threads: 1, progress: nil)
        sieve.analysis.finish()
        totals.part = PartOfTrace(purpose: purpose, isRedacted: false)
        return Sameness(whole, finding, comparesWords: true).difference(of: Self.report(sieve, totals)) == nil
    }

    // MARK: - The file

    /// - Returns: how many events it has.
    func write(_ recording: inout Recording, _ plan: CutPlan, to outlet: Int32) throws -> UInt64 {
        try PartWriter.write(
            &recording, symbols: request.symbols, plan: plan, purpose: purpose, isRedacted: request.isRedacted,
            totals: totals, to: outlet)
    }

    /// Reads what was written, as whoever gets it will.
    func check(_ descriptor: Int32) throws {
        var part = try Recording(descriptor: dup(descriptor), name: "the part")
        var analysis = Analysis(info: part.info)
        let totals = try part.read(into: &analysis)
        analysis.finish()
        let report = ReportBuilder(analysis, totals: totals, path: nil).report()
        guard totals.part != nil else { throw CutError.differs("it would not say that it is a part") }
        guard totals.cut == nil else { throw CutError.differs("it would look damaged") }
        if let difference = Sameness(whole, finding, comparesWords: !request.isRedacted).difference(of: report) {
            throw CutError.differs(difference)
        }
    }
}

extension Machine {
    /// The threads that are known to be some VM's.
    fileprivate var threadsOfVMs: [(tid: Int32, vm: VMIndex, serial: Int)] {
        threads.threads.elements.compactMap { thread in
            thread.vm.map { (thread.tid, $0, vms[$0].serial) }
        }
    }
}
