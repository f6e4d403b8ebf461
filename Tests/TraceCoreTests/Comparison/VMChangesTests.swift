// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// The figures: exits with rates, accesses, vectors, APICv's history.
@Suite struct VMChangesTests {
    private let sound = SampleReports.sound

    private func pair(_ a: Report, _ b: Report) throws -> Comparison.VMPair {
        let vms = Comparison(a, b).vms
        try #require(vms.count == 1)
        return vms[0]
    }

    // MARK: - Exits

    @Test func `exits are summed over vCPUs, by level and reason, and only those that differ are listed`() throws {
        var busier = sound
        busier.vms[0].vcpus[0].exits = .init(
            l1: ["CPUID": 3, "HLT": 10], l2: ["EPT_MISCONFIG": 110, "EXTERNAL_INTERRUPT": 2000],
            unknown: ["MSR_READ": 1])
        var second = busier.vms[0].vcpus[0]
        second.id = 1
        second.exits = .init(l1: ["HLT": 5], l2: ["CPUID": 1000])
        busier.vms[0].vcpus.append(second)
        let exits = try pair(sound, busier).exits
        let rows = exits.map { "\($0.level.rawValue) \($0.reason ?? "all") \($0.a?.count ?? 99) \($0.b?.count ?? 99)" }
        #expect(
            rows == [
                "l1 all 3 18", "l1 HLT 0 15", "l2 CPUID 0 1000", "l2 EXTERNAL_INTERRUPT 3000 2000", "unknown all 0 1",
                "unknown MSR_READ 0 1",
            ])
    }

    @Test func `a rate is of the traced time, and of the part that was asked for`() throws {
        let other = sound.with { report in
            report.source.span.last = 2_000_000_000
            report.vms[0].vcpus[0].exits.l1 = ["CPUID": 5]
        }
        let whole = try pair(sound, other).exits
        #expect(whole.first?.a == .init(count: 3, perSecond: 0.076))
        #expect(whole.first?.b == .init(count: 5, perSecond: 2.5))
        let part = other.with { report in
            report.selection = .init(vm: nil, vcpu: nil, vms: [], vcpus: [], from: 500_000_000, to: 1_500_000_000)
        }
        #expect(try pair(sound, part).exits.first?.b?.perSecond == 5)
        #expect(Comparison(sound, part).b.duration == 1_000_000_000)
    }

    @Test(arguments: [TraceClock.Unit.ticks, .none]) func `a clock that counts no nanoseconds gives no rate`(
        unit: TraceClock.Unit
    ) throws {
        let ticks = sound.with { report in
            report.source.clock.unit = unit
            report.vms[0].vcpus[0].exits.l1 = ["CPUID": 5]
        }
        let exits = try pair(sound, ticks).exits
        #expect(exits.first?.b == .init(count: 5, perSecond: nil))
        #expect(exits.first?.a?.perSecond != nil)
        let moment = sound.with {
            $0.source.span.last = 0
            $0.vms[0].vcpus[0].exits.l1 = ["CPUID": 5]
        }
        #expect(try pair(sound, moment).exits.first?.b?.perSecond == nil)
    }

    // MARK: - Accesses

    @Test func `accesses are listed by who serves them and by register`() throws {
        let other = sound.with { report in
            report.vms[0].vcpus[0].apicAccess.l2Direct = .init(reads: 0, writes: 0, registers: [:])
            report.vms[0].vcpus[0].apicAccess.l2Hooked.registers["ICR"] = .init(reads: 1, writes: 2)
        }
        let rows = try pair(SampleReports.losing, other).apicAccess.map { access in
            "\(access.kind.rawValue) \(access.register ?? "all") "
                + [access.a, access.b].map { $0.map { "\($0.reads)/\($0.writes)" } ?? "?" }.joined(separator: " ")
        }
        #expect(
            rows == [
                "l2Direct all 8/1 0/0", "l2Direct EOI 0/1 0/0", "l2Direct ISR 8/0 0/0", "l2Hooked all 0/2990 1/2992",
                "l2Hooked ICR 0/0 1/2",
            ])
    }

    @Test func `what a recording can't show is null and not none`() throws {
        let blind = sound.with { report in
            report.vms[0].vcpus[0].apicAccess.l2Hooked = .init(reads: nil, writes: nil, registers: [:])
        }
        let accesses = try pair(sound, blind).apicAccess.filter { $0.kind == .l2Hooked }
        #expect(accesses.count == 2)
        #expect(accesses.allSatisfy { $0.a != nil && $0.b == nil })
    }

    // MARK: - Vectors

    @Test func `a vector's fate is the gravest that applies`() throws {
        func fate(_ change: (inout Report) -> Void) throws -> Comparison.Fate? {
            let report = sound.with { report in
                report.verdict = .exposed
                change(&report)
            }
            let empty = sound.with { $0.vms[0].vcpus[0].interrupts = [] }
            return try pair(empty, report).vcpus[0].interrupts.first?.b?.fate
        }
        func found(_ grade: Grade, _ report: inout Report, stuck: Bool = false, vcpu: Int32? = 0) {
            report.findings = SampleReports.losing.findings
            report.findings[0].grade = grade
            report.findings[0].vcpu = vcpu
            if stuck { (report.findings[0].vectors, report.findings[0].stuck) = ([], ["0x30"]) }
        }
        #expect(try fate { found(.suspect, &$0) } == .lost)
        #expect(try fate { found(.hazard, &$0) } == .waiting)
        #expect(try fate { found(.suspect, &$0, stuck: true) } == .stuck)
        #expect(try fate { found(.suspect, &$0, vcpu: 1) } == .delivered)
        #expect(try fate { found(.suspect, &$0, vcpu: nil) } == .lost)
        #expect(try fate { _ in } == .delivered)
        #expect(try fate { $0.vms[0].vcpus[0].interrupts[0].outstanding = 1 } == .outstanding)
        let none = Report.LevelCounts(l1: 0, l2: nil, unknown: 0)
        #expect(
            try fate { report in
                report.vms[0].vcpus[0].interrupts[0].acknowledged = none
                report.vms[0].vcpus[0].interrupts[0].ended = none
            } == .accepted)
        #expect(
            try fate { report in
                report.vms[0].vcpus[0].interrupts[0].acknowledged = none
                report.vms[0].vcpus[0].interrupts[0].ended = none
                report.vms[0].vcpus[0].interrupts[0].accepted = none
            } == .unseen)
    }

    @Test func `a vector that only a finding names has a fate and no ledger`() throws {
        let named = SampleReports.losing.with {
            $0.findings[0].vectors = ["0x41"]
            $0.vms[0].vcpus[0].interrupts = []
        }
        let interrupts = try pair(named, sound).vcpus[0].interrupts
        #expect(interrupts.map(\.vector) == ["0x30", "0x41"])
        #expect(interrupts[1].a == .init(fate: .lost, ledger: nil))
        #expect(interrupts[1].b == nil)
    }

    @Test func `IPIs are counted by sender`() throws {
        let pair = try pair(sound, sound.with { $0.vms[0].vcpus[0].ipisSent = nil })
        #expect(pair.vcpus[0].ipisSent == .init(a: 7, b: nil))
    }

    // MARK: - APICv

    @Test func `the history has each state once, with its share, and every change`() throws {
        func interval(_ from: UInt64, _ to: UInt64, _ mask: String, inferred: Bool = false) -> Report.APICvInterval {
            .init(
                from: from, to: to, state: mask == "0x0" ? .active : .inhibited, mask: mask, inhibits: [],
                inferred: inferred,
                setBy: nil)
        }
        let toggling = sound.with { report in
            report.vms[0].apicv = [
                interval(0, 100, "0x0"), interval(100, 250, "0x8"), interval(250, 300, "0x0"),
                interval(300, 400, "0x0", inferred: true),
            ]
        }
        let history = try #require(try pair(sound, toggling).apicv.b)
        #expect(history.changes == 3)
        #expect(history.states.map(\.mask) == ["0x0", "0x8", "0x0"])
        #expect(history.states.map(\.duration) == [150, 150, 100])
        #expect(history.states.map(\.share) == [0.375, 0.375, 0.25])
        #expect(history.intervals.count == 4)
        #expect(Comparison(sound, toggling).outcome == .notWorse)
        let moment = try #require(try pair(sound, sound.with { $0.vms[0].apicv = [interval(5, 5, "0x0")] }).apicv.b)
        #expect(moment.states.map(\.share) == [0])
    }

    // MARK: - The rest

    @Test func `observations are counted by kind`() {
        let storming = sound.with { $0.observations = SampleReports.lost.observations }
        #expect(Comparison(sound, storming).observations == [.init(kind: .storm, a: 0, b: 1)])
        #expect(Comparison(sound, storming).outcome == .notWorse)
    }

    @Test func `what a VM did that has no counterpart is listed beside nothing`() {
        let two = sound.addingVM {
            $0.command = "other"
            $0.pid = 9
        }
        let vms = Comparison(sound, two).vms
        #expect(vms.map(\.matchedBy) == [.process, .none])
        #expect(vms[1].a == nil)
        #expect(vms[1].exits.allSatisfy { $0.a == nil && $0.b != nil })
        #expect(vms[1].apicAccess.allSatisfy { $0.a == nil && $0.b != .init() })
        #expect(!vms[1].exits.contains { $0.level == .unknown })
        #expect(vms[1].vcpus.map(\.matchedBy) == [.none])
        #expect(!Comparison(sound, two).text(style: .init()).contains("?"))
    }
}
