// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// When a finding that claims no loss, an exposure or a hazard, makes B better or worse, and beside what it is nothing new.
@Suite struct ComparedRiskTests {
    private let losing = SampleReports.losing
    private let sound = SampleReports.sound
    private let exposed = SampleReports.exposed

    private func outcome(_ a: Report, _ b: Report) -> Comparison.Outcome { Comparison(a, b).outcome }

    @Test func `an exposure is gone where APICv was off while L2 ran`() throws {
        let off = sound.with { $0.vms[0].apicv[0].state = .inhibited }
        #expect(outcome(exposed, off) == .better)
        #expect(outcome(off, exposed) == .worse)
        #expect(Comparison(exposed, off).reasons[0].hasSuffix("APICv was off all the time in B, where L2 ran."))
    }

    @Test func `an exposure is gone where L2's accesses are more and harmless, and not where they are fewer`() {
        for way in [\Report.APICAccessReport.l2Direct, \.l2Hooked, \.l2Own] as [WritableKeyPath] {
            let more = sound.with { $0.vms[0].vcpus[0].apicAccess[keyPath: way].writes = 2991 }
            #expect(outcome(exposed, more) == .better)
        }
        #expect(outcome(exposed, sound) == .incomparable)
    }

    @Test(arguments: [(UInt64(3), Comparison.Outcome.incomparable), (4, .better)])
    func `a finding without vector and access is gone where B has more exits of the VM`(
        cpuid: UInt64, expected: Comparison.Outcome
    ) {
        let race = losing.with { report in
            report.findings[0].rule = .initSIPIRace
            report.findings[0].vectors = []
        }
        #expect(outcome(race, sound.with { $0.vms[0].vcpus[0].exits.l1["CPUID"] = cpuid }) == expected)
    }

    @Test(arguments: [(UInt64(1), Comparison.Outcome.incomparable), (2, .better)])
    func `a crossing is gone where what crossed came more often`(ended: UInt64, expected: Comparison.Outcome) {
        let hazard = losing.with { report in
            report.verdict = .hazard
            report.findings[0].grade = .hazard
            report.findings[0].vectors = []
        }
        let less = sound.with { report in
            report.host = hazard.host
            report.vms[0].vcpus[0].interrupts[0].ended.l2 = ended
            report.vms[0].vcpus[0].interrupts[0].acknowledged.l1 = 1
        }
        #expect(outcome(hazard, less) == expected)
        #expect(outcome(hazard.with { $0.findings[0].crossings = [] }, less) == .incomparable)
    }

    @Test func `a grade that falls, while the vector is named on, proves nothing`() {
        let milder = losing.with { report in
            report.verdict = .hazard
            report.findings[0].grade = .hazard
            report.source.span.last += 1
        }
        #expect(outcome(losing, milder) == .incomparable)
        #expect(outcome(milder, losing) == .worse)
    }

    @Test func `an inconclusive finding is a doubt, and neither trouble nor its end`() {
        let undecided = exposed.with { report in
            var finding = losing.findings[0]
            finding.grade = .inconclusive
            report.findings.append(finding)
        }
        #expect(
            Comparison(exposed, undecided).reasons
                == ["Of B: stale-svi on vCPU 0 of qemu-system-x86 (pid 214) is inconclusive."])
        #expect(outcome(exposed, undecided) == .incomparable)
        #expect(outcome(undecided, exposed) == .notWorse)
        #expect(outcome(undecided, losing) == .incomparable)
    }

    @Test func `a hazard that is one because B's kernel is not known to have A's fix settles nothing`() {
        let hazard = losing.with { report in
            report.verdict = .hazard
            report.findings[0].grade = .hazard
        }
        let fixed = exposed.with { $0.host.sviFix = sound.host.sviFix }
        let comparison = Comparison(fixed, hazard)
        #expect(comparison.outcome == .incomparable)
        #expect(comparison.reasons.contains { $0.contains("--kallsyms-b") })
        // Known to be without, it is worse.
        let unfixed = hazard.with { $0.host.sviFix = .init(state: .absent, basis: .kallsyms, evidence: "-") }
        #expect(outcome(fixed, unfixed) == .worse)
        // A wait is none of the fix's business.
        #expect(outcome(fixed, hazard.with { $0.findings[0].rule = .lostAccept }) == .worse)
        // The other way round more is known, and nothing is better.
        #expect(outcome(hazard, sound) == .notWorse)
    }

    @Test func `an exposure on another vCPU of the same VM is nothing new`() {
        let moved = exposed.with { $0.findings[0].vcpu = 1 }
        #expect(outcome(exposed, moved) == .notWorse)
        let lost = losing.with { $0.findings[0].vcpu = 1 }
        #expect(outcome(losing, lost) == .worse)
    }

    @Test func `what is a symptom of a graver finding is nothing new, nor gone`() {
        let symptom = losing.with { report in
            report.verdict = .suspect
            report.findings[0].rule = .lostAccept
            report.findings[0].grade = .suspect
            report.findings[0].symptoms = []
        }
        #expect(outcome(losing, symptom) == .incomparable)
        let comparison = Comparison(symptom, losing)
        #expect(comparison.outcome == .worse)
        #expect(comparison.findings.map(\.effect) == [.worse, .none])
    }
}
