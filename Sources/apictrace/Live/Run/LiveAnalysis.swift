// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// The analysis of a live trace: the same machine and rules as a file's, with what the host says of its processes, and
/// the findings as they come.
struct LiveAnalysis: ~Copyable {
    private(set) var analysis: Analysis
    private var named: Set<Int32> = []
    /// Processes whose guests' names were looked for.
    private var asked: Set<Int32> = []
    /// How much each VM had done at the last moment, by its number.
    private var done: [Int: UInt64] = [:]
    private var numbers = FindingNumbers()
    /// The findings as of the last look.
    private(set) var findings: [RuleFinding] = []
    /// How many were new so far, by the grade that they were reported with.
    private(set) var reported: [MetricsSnapshot.FindingKind: UInt64] = [:]
    /// In nanoseconds of Unix time.
    let started = WallClock.now
    private let selection: Selection
    /// VMs that were there before tracing began.
    let running: [FoundVM]
    private let leavesVMsOut: Bool

    init(_ info: TraceInfo, _ options: LiveOptions) {
        analysis = Analysis(info: info)
        analysis.wanted = options.selection
        selection = options.selection
        running = options.running
        leavesVMsOut = options.leavesVMsOut
    }

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        analysis.take(item, at: stamp)
        if case .fact(let fact) = item { note(fact, of: stamp.tid) }
    }

    @inline(__always)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) { analysis.event(event, at: stamp) }

    private mutating func note(_ fact: LiveFact, of tid: Int32) {
        switch fact {
        case .command: named.insert(tid)
        case .ended(let process):
            // Its id may be another one's before long.
            named.remove(process)
            asked.remove(process)
        default: break
        }
    }

    /// Every event up to `time` has come.
    mutating func tick(at time: UInt64) {
        analysis.take(.fact(.tick), at: EventStamp(time: time, cpu: 0, tid: 0))
        for vm in analysis.machine.vms.indices where !analysis.machine.vms[vm].hasEnded {
            if let process = analysis.machine.process(ofVM: vm) { name(process) }
        }
    }

    /// As of the last tick.
    var sleepers: [Int32] { analysis.unexplainedSleepers }

    /// Without a probe that tells it, its name is to be had only as long as it lives.
    private mutating func name(_ process: Int32) {
        if asked.insert(process).inserted, let guest = GuestName.of(process: process) {
            analysis.name(guest: guest, of: process)
        }
        guard named.insert(process).inserted, let command = SystemFile.text("/proc/\(process)/comm") else { return }
        analysis.take(.fact(.command(Comm(command))), at: EventStamp(time: 0, cpu: 0, tid: process))
    }

    /// Findings that are new, or graver than when they were reported, since the last call.
    mutating func newFindings(base: UInt64) -> [(report: Report.Finding, place: String)] {
        findings = findingsAskedFor
        let fix = analysis.rules.fixState(in: analysis.machine)
        var new: [(report: Report.Finding, place: String)] = []
        for finding in findings {
            guard numbers.markReported(finding, in: analysis.machine) else { continue }
            reported.count(finding.rule, finding.grade)
            let number = numbers.number(of: finding, in: analysis.machine)
            let report = Report.Finding(finding, number: number, base: base, fix: fix, in: analysis.machine)
            new.append((report, place(of: finding)))
        }
        return new
    }

    private var findingsAskedFor: [RuleFinding] { analysis.findings.filter { isSelected($0) } }

    private func isSelected(_ finding: RuleFinding) -> Bool {
        analysis.machine.isSelected(finding.vm, selection)
            && finding.vcpu.map { selection.contains(vcpu: analysis.machine.vcpus[$0].id) } ?? true
    }

    /// What each VM has done since the last moment.
    /// - Parameter totals: by the VM's number.
    mutating func work(since totals: [Int: UInt64]) -> [Int: UInt64] {
        defer { done = totals }
        return totals.reduce(into: [:]) { $0[$1.key] = $1.value &- (done[$1.key] ?? $1.value) }
    }

    /// The trace is over.
    /// - Returns: the gravest grade among what only its end has shown; nil where that is nothing new.
    mutating func finish() -> Grade? {
        analysis.finish()
        findings = findingsAskedFor
        // They are shown in the report, and not before.
        var told = numbers
        return findings.filter { told.markReported($0, in: analysis.machine) }.map(\.grade).max()
    }

    /// After the end.
    consuming func report(_ totals: TraceTotals) -> Report {
        ReportBuilder(
            analysis, totals: totals, path: nil, selection: selection, tracesMore: leavesVMsOut, numbers: numbers
        ).report()
    }
}
