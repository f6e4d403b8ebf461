// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

@Suite struct AttackedRecordingTests {
    @Test(arguments: AttackedRecording.all)
    func `the answer to an attack is an honest one`(_ attack: AttackedRecording) throws {
        let report = try BundledRecording.report(of: attack.path)
        let reason = Comment(rawValue: attack.because)
        #expect(report.verdict >= attack.atLeast, reason)
        #expect(report.verdict <= attack.atMost, reason)

        let named = Set(report.findings.filter { $0.grade >= .hazard }.flatMap(\.vectors))
        #expect(attack.names.isSubset(of: named), reason)
        #expect(attack.namesNot.isDisjoint(with: named), reason)

        let fix = report.host.sviFix
        #expect(fix.basis != .behaviour || fix.state != attack.fixIsNot, reason)

        for (vector, count) in attack.accepts { #expect(accepts(of: vector, in: report).total >= count, reason) }
        for (vector, count) in attack.acceptsInL2 {
            #expect(accepts(of: vector, in: report).l2 ?? 0 >= count, reason)
        }

        // Lines are wrapped at any word.
        let text = report.text(style: TextStyle()).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for words in attack.tells { #expect(text.contains(words), reason) }
        for words in attack.tellsNot { #expect(!text.contains(words), reason) }
    }

    @Test func `every attack has its file, and every file its bounds`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: TestFile.fixture("attack"))
        #expect(Set(files) == Set(AttackedRecording.all.map { "\($0.name).dat.zst" }))
    }

    private func accepts(of vector: String, in report: Report) -> Report.LevelCounts {
        report.vms.flatMap(\.vcpus).flatMap(\.interrupts).filter { $0.vector == vector }.map(\.accepted)
            .reduce(Report.LevelCounts(l1: 0, l2: 0, unknown: 0)) { sum, counts in
                Report.LevelCounts(
                    l1: (sum.l1 ?? 0) + (counts.l1 ?? 0), l2: (sum.l2 ?? 0) + (counts.l2 ?? 0),
                    unknown: (sum.unknown ?? 0) + (counts.unknown ?? 0))
            }
    }
}
