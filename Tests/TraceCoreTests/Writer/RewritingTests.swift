// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The bundled recordings, read and written once more: of the two large ones that which lost interrupts.
@Suite struct RewritingTests {
    private static let recordings = ["intel", "amd", "bitvisor"].flatMap { BundledRecording.all(below: $0) }
        .filter { !$0.name.contains("asshipped") }

    /// A few of each kind: trace-cmd takes its time.
    private static let oracles: Set = ["stale-svi", "passthrough-2v", "inhibit", "lost", "instances", "clock-tsc"]

    @Test(arguments: recordings)
    func `a rewritten recording holds the same events and gives the same findings`(recording: BundledRecording) throws {
        let written = try TestRecording(rewriting: recording.path)
        #expect(try EventDigest(of: written.path) == EventDigest(of: recording.path))

        var file = try Recording(path: written.path)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        let report = ReportBuilder(analysis, totals: totals, path: recording.name).report()
        let expected = try recording.report()
        #expect(report.source.clock == expected.source.clock)
        #expect(report.loss.overrun == expected.loss.overrun)
        #expect(report.loss.gapsTotal == expected.loss.gapsTotal)
        #expect(report.verdict == expected.verdict)
        #expect(report.findings.map(Self.essence) == expected.findings.map(Self.essence))
        #expect(report.vms.map(\.vcpus) == expected.vms.map(\.vcpus))
    }

    @Test(
        .enabled(if: TraceCmd.isInstalled, "trace-cmd is not installed"),
        arguments: recordings.filter { oracles.contains($0.scenario) })
    func `trace-cmd reads as many events of each name`(recording: BundledRecording) throws {
        let written = try TestRecording(rewriting: recording.path)
        let file = try Recording(path: written.path)
        let counts = TraceCmd.counts(of: written.path)
        #expect(try TestFile.read(file).totals.byName == counts)
        #expect(!counts.isEmpty)
    }

    /// Times count from the first record, which may be one that isn't written.
    private static func essence(_ finding: Report.Finding) -> [String] {
        [
            finding.rule.rawValue, "\(finding.grade)", "vcpu \(finding.vcpu ?? -1)", "\(finding.count)",
            "\(finding.last - finding.first)", finding.explanation,
        ] + finding.vectors + finding.symptoms + finding.limits + finding.evidence.map { "\($0.event) \($0.text)" }
    }
}
