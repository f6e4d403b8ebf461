// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// Prometheus and node_exporter read the metrics of a recording's real loss, analysed as if it were live.
@Suite(.serialized) struct MonitoringTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Where a program is missing the test says so, and tests nothing.
    private func consume(_ arguments: String...) throws {
        let ownPython = Self.root.appending(path: ".build/python/bin/python3").path
        let python = FileManager.default.isExecutableFile(atPath: ownPython) ? ownPython : "/usr/bin/python3"
        let run = try Command(
            running: URL(filePath: python), [Self.root.appending(path: "Tests/Outputs/monitoring.py").path] + arguments)
        if run.status == 77 { return print("monitoring.py \(arguments[0]): \(run.output)") }
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
    }

    /// A live analysis that a file is read into.
    private struct Replay: EventSink, ~Copyable {
        var analysis: LiveAnalysis

        mutating func take(_ item: TraceItem, at stamp: EventStamp) { analysis.take(item, at: stamp) }
    }

    private func replay(_ name: String, _ options: LiveOptions = LiveOptions()) throws -> (MetricsSnapshot, Report) {
        var file = try Recording(path: ExitStatusTableTests.fixture(name))
        var replay = Replay(analysis: LiveAnalysis(file.info, options))
        let totals = try file.read(into: &replay)
        _ = replay.analysis.newFindings(base: totals.first ?? 0)
        let snapshot = replay.analysis.metrics(totals, until: totals.last ?? 0)
        return (snapshot, replay.analysis.report(totals))
    }

    private static let loss = "bitvisor/6.1.192-svifix-undone-smp2/trace"

    @Test(arguments: [
        loss, "intel/6.12.107/nofix-hooked-only", "intel/6.12.107/passthrough-2v", "intel/6.12.107/inhibit",
    ])
    func `metrics say what the report says`(_ name: String) throws {
        var (snapshot, report) = try replay(name)
        #expect(snapshot.verdict == report.verdict)
        var findings: [MetricsSnapshot.FindingKind: UInt64] = [:]
        for finding in report.findings { findings.count(finding.rule, finding.grade) }
        #expect(snapshot.findings == findings)
        #expect(snapshot.reported == findings)
        #expect(snapshot.events == report.source.events.byName)
        #expect(snapshot.vms.values.reduce(0, +) == UInt64(report.vms.filter { !$0.vcpus.isEmpty }.count))
        let vcpus = report.vms.flatMap(\.vcpus)
        #expect(snapshot.vcpus == UInt64(vcpus.count))
        let paths: [(MetricsSnapshot.Access.Path, KeyPath<Report.APICAccessReport, Report.APICAccesses>)] = [
            (.l1, \.l1), (.l2Direct, \.l2Direct), (.l2Hooked, \.l2Hooked), (.l2Own, \.l2Own),
        ]
        for (path, counts) in paths {
            let sums = vcpus.map(\.apicAccess).map { $0[keyPath: counts] }
            #expect(
                snapshot.accesses[.init(path, isWrite: false)] == sums.reduce(0) { $0 + ($1.reads ?? 0) }, "\(path)")
            #expect(
                snapshot.accesses[.init(path, isWrite: true)] == sums.reduce(0) { $0 + ($1.writes ?? 0) }, "\(path)")
        }
        let before = snapshot
        snapshot.settle(report)
        #expect(!snapshot.isTracing)
        snapshot.isTracing = true
        #expect(snapshot == before)
    }

    @Test func `of VMs that nobody asks for nothing is told, and no finding counts`() throws {
        var options = LiveOptions()
        options.selection = Selection(vms: [.process(1)])
        let (snapshot, report) = try replay(Self.loss, options)
        #expect(report.findings.isEmpty)
        #expect(snapshot.findings.isEmpty)
        #expect(snapshot.reported.isEmpty)
        #expect(snapshot.verdict == report.verdict)
        #expect(snapshot.vms.isEmpty)
        #expect(snapshot.accesses.values.allSatisfy { $0 == 0 })
    }

    @Test func `promtool checks the alerts that are shipped and runs their tests`() throws {
        try consume("rules")
    }

    @Test func `promtool, a strict parser, node_exporter and Prometheus read a loss, and its alert fires`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let snapshot = try replay(Self.loss).0
        #expect(snapshot.findings[.init(.staleSVI, .confirmed)] == 1)
        let socket = try ListeningSocket(try #require(ListenAddress(argument: "0")))
        var outlets = MetricsOutlets(path: folder + "/apictrace.prom", socket: socket)
        try outlets.begin(snapshot)
        outlets.put(snapshot)
        outlets.serve()
        var others = MetricsOutlets(path: folder + "/openmetrics.txt", socket: nil)
        try others.begin(snapshot)
        try others.finish(snapshot)
        try outlets.finish(snapshot)
        try consume("page", folder + "/apictrace.prom", folder + "/openmetrics.txt")
        try consume("textfile", folder)
        try consume("scrape", "\(socket.address)", "ApictraceInterruptsLost")
    }
}
