// SPDX-License-Identifier: Apache-2.0

/// A ``MetricsSnapshot`` as what monitoring reads. docs/metrics.md says what each metric means.
public struct MetricsPage {
    public enum Format: CaseIterable, Sendable {
        /// OpenMetrics 1.0.
        case openMetrics
        /// Prometheus' text format 0.0.4: node_exporter's textfile collector reads no other.
        case prometheus

        public var mediaType: String {
            switch self {
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            }
        }
    }

    private let families: [MetricFamily]

    public init(_ snapshot: MetricsSnapshot) {
        families = Self.run(snapshot) + Self.judgement(snapshot) + Self.machines(snapshot) + Self.events(snapshot)
    }

    public func text(_ format: Format) -> String {
        families.map { $0.text(format) }.joined() + (format == .openMetrics ? "# EOF\n" : "")
    }

    // MARK: Families

    private static func run(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        var build = MetricFamily("apictrace_build", .info, "Version of apictrace, and what it reads events with.")
        build.add(1, ["version": Report.Tool.current.version, "source": snapshot.source])
        var tracing = MetricFamily("apictrace_tracing", .gauge, "1 while events are traced, 0 before and after.")
        tracing.add(snapshot.isTracing ? 1 : 0)
        var started = MetricFamily(
            "apictrace_start_timestamp_seconds", .gauge, unit: "seconds", "Unix time at which tracing began.")
        started.add(nanoseconds: snapshot.started)
        var updated = MetricFamily(
            "apictrace_update_timestamp_seconds", .gauge, unit: "seconds", "Unix time that these values are of.")
        updated.add(nanoseconds: snapshot.updated)
        return [build, tracing, started, updated]
    }

    private static func judgement(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        var verdict = MetricFamily(
            "apictrace_verdict", .gauge, "1 for the grade that the report would have now, 0 for the others.")
        for grade in Grade.allCases { verdict.add(snapshot.verdict == grade ? 1 : 0, ["grade": grade.rawValue]) }
        var findings = MetricFamily("apictrace_findings", .gauge, "Findings as they stand, by rule and grade.")
        var reported = MetricFamily(
            "apictrace_findings_reported", .counter, "Findings reported, once more with each graver grade.")
        for rule in RuleID.allCases {
            for grade in Grade.allCases where grade >= .exposed {
                let kind = MetricsSnapshot.FindingKind(rule, grade)
                let labels: KeyValuePairs = ["rule": rule.rawValue, "grade": grade.rawValue]
                findings.add(snapshot.findings[kind] ?? 0, labels)
                reported.add(snapshot.reported[kind] ?? 0, labels)
            }
        }
        return [verdict, findings, reported]
    }

    private static func machines(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        var vms = MetricFamily("apictrace_vms", .gauge, "VMs that run, by the state of their APICv.")
        for state in APICvTimeline.State.allCases { vms.add(snapshot.vms[state] ?? 0, ["apicv": state.rawValue]) }
        var vcpus = MetricFamily("apictrace_vcpus", .gauge, "vCPUs of the VMs that run.")
        vcpus.add(snapshot.vcpus)
        var ended = MetricFamily("apictrace_vms_ended", .counter, "VMs that ended.")
        ended.add(snapshot.vmsEnded)
        var inhibited = MetricFamily(
            "apictrace_apicv_inhibited_seconds", .counter, unit: "seconds",
            "Time for which APICv was inhibited, added up over VMs, by reason.")
        for (reason, time) in snapshot.inhibited.sorted(by: { $0.key < $1.key }) {
            inhibited.add(nanoseconds: time, ["reason": reason])
        }
        return [vms, vcpus, ended, inhibited]
    }

    private static func events(_ snapshot: MetricsSnapshot) -> [MetricFamily] {
        var accesses = MetricFamily(
            "apictrace_apic_accesses", .counter,
            "Accesses to the local APIC of L1, by who made them and who served them.")
        for path in MetricsSnapshot.Access.Path.allCases {
            for isWrite in [false, true] {
                accesses.add(
                    snapshot.accesses[.init(path, isWrite: isWrite)] ?? 0,
                    ["level": path.level, "path": path.name, "access": isWrite ? "write" : "read"])
            }
        }
        var events = MetricFamily("apictrace_events", .counter, "Events of KVM, by tracepoint.")
        for (name, count) in snapshot.events.sorted(by: { $0.key < $1.key }) { events.add(count, ["event": name]) }
        var dropped = MetricFamily(
            "apictrace_events_dropped", .counter, "Events that were lost: nobody knows what they held.")
        dropped.add(snapshot.dropped)
        return [accesses, events, dropped]
    }
}

extension MetricsSnapshot.Access.Path {
    /// Who made the access.
    fileprivate var level: String {
        switch self {
        case .l1: "l1"
        case .l2Direct, .l2Hooked, .l2Own: "l2"
        case .unknown: "unknown"
        }
    }

    /// Who served it.
    fileprivate var name: String {
        switch self {
        case .l1, .unknown: "trapped"
        case .l2Direct: "direct"
        case .l2Hooked: "hooked"
        case .l2Own: "own"
        }
    }
}
