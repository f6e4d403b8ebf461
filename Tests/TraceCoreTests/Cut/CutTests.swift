// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// A part says of its finding what the whole says: each finding of each small recording. `make cut` has the large ones, too.
@Suite struct CutTests {
    private static let recordings = ["intel", "amd"].flatMap { BundledRecording.all(below: $0) }
    /// A few: trace-cmd takes its time.
    private static let oracles: Set = ["nofix-hooked-only", "passthrough-2v", "stale-svi", "clock-tsc"]

    @Test(arguments: recordings)
    func `a part gives its finding the grade, vectors and crossings of the whole, and counts what it leaves out`(
        recording: BundledRecording
    ) throws {
        let whole = try recording.report()
        for finding in whole.findings {
            let part = try TestPart(of: recording.path, finding: finding.id)
            let report = try part.report()
            let twin = try #require(report.findings.first { $0.rule == finding.rule && $0.vcpu == finding.vcpu })
            #expect(twin.grade == finding.grade)
            #expect(twin.vectors == finding.vectors)
            #expect(twin.stuck == finding.stuck)
            #expect(twin.crossings == finding.crossings)
            #expect(twin.evidence == finding.evidence)
            #expect(report.limits.contains { $0.contains("made by apictrace cut for \(finding.id) (") })
            // Nothing is missing, and nothing is there twice.
            let totals = try part.totals()
            #expect(totals.byName.values.reduce(0, +) == part.events.taken)
            #expect(part.events.taken + (totals.part?.leftOut ?? 0) == part.events.whole)
            #expect(report.loss.gapsTotal == whole.loss.gapsTotal)
        }
    }

    @Test(arguments: recordings)
    func `a part without a finding is never clean and finds nothing that the whole doesn't`(
        recording: BundledRecording
    ) throws {
        let whole = try recording.report()
        let middle = whole.source.span.last / 2
        guard let base = UInt64(whole.source.span.base) else { return }
        var request = CutRequest()
        request.window = base...(base + middle)
        do {
            let report = try TestPart(of: recording.path, request).report()
            #expect(report.verdict != .clean)
            #expect(report.verdict <= max(whole.verdict, .inconclusive))
        } catch is CutError {
            // It says why it can't.
        }
    }

    @Test(
        .enabled(if: TraceCmd.isInstalled, "trace-cmd is not installed"),
        arguments: recordings.filter { oracles.contains($0.scenario) })
    func `trace-cmd reads as many events of each name`(recording: BundledRecording) throws {
        for finding in try recording.report().findings {
            let part = try TestPart(of: recording.path, finding: finding.id)
            let counts = TraceCmd.counts(of: part.path).filter { !OwnEvent.ofParts.contains($0.key) }
            #expect(!counts.isEmpty)
            #expect(try part.totals().byName == counts)
        }
    }

    @Test func `a part of a part still knows its purpose`() throws {
        let recording = BundledRecording(name: "intel/6.12.107/nofix-hooked-only")
        let part = try TestPart(of: recording.path, finding: "F1")
        let again = try TestPart(of: part.path, finding: "F1")
        #expect(try again.report().findings.first?.grade == recording.report().findings.first?.grade)
        #expect(try again.totals().part?.purpose == part.totals().part?.purpose)
    }

    @Test func `a finding that isn't there is named with those that are`() throws {
        let recording = BundledRecording(name: "intel/6.12.107/nofix-hooked-only")
        #expect(throws: CutError.noFinding("F77", known: try recording.report().findings.map(\.id))) {
            _ = try TestPart(of: recording.path, finding: "F77")
        }
    }
}
