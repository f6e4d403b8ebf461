// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Reports as an analysis would fill them: one of a lost interrupt, one of a clean and complete recording.
enum SampleReports {
    static let lost = Report(
        tool: .init(name: "apictrace", version: "0.1.0"),
        source: source(path: "bitvisor.dat", events: ["kvm_entry": 377_125, "kvm_eoi": 1, "kvm_exit": 377_125]),
        loss: noLoss,
        host: .init(
            isa: .vmx,
            sviFix: .init(state: .unknown, basis: .release, evidence: "6.1.0-55-amd64 is of an unknown build")),
        selection: nil, verdict: .confirmed, reasons: [],
        findings: [staleSVI],
        vms: [
            .init(
                id: 0, pid: 214, command: "qemu-system-x86", guest: nil,
                apicv: [
                    .init(
                        from: 0, to: 39_676_450_000, state: .active, mask: "0x0", inhibits: [], inferred: true,
                        setBy: nil)
                ],
                apicOfL2: .l1s, vcpus: [vcpu])
        ],
        observations: [storm],
        limits: ["Whether APICv was inhibited before the trace began: the inhibit mask was never recorded."],
        unknowns: [
            .init(
                text: "Whether APICv was inhibited before the trace began: the inhibit mask was never recorded.",
                record: ["kvm:kvm_apicv_inhibit_changed"])
        ],
        recordCommand: "trace-cmd record -b 16384 -e kvm:kvm_apicv_inhibit_changed")

    static let clean: Report = {
        var report = lost
        report.verdict = .clean
        report.findings = []
        report.observations = []
        report.vms[0].apicv = [
            .init(
                from: 0, to: 9_000_000_000, state: .inhibited, mask: "0x28",
                inhibits: ["BLOCKIRQ", "APIC_ID_MODIFIED"],
                inferred: false, setBy: .init(tid: 214)),
            .init(
                from: 9_000_000_000, to: 39_676_450_000, state: .active, mask: "0x0", inhibits: [], inferred: false,
                setBy: .init(tid: 214)),
        ]
        report.vms[0].vcpus[0].interrupts = []
        report.vms[0].vcpus[0].apicAccess.l2Direct = .init(reads: 0, writes: 0, registers: [:])
        report.limits = []
        report.unknowns = []
        report.recordCommand = nil
        return report
    }()

    private static let noLoss = Report.Loss(known: 0, unknownGaps: 0, overrun: 0, gapsTotal: 0, gaps: [])

    private static func source(path: String?, events: [String: UInt64]) -> Report.Source {
        .init(
            path: path, format: "trace.dat v7 zstd", kernel: "Linux host 6.1.0-55-amd64 x86_64",
            clock: .init(name: "local", unit: .nanoseconds), cpus: 2, eventsSelected: nil, cut: nil,
            events: .init(total: events.values.reduce(0, +), byName: events),
            span: .init(base: "38514727000", first: 0, last: 39_676_450_000))
    }

    private static let staleSVI = Report.Finding(
        id: "stale-svi-0-0", rule: .staleSVI, grade: .confirmed, vm: 0, vcpu: 0,
        first: 33_857_742_000, last: 39_676_450_000, count: 399, inferred: true,
        registers: ["EOI": .init(reads: 0, writes: 1), "ISR": .init(reads: 8, writes: 0)],
        vectors: ["0x30"], stuck: ["0x51"],
        crossings: [.init(vector: "0x30", ackLevel: .l1, eoiLevel: .l2, inferred: true)],
        symptoms: ["lost-accept"],
        evidenceTotal: 801,
        evidence: [
            .init(
                time: 33_857_700_000, cpu: 0, tid: 216, event: "kvm_nested_vmenter", text: "event_inj 0x80000030"),
            .init(time: 33_857_742_000, cpu: 0, tid: 216, event: "kvm_eoi", text: "vcpu 0 vector 0x30"),
            .init(time: 33_861_700_000, cpu: 0, tid: 216, event: "kvm_apic_accept_irq", text: "vcpu 0 vector 0x30"),
            .init(
                time: 33_861_790_000, cpu: 0, tid: 216, event: "kvm_nested_vmenter",
                text: "event_inj 0x00000030: L1 got nothing"),
        ],
        explanation: "L1 acknowledged vector 0x30 and L2 ended it; every later 0x30 was accepted and none delivered.",
        advice: "Run a kernel that has the fix.",
        references: ["https://git.kernel.org/linus/04bc93cf49d1"],
        limits: ["L1's own deliveries are silent under virtual-interrupt delivery."],
        unknowns: [.init(text: "L1's own deliveries are silent under virtual-interrupt delivery.")])

    private static let storm = Report.Observation(
        kind: .storm, vm: 0, vcpu: 0, vector: "0x81", first: 33_000_000_000, last: 33_004_400_000, count: 80,
        text: "0x81, level-triggered: accepted 80 times.")

    private static let vcpu = Report.VCPU(
        id: 0, tid: 216,
        exits: .init(l1: ["CPUID": 3], l2: ["EPT_MISCONFIG": 110, "EXTERNAL_INTERRUPT": 3000]),
        apicAccess: .init(
            l1: .init(reads: nil, writes: nil, registers: [:]),
            l2Direct: .init(
                reads: 8, writes: 1,
                registers: ["EOI": .init(reads: 0, writes: 1), "ISR": .init(reads: 8, writes: 0)]),
            l2Hooked: .init(reads: 0, writes: 2990, registers: ["EOI": .init(reads: 0, writes: 2990)]),
            l2Own: .init(reads: 0, writes: 0, registers: [:])),
        ipisSent: 7,
        ipis: [.init(dest: 0, vector: "0x00", mode: .`init`, count: 1)],
        interrupts: [
            .init(
                vector: "0x30", accepted: .init(l1: 0, l2: 401, unknown: 0),
                acknowledged: .init(l1: 1, l2: 0, unknown: 0), reinjected: 0, ended: .init(l1: 0, l2: 1, unknown: 0),
                coalesced: nil, outstanding: 399, class: .unexplained)
        ])
}
