// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What B is beside A, and when nobody can tell.
@Suite struct ComparedOutcomeTests {
    private let losing = SampleReports.losing
    private let sound = SampleReports.sound
    private let exposed = SampleReports.exposed
    /// Another recording of the same.
    private let busier = SampleReports.exposed.with { $0.vms[0].vcpus[0].exits.l1["CPUID"] = 4 }

    private func outcome(_ a: Report, _ b: Report) -> Comparison.Outcome { Comparison(a, b).outcome }

    // MARK: - The four answers

    @Test func `a recording compared with itself is the same, unless it settles nothing`() {
        let unsettled = losing.with { $0.verdict = .inconclusive }
        for report in [losing, sound, exposed, SampleReports.lost, unsettled] {
            let comparison = Comparison(report, report)
            #expect(comparison.outcome == (report.verdict == .inconclusive ? .incomparable : .same))
            #expect(comparison.findings.allSatisfy { $0.change == .same && $0.effect == .none })
            #expect(comparison.vms.allSatisfy { $0.exits.isEmpty && $0.apicAccess.isEmpty })
            #expect(comparison.vms.flatMap(\.vcpus).allSatisfy { $0.interrupts.isEmpty })
        }
    }

    @Test func `a loss that is gone, of a vector that comes, is better; and the other way round it is worse`() throws {
        let comparison = Comparison(losing, sound)
        #expect(comparison.outcome == .better)
        #expect(
            comparison.reasons == [
                "Only A shows stale-svi (confirmed), vector 0x30, vCPU 0 of qemu-system-x86 (pid 214). 0x30 arrives 121 times in "
                    + "B, once in A."
            ])
        #expect(comparison.findings.map(\.change) == [.gone])
        let reverse = Comparison(sound, losing)
        #expect(reverse.outcome == .worse)
        #expect(reverse.findings.map(\.change) == [.new])
    }

    @Test func `figures alone are neither better nor worse`() {
        #expect(outcome(exposed, busier) == .notWorse)
        #expect(outcome(busier, exposed) == .notWorse)
    }

    @Test func `a second vector that is lost is worse, and one that is lost no longer better`() {
        let both = losing.with { report in
            report.findings[0].vectors = ["0x30", "0x41"]
        }
        #expect(outcome(losing, both) == .worse)
        let saved = losing.with { report in
            var line = report.vms[0].vcpus[0].interrupts[0]
            line.vector = "0x41"
            report.vms[0].vcpus[0].interrupts.append(line)
        }
        #expect(outcome(both, saved) == .better)
        #expect(Comparison(both, saved).findings.map(\.change) == [.moved])
    }

    @Test func `one vector instead of another is worse, whatever was gained`() {
        let other = losing.with { $0.findings[0].vectors = ["0x41"] }
        #expect(outcome(losing, other) == .worse)
        #expect(outcome(other, losing) == .worse)
    }

    @Test func `what is lost on one vCPU and gained on another is mixed, both ways`() {
        func losing(on vcpu: Int32) -> Report {
            self.losing.with { report in
                var second = report.vms[0].vcpus[0]
                second.id = 1
                report.vms[0].vcpus.append(second)
                report.findings[0].vcpu = vcpu
                // Where it isn't lost it comes.
                report.vms[0].vcpus[vcpu == 0 ? 1 : 0].interrupts[0].ended.l2 = 121
            }
        }
        #expect(outcome(losing(on: 0), losing(on: 1)) == .mixed)
        #expect(outcome(losing(on: 1), losing(on: 0)) == .mixed)
    }

    @Test(arguments: [
        (Grade.suspect, Grade.confirmed, Comparison.Outcome.worse), (.hazard, .suspect, .worse),
        (.suspect, .suspect, .notWorse),
    ])
    func `a graver grade of the same finding is worse`(before: Grade, after: Grade, expected: Comparison.Outcome) {
        func graded(_ grade: Grade, _ total: UInt64) -> Report {
            losing.with { report in
                report.findings[0].grade = grade
                report.verdict = grade
                report.source.events.total = total
                report.findings[0].count = total
            }
        }
        #expect(outcome(graded(before, 1), graded(after, 2)) == expected)
    }

    /// A loss that is gone and an exposure that is new, on another VM's vCPU or this one's.
    private var soundButExposed: Report {
        sound.with { report in
            report.verdict = .exposed
            report.findings = exposed.findings
        }
    }

    @Test func `the gravest difference decides, and what is less grave is told`() {
        let better = Comparison(losing, soundButExposed)
        #expect(better.outcome == .better)
        #expect(better.reasons.count == 2)
        #expect(better.reasons[1] == "Only B shows l2-apic-direct (exposed), vCPU 0 of qemu-system-x86 (pid 214).")
        #expect(outcome(soundButExposed, losing) == .worse)
        // Where it isn't known to be gone, it isn't known what is graver in B.
        let unproven = soundButExposed.with { $0.vms[0].vcpus[0].interrupts = [] }
        #expect(outcome(losing, unproven) == .incomparable)
        #expect(outcome(unproven, losing) == .worse)
    }

    @Test func `what is worse for certain is worse beside something graver that may be`() {
        let both = exposed.with { report in
            var hazard = losing.findings[0]
            hazard.grade = .hazard
            report.verdict = .hazard
            report.findings.insert(hazard, at: 0)
            report.unknowns = [.init(text: "No EOI.", record: ["kvm:kvm_eoi"])]
        }
        #expect(outcome(sound, both) == .worse)
        #expect(outcome(exposed, both) == .incomparable)
    }

    @Test func `a fix that is there no longer is worse where L2 uses the APIC, and nothing where none does`() {
        let absent = Report.SVIFix(state: .absent, basis: .kallsyms, evidence: "-")
        let present = Report.SVIFix(state: .present, basis: .kallsyms, evidence: "-")
        let hint = Report.SVIFix(state: .absent, basis: .release, evidence: "-")
        let fixed = exposed.with { $0.host.sviFix = present }
        #expect(outcome(fixed, exposed.with { $0.host.sviFix = absent }) == .worse)
        #expect(outcome(exposed.with { $0.host.sviFix = absent }, fixed) == .better)
        #expect(outcome(fixed, exposed.with { $0.host.sviFix = hint }) == .notWorse)
        #expect(
            outcome(sound.with { $0.host.sviFix = present }, sound.with { $0.host.sviFix = absent }) == .notWorse)
    }

    // MARK: - Less evidence never says more

    /// What makes a recording show less, each of which may be why a loss is gone.
    private static let blindness: [(String, @Sendable (inout Report) -> Void)] = [
        ("cut", { $0.source.cut = .init(offset: 4096, expected: "a page") }),
        ("lost events", { $0.loss = .init(known: 12, unknownGaps: 0, overrun: 12, gapsTotal: 1, gaps: []) }),
        ("inconclusive", { $0.verdict = .inconclusive }),
        ("a doubt", { $0.unknowns = [.init(text: "Somebody else's events are in it.")] }),
        ("missing events", { $0.unknowns = [.init(text: "No EOI.", record: ["kvm:kvm_eoi"])] }),
    ]

    @Test(arguments: blindness.indices)
    func `a B that shows less is not better, and not said to be no worse`(index: Int) {
        let (name, blind) = Self.blindness[index]
        // Not clean, or it would have been known that nothing is missing.
        let less = exposed.with { report in
            report.vms[0].vcpus[0].interrupts = sound.vms[0].vcpus[0].interrupts
            blind(&report)
        }
        let comparison = Comparison(losing, less)
        #expect(comparison.outcome == .incomparable, "\(name)")
        #expect(!comparison.b.doubts.isEmpty)
        #expect(outcome(busier, less) == .incomparable, "\(name)")
    }

    @Test(arguments: blindness.indices)
    func `a B that shows less and is worse all the same is worse`(index: Int) {
        let less = losing.with { Self.blindness[index].1(&$0) }
        #expect(outcome(exposed, less) == .worse)
    }

    @Test(arguments: blindness.indices)
    func `an A that shows less may hide what B shows`(index: Int) {
        let less = exposed.with { Self.blindness[index].1(&$0) }
        #expect(outcome(less, losing) == .incomparable)
        // What A shows it shows; a B that shows no more, and all there is, is no worse.
        #expect(outcome(less, busier) == .notWorse)
    }

    @Test func `figures that are the same prove nothing of a B that lost events`() {
        let lossy = losing.with { $0.loss = .init(known: 9, unknownGaps: 0, overrun: 9, gapsTotal: 0, gaps: []) }
        #expect(outcome(losing, losing) == .same)
        #expect(outcome(losing, lossy) == .incomparable)
        #expect(outcome(lossy, losing) == .same)
        #expect(outcome(lossy, lossy) == .same)
    }

    @Test func `a doubt that both have hides no more in one than in the other, but for missing events`() {
        let sentence = "The IOMMU posts interrupts."
        #expect(outcome(exposed.doubting(sentence), busier.doubting(sentence)) == .notWorse)
        let missing = ["kvm:kvm_eoi"]
        #expect(
            outcome(exposed.doubting("No EOI.", record: missing), busier.doubting("No EOI.", record: missing))
                == .incomparable)
        #expect(Comparison(exposed.doubting(sentence), busier.doubting(sentence)).doubts == ["Of B: \(sentence)"])
    }

    @Test func `what holds for any recording of its kind is no doubt`() {
        let standing = sound.with { $0.unknowns = [.init(text: "L1's interrupts are silent.", standing: true)] }
        #expect(outcome(losing, standing) == .better)
    }

    @Test func `events that another VM has lost are no doubt`() {
        let other = busier.with { report in
            report.loss = .init(known: 12, unknownGaps: 0, overrun: 12, ofVMs: 12, gapsTotal: 1, gaps: [])
            report.selection = .init(vm: 214, vcpu: nil, vms: ["process 214"], vcpus: [], from: nil, to: nil)
        }
        #expect(outcome(exposed, other) == .notWorse)
        #expect(outcome(exposed, other.with { $0.vms[0].eventsLost = 12 }) == .incomparable)
    }

    @Test(arguments: [(UInt64(2), Comparison.Outcome.better), (1, .incomparable), (0, .incomparable)])
    func `a loss is gone for certain only where its vector came more often than before it was lost`(
        ended: UInt64, expected: Comparison.Outcome
    ) {
        let less = sound.with { report in
            report.vms[0].vcpus[0].interrupts[0].ended.l2 = ended
            report.vms[0].vcpus[0].interrupts[0].acknowledged = .init(l1: nil, l2: 0, unknown: nil)
        }
        #expect(outcome(losing, less) == expected)
    }

    @Test func `a vector that comes on another vCPU comes`() {
        let moved = sound.with { report in
            var second = report.vms[0].vcpus[0]
            second.id = 1
            report.vms[0].vcpus.append(second)
            report.vms[0].vcpus[0].interrupts = []
        }
        #expect(outcome(losing, moved) == .better)
    }

    @Test func `where L2 ran on a vCPU and does no longer, nothing of L2 can show`() {
        func two(_ report: Report, _ change: (inout Report.VCPU) -> Void) -> Report {
            report.with { report in
                var second = report.vms[0].vcpus[0]
                second.id = 1
                second.interrupts = []
                change(&second)
                report.vms[0].vcpus.append(second)
            }
        }
        let whole = two(exposed) { _ in }
        let idle = two(exposed) {
            $0.exits.l2 = [:]
            $0.apicAccess.l2Direct = .init(reads: 0, writes: 0, registers: [:])
        }
        #expect(
            Comparison(whole, idle).reasons == [
                "An L2 runs on vCPU 1 of qemu-system-x86 (pid 214) in A, and none there in B."
            ])
        #expect(outcome(whole, idle) == .incomparable)
        #expect(outcome(whole, exposed) == .incomparable)
        #expect(outcome(idle, whole) == .notWorse)
        #expect(outcome(exposed, whole) == .notWorse)
    }

    @Test func `where no L2 runs any more, or its VM is gone, that is said`() {
        let plain = sound.with { report in
            report.vms[0].vcpus[0].exits.l2 = [:]
            report.vms[0].vcpus[0].apicAccess.l2Direct = .init(reads: 0, writes: 0, registers: [:])
        }
        #expect(
            Comparison(sound, plain).reasons == [
                "An L2 runs in A's qemu-system-x86 (pid 214), and none in B's qemu-system-x86 (pid 214)."
            ])
        let two = sound.addingVM {
            $0.pid = 300
            $0.command = "other"
        }
        #expect(Comparison(two, sound).reasons == ["other (pid 300) runs an L2 in A, and has no counterpart in B."])
        #expect(outcome(sound, two) == .notWorse)
    }

    /// Less evidence may raise a grade up to hazard: by a cut in a wait, or by what is no longer known of the fix.
    @Test(arguments: [0, 1, 4])
    func `a hazard of a recording that lacks events is none for certain, and a graver one is`(index: Int) {
        func less(_ grade: Grade) -> Report {
            losing.with { report in
                report.verdict = grade
                report.findings[0].grade = grade
                Self.blindness[index].1(&report)
            }
        }
        #expect(outcome(exposed, less(.hazard)) == .incomparable)
        #expect(outcome(exposed, less(.suspect)) == .worse)
        #expect(outcome(exposed, losing.with { $0.findings[0].grade = .hazard }) == .worse)
    }

    // MARK: - Verdicts that no finding shows

    @Test func `a verdict that rests on findings of VMs that ended, which are not listed, counts`() {
        let ended = exposed.with { $0.verdict = .confirmed }
        #expect(outcome(exposed, ended) == .worse)
        #expect(outcome(ended, exposed) == .incomparable)
        #expect(outcome(exposed.doubting("Something."), ended) == .incomparable)
    }

    @Test func `a trace that can't judge is no basis, but as A of one that is clean`() {
        let inconclusive = sound.with { $0.verdict = .inconclusive }
        #expect(outcome(sound, inconclusive) == .incomparable)
        #expect(outcome(inconclusive, sound) == .notWorse)
    }

    @Test func `recordings without a VM in common can't be compared`() {
        let none = sound.with { $0.vms = [] }
        #expect(Comparison(none, sound).reasons == ["No vCPU shows in A."])
        #expect(Comparison(sound, none).reasons == ["No vCPU shows in B."])
        #expect(Comparison(none, none.with { $0.source.span.last = 1 }).reasons == ["No vCPU shows in either."])
        func named(_ name: String) -> Report {
            sound.with {
                $0.vms[0].command = name
                $0.vms[0].pid = nil
            }.addingVM {
                $0.command = "\(name)-2"
                $0.pid = nil
            }
            .with {
                $0.vms[0].vcpus[0].exits.l2 = [:]
                $0.vms[0].vcpus[0].apicAccess.l2Direct = .init(reads: 0, writes: 0, registers: [:])
            }
            .with { $0.vms[1].vcpus = $0.vms[0].vcpus }
        }
        #expect(outcome(named("one"), named("other")) == .incomparable)
    }

    // MARK: - Circumstances

    @Test func `what makes it less sure is told`() {
        let shorter = sound.with { $0.source.span.last = 19_838_224_999 }
        #expect(Comparison(sound, shorter).doubts == ["B covers less than half of the time that A does."])
        #expect(Comparison(shorter, sound).doubts == [])
        let svm = sound.with { $0.host.isa = .svm }
        #expect(Comparison(sound, svm).doubts == ["A's host is VMX, and B's SVM."])
        #expect(
            Comparison(
                sound,
                sound.with {
                    $0.host.isa = .unknown
                    $0.source.span.last += 1
                }
            ).doubts == [])
        let ticks = sound.with { $0.source.clock.unit = .ticks }
        #expect(
            Comparison(sound, ticks.with { $0.source.span.last += 1 }).doubts
                == ["The clock of one of them measures no durations: there is no rate of its exits."])
    }
}
