// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Every bundled recording, read and written once more.
@Suite struct RewritingTests {
    private static let recordings = ["intel", "amd", "bitvisor"].flatMap { Recording.all(below: $0) }

    private static let kinds = Set(EventKind.allCases.flatMap(\.tracepoints))

    @Test(arguments: recordings)
    func `a rewritten recording holds the same events and gives the same findings`(recording: Recording) throws {
        let written = try TestRecording(rewriting: recording.path)
        let original = try TestFile.read(TraceFile(path: recording.path))
        let twin = try TestFile.read(TraceFile(path: written.path))
        #expect(twin.lines.filter(Self.isEvent) == original.lines.filter(Self.isEvent))
        #expect(twin.lines.count == original.lines.count)
        #expect(twin.totals.overrun == original.totals.overrun)
        #expect(twin.info.clock == original.info.clock)

        var file = try TraceFile(path: written.path)
        var analysis = Analysis(info: file.info)
        let totals = try analysis.read(&file)
        let report = ReportBuilder(analysis, totals: totals, path: recording.name).report()
        let expected = try recording.report()
        #expect(report.verdict == expected.verdict)
        #expect(report.findings.map(Self.essence) == expected.findings.map(Self.essence))
        #expect(report.vms.map(\.vcpus) == expected.vms.map(\.vcpus))
    }

    @Test(
        .enabled(if: TraceCmd.isInstalled, "trace-cmd is not installed"),
        arguments: recordings.filter { !$0.name.hasPrefix("bitvisor") })
    func `trace-cmd reads as many events of each name`(recording: Recording) throws {
        let written = try TestRecording(rewriting: recording.path)
        let file = try TraceFile(path: written.path)
        let counts = TraceCmd.counts(of: written.path)
        #expect(try TestFile.read(file).totals.byName == counts)
        #expect(!counts.isEmpty)
    }

    private static func isEvent(_ line: String) -> Bool { !line.hasPrefix("lost") }

    /// Times count from the first record, which may be one that isn't written.
    private static func essence(_ finding: Report.Finding) -> [String] {
        [
            finding.rule.rawValue, "\(finding.grade)", "vcpu \(finding.vcpu ?? -1)", "\(finding.count)",
            "\(finding.last - finding.first)", finding.explanation,
        ] + finding.vectors + finding.symptoms + finding.limits + finding.evidence.map { "\($0.event) \($0.text)" }
    }
}
