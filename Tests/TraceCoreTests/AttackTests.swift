// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Foundation
import Testing

@testable import TraceCore

/// A part of `make attack` (docs/attack.md) that a debug build has the time for: a recording of each kind, every attack, few
/// variants of each.
@Suite struct AttackTests {
    private static let chosen: Set = [
        "intel/6.1.192/stale-svi.dat", "intel/6.12.107/stale-svi-set.dat", "intel/6.12.107/passthrough-2v.dat",
        "intel/6.12.107/hooked-only.dat", "intel/6.12.107/no-apicv.dat", "intel/6.12.107/inhibit.dat",
        "intel/6.12.107/nofix-hooked-only.dat", "intel/6.12.107/nofix-passthrough.dat",
        "intel/6.12.107/nofix-stale-svi.dat", "intel/6.12.107/nofix-passthrough-4ev.dat",
        "intel/6.12.107/plain-l1.dat", "amd/6.12-noavic/plain-l1.dat", "amd/6.12-force_avic/two-vms.dat",
    ]
    private static let truths: [Truth.Line] = {
        let table = BundledRecording.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Attack/truth")
        return (try? String(contentsOf: table, encoding: .utf8)).flatMap { Truth.table($0) } ?? []
    }()
    private static let corpus = Result {
        var corpus = Corpus()
        for line in truths where chosen.contains(line.path) {
            try corpus.add(path: TestFile.fixture(line.path), name: line.path, truth: line.truth)
        }
        return corpus
    }

    /// Events for each attack of each recording.
    private static let budget = 5000

    @Test(arguments: chosen.sorted())
    func `no attack on a recording breaks a promise`(name: String) throws {
        let corpus = try Self.corpus.get()
        let recording = try #require(corpus.recording(named: name))
        var campaign = Campaign(corpus, seed: 1, budget: Self.budget)
        campaign.run(on: recording)
        #expect(campaign.analyses > 50)
        for group in campaign.groups {
            let example = group.examples.first?.line ?? ""
            #expect(group.count == 0, "\(group.invariant.rawValue), \(group.name), such as \(example)")
        }
    }

    @Test func `a recording in memory is judged like its file`() throws {
        for recording in try Self.corpus.get().recordings {
            let whole = try #require(try Self.corpus.get().whole(of: recording))
            let report = try BundledRecording.report(of: TestFile.fixture(recording.name))
            #expect(whole.report.verdict == report.verdict)
            #expect(whole.report.findings.map(\.rule) == report.findings.map(\.rule))
        }
    }

    @Test func `the truth of each recording is reported once`() throws {
        let recordings = ["intel", "amd", "bitvisor"].flatMap { BundledRecording.all(below: $0) }.map {
            "\($0.name).dat"
        }
        #expect(Set(recordings).isSubset(of: Set(Self.truths.map(\.path))))
        #expect(Set(Self.truths.map(\.path)).count == Self.truths.count)
    }
}
