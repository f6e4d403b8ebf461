// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// Recordings that live tracing made on kvm_intel with APICv, the local APIC's words at every exit in them: the proofs from
/// memory on real words, sound and stale. By the name's start: `fixed`, the kernel as shipped; `nofix`, the same with the fix
/// taken out, of which its types don't know; `nofixbtf`, its types know of it too.
@Suite struct LiveRecordingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var grade: Grade
        var lost: [String] = []
        var stuck: [String] = []
        /// What the guest did, and what of it shows.
        var because: String

        var testDescription: String { name }
        var path: String { TestFile.fixture("live/6.12.117/\(name).dat.zst") }
    }

    static let all = [
        Case(name: "fixed-plain-l1", grade: .clean, because: "no L2"),
        Case(name: "fixed-stale-svi", grade: .exposed, because: "a crossing, after which every VPPR is right"),
        Case(
            name: "fixed-x-l2cli", grade: .exposed,
            because: "0x41 waits at 25 entries of L2, which has interrupts off: KVM asks for the window each time"),
        Case(
            name: "fixed-x-parked", grade: .clean,
            because: "cli; hlt with an interrupt that every vCPU was sent: it sleeps rightly"),
        Case(
            name: "fixed-x-tprhlt", grade: .clean, because: "HLT with VTPR 0x70 and 0x41 requested: it sleeps rightly"),
        Case(
            name: "nofix-hooked-only", grade: .confirmed, lost: ["0x41", "0x51"], stuck: ["0x51"],
            because: "L1's EOI of 0x51 ends another vector: no VPPR shows it, S1 and S3 do"),
        Case(
            name: "nofix-r-ack-l1-eoi-l2", grade: .confirmed, lost: ["0x41"],
            because: "L2 ends what L1 had acknowledged, and L1 runs with the SVI of it for 400 ms"),
        Case(name: "nofix-stale-svi", grade: .confirmed, lost: ["0x41"], because: "the same, and 0x41 never comes"),
        Case(
            name: "nofix-stale-svi-set", grade: .confirmed, lost: ["0x41"], stuck: ["0x61"],
            because: "0x61 was received and is stuck, what it blocks is lost"),
        Case(
            name: "nofix-x-c2", grade: .confirmed, lost: ["0x41"],
            because: "L0 handles 24 exits of L2 with 0x41 deliverable, and enters L2 again without it"),
        Case(
            name: "nofix-x-stuck", grade: .confirmed, lost: ["0x41"],
            because: "attached after the crossing, and no L2 ever again: the words of L1's exits alone tell"),
        Case(
            name: "nofixbtf-stale-svi", grade: .confirmed, lost: ["0x41"],
            because: "as nofix-stale-svi, with types that don't contradict it"),
    ]

    @Test(arguments: all) func `the grade and the vectors are the guest's own account`(_ recording: Case) throws {
        let report = try BundledRecording.report(of: recording.path)
        let reason = Comment(rawValue: recording.because)
        #expect(report.verdict == recording.grade, reason)
        let reported = report.findings.filter { $0.grade >= .hazard }
        #expect(Set(reported.flatMap(\.vectors)) == Set(recording.lost), reason)
        #expect(Set(reported.flatMap(\.stuck)) == Set(recording.stuck), reason)
    }

    @Test(arguments: ["fixed-x-l2cli", "fixed-x-parked", "fixed-x-tprhlt"])
    func `waiting with interrupts off or masked is no lost interrupt`(_ name: String) throws {
        let recording = try #require(Self.all.first { $0.name == name })
        let report = try BundledRecording.report(of: recording.path)
        #expect(!report.findings.contains { $0.rule == .lostAccept || $0.symptoms.contains("lost-accept") })
    }

    @Test func `KVM's entering L2 without a deliverable interrupt is reported beside the wrong SVI`() throws {
        let recording = try #require(Self.all.first { $0.name == "nofix-x-c2" })
        let report = try BundledRecording.report(of: recording.path)
        let finding = try #require(report.findings.first { $0.grade == .confirmed })
        #expect(finding.symptoms.contains("lost-accept"))
        #expect(finding.explanation.contains("L1 ran with a wrong SVI"))
        #expect(finding.explanation.contains("KVM entered L2 26 times with 0x41 deliverable"))
    }

    @Test(arguments: ["nofix-stale-svi", "nofix-stale-svi-set", "nofix-x-c2"])
    func `a fix that is there by its types and does not work is called broken, and the crossing is reported`(
        _ name: String
    ) throws {
        let recording = try #require(Self.all.first { $0.name == name })
        let report = try BundledRecording.report(of: recording.path)
        let finding = try #require(report.findings.first { $0.grade == .confirmed })
        #expect(finding.crossings.map(\.vector) == ["0x61"])
        #expect(finding.advice.contains("has the fix, and it does not help here"))
    }

    @Test func `what was held back and came in the end is called late`() throws {
        for (name, isLate) in [("nofix-r-ack-l1-eoi-l2", true), ("nofix-stale-svi", false), ("nofix-x-stuck", false)] {
            let recording = try #require(Self.all.first { $0.name == name })
            let report = try BundledRecording.report(of: recording.path)
            let finding = try #require(report.findings.first { $0.grade == .confirmed })
            #expect(finding.explanation.contains("It came late: 0x41") == isLate, "\(name)")
        }
    }

    @Test(arguments: all) func `words that were read leave no doubt whether they were`(_ recording: Case) throws {
        let report = try BundledRecording.report(of: recording.path)
        #expect(!report.limits.contains { $0.contains("C1 and C2") })
    }

    @Test func `words of versions that didn't read the interrupt flag leave it unknown`() throws {
        let recording = try #require(Self.all.first)
        var sink = LiveTestSink()
        var file = try Recording(path: recording.path)
        _ = try file.read(into: &sink)
        let readings = sink.items.compactMap { item in
            if case .fact(.lapic(let reading)) = item.item { reading } else { nil }
        }
        #expect(!readings.isEmpty)
        #expect(readings.allSatisfy { $0.interruptFlag == nil && $0.isAPICEnabled == nil })
    }

    @Test func `every recording has its case`() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: TestFile.fixture("live/6.12.117"))
        #expect(Set(files) == Set(Self.all.map { "\($0.name).dat.zst" }))
    }
}
