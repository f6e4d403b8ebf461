// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What monitoring reads of a live trace.
@Suite struct MetricsPageTests {
    private var snapshot: MetricsSnapshot {
        var snapshot = MetricsSnapshot(
            source: "live (BPF)", started: 1_800_000_000_000_000_000, updated: 1_800_000_015_020_000_000)
        snapshot.verdict = .confirmed
        snapshot.findings = [.init(.staleSVI, .confirmed): 2, .init(.l2APICDirect, .exposed): 1]
        snapshot.reported = [.init(.staleSVI, .hazard): 2, .init(.staleSVI, .confirmed): 2]
        snapshot.vms = [.active: 3, .inhibited: 1]
        snapshot.vcpus = 9
        snapshot.vmsEnded = 7
        snapshot.inhibited = ["NESTED": 2_500_000_000, "DISABLED": 0, "unknown": 7]
        snapshot.accesses = [
            .init(.l1, isWrite: true): 10, .init(.l2Direct, isWrite: false): 11, .init(.l2Hooked, isWrite: true): 12,
            .init(.l2Own, isWrite: true): 13, .init(.unknown, isWrite: false): 14,
        ]
        snapshot.events = ["kvm_exit": 18_446_744_073_709_551_615, "kvm_eoi": 5]
        snapshot.dropped = 4
        return snapshot
    }

    /// The zeros of rules and grades that found nothing are left out; there is one for each.
    private func text(_ format: MetricsPage.Format) -> String {
        MetricsPage(snapshot).text(format).split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !($0.hasPrefix("apictrace_findings") && $0.hasSuffix(" 0")) }.joined(separator: "\n")
    }

    @Test func `the text format says it all`() {
        #expect(
            text(.prometheus) == """
                # HELP apictrace_build_info Version of apictrace, and what it reads events with.
                # TYPE apictrace_build_info gauge
                apictrace_build_info{version="0.1.0",source="live (BPF)"} 1
                # HELP apictrace_tracing 1 while events are traced, 0 before and after.
                # TYPE apictrace_tracing gauge
                apictrace_tracing 1
                # HELP apictrace_start_timestamp_seconds Unix time at which tracing began.
                # TYPE apictrace_start_timestamp_seconds gauge
                apictrace_start_timestamp_seconds 1800000000.000000000
                # HELP apictrace_update_timestamp_seconds Unix time that these values are of.
                # TYPE apictrace_update_timestamp_seconds gauge
                apictrace_update_timestamp_seconds 1800000015.020000000
                # HELP apictrace_verdict 1 for the grade that the report would have now, 0 for the others.
                # TYPE apictrace_verdict gauge
                apictrace_verdict{grade="clean"} 0
                apictrace_verdict{grade="inconclusive"} 0
                apictrace_verdict{grade="exposed"} 0
                apictrace_verdict{grade="hazard"} 0
                apictrace_verdict{grade="suspect"} 0
                apictrace_verdict{grade="confirmed"} 1
                # HELP apictrace_findings Findings as they stand, by rule and grade.
                # TYPE apictrace_findings gauge
                apictrace_findings{rule="l2-apic-direct",grade="exposed"} 1
                apictrace_findings{rule="stale-svi",grade="confirmed"} 2
                # HELP apictrace_findings_reported_total Findings reported, once more with each graver grade.
                # TYPE apictrace_findings_reported_total counter
                apictrace_findings_reported_total{rule="stale-svi",grade="hazard"} 2
                apictrace_findings_reported_total{rule="stale-svi",grade="confirmed"} 2
                # HELP apictrace_vms VMs that run, by the state of their APICv.
                # TYPE apictrace_vms gauge
                apictrace_vms{apicv="active"} 3
                apictrace_vms{apicv="inhibited"} 1
                apictrace_vms{apicv="unknown"} 0
                # HELP apictrace_vcpus vCPUs of the VMs that run.
                # TYPE apictrace_vcpus gauge
                apictrace_vcpus 9
                # HELP apictrace_vms_ended_total VMs that ended.
                # TYPE apictrace_vms_ended_total counter
                apictrace_vms_ended_total 7
                # HELP apictrace_apicv_inhibited_seconds_total Time for which APICv was inhibited, added up over VMs, by reason.
                # TYPE apictrace_apicv_inhibited_seconds_total counter
                apictrace_apicv_inhibited_seconds_total{reason="DISABLED"} 0.000000000
                apictrace_apicv_inhibited_seconds_total{reason="NESTED"} 2.500000000
                apictrace_apicv_inhibited_seconds_total{reason="unknown"} 0.000000007
                # HELP apictrace_apic_accesses_total Accesses to the local APIC of L1, by who made them and who served them.
                # TYPE apictrace_apic_accesses_total counter
                apictrace_apic_accesses_total{level="l1",path="trapped",access="read"} 0
                apictrace_apic_accesses_total{level="l1",path="trapped",access="write"} 10
                apictrace_apic_accesses_total{level="l2",path="direct",access="read"} 11
                apictrace_apic_accesses_total{level="l2",path="direct",access="write"} 0
                apictrace_apic_accesses_total{level="l2",path="hooked",access="read"} 0
                apictrace_apic_accesses_total{level="l2",path="hooked",access="write"} 12
                apictrace_apic_accesses_total{level="l2",path="own",access="read"} 0
                apictrace_apic_accesses_total{level="l2",path="own",access="write"} 13
                apictrace_apic_accesses_total{level="unknown",path="trapped",access="read"} 14
                apictrace_apic_accesses_total{level="unknown",path="trapped",access="write"} 0
                # HELP apictrace_events_total Events of KVM, by tracepoint.
                # TYPE apictrace_events_total counter
                apictrace_events_total{event="kvm_eoi"} 5
                apictrace_events_total{event="kvm_exit"} 18446744073709551615
                # HELP apictrace_events_dropped_total Events that were lost: nobody knows what they held.
                # TYPE apictrace_events_dropped_total counter
                apictrace_events_dropped_total 4

                """)
    }

    @Test func `OpenMetrics names families without their endings, has units, infos and an end, and the same samples`() {
        let (text, other) = (text(.openMetrics), text(.prometheus))
        for part in [
            "# TYPE apictrace_build info\n# HELP apictrace_build Version", "\n# TYPE apictrace_events counter\n",
            "\n# TYPE apictrace_apicv_inhibited_seconds counter\n# UNIT apictrace_apicv_inhibited_seconds seconds\n",
            "\n# TYPE apictrace_update_timestamp_seconds gauge\n# UNIT apictrace_update_timestamp_seconds seconds\n",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(text.hasSuffix("\n# EOF\n"))
        let samples = { (text: String) in text.split(separator: "\n").filter { !$0.hasPrefix("#") } }
        #expect(samples(text) == samples(other))
    }

    @Test
    func `each rule and grade has its sample before anything is found, and how many there are depends on nothing`() {
        let samples = MetricsPage(MetricsSnapshot(source: "", started: 0, updated: 0)).text(.prometheus)
            .split(separator: "\n").filter { $0.hasPrefix("apictrace_findings{") }
        #expect(samples.count == RuleID.allCases.count * 4)
        #expect(samples.allSatisfy { $0.hasSuffix(" 0") })
    }

    @Test func `a label is one, whatever is in it`() {
        var family = MetricFamily("apictrace_x", .gauge, "X.")
        family.add(1, ["name": "a\"b\\c\nd\u{202e}"])
        #expect(family.text(.prometheus).hasSuffix("\napictrace_x{name=\"a\\\"b\\\\c\\\\x0ad\\\\u{202e}\"} 1\n"))
    }

    @Test func `a counter never goes back, and what is no counter does`() {
        let earlier = snapshot
        var later = MetricsSnapshot(source: "live (BPF)", started: 0, updated: 0)
        later.events = ["kvm_exit": 1, "kvm_eoi": 6]
        later.accesses = [.init(.l1, isWrite: true): 11]
        later.vmsEnded = 6
        later.dropped = 5
        later.keepUp(with: earlier)
        #expect(later.events == ["kvm_exit": .max, "kvm_eoi": 6])
        #expect(later.accesses[.init(.l1, isWrite: true)] == 11)
        #expect(later.accesses[.init(.l2Own, isWrite: true)] == 13)
        #expect(later.vmsEnded == 7)
        #expect(later.dropped == 5)
        #expect(later.inhibited == earlier.inhibited)
        #expect(later.reported == earlier.reported)
        #expect(later.findings.isEmpty)
        #expect(later.vms.isEmpty)
        #expect(later.vcpus == 0)
        #expect(later.verdict == .inconclusive)
    }

    @Test func `at the end it says what the report says`() throws {
        var snapshot = snapshot
        let report = SampleReports.lost
        snapshot.settle(report)
        #expect(!snapshot.isTracing)
        #expect(snapshot.verdict == report.verdict)
        #expect(snapshot.findings.values.reduce(0, +) == UInt64(report.findings.count))
        for finding in report.findings {
            #expect(snapshot.findings[.init(finding.rule, finding.grade)] ?? 0 > 0)
            #expect(snapshot.reported[.init(finding.rule, finding.grade)] ?? 0 > 0)
        }
        #expect(snapshot.reported[.init(.staleSVI, .hazard)] == 2)
    }
}
