// SPDX-License-Identifier: Apache-2.0

/// What monitoring is told of a live trace, as it stands at a moment. Nothing in it is one VM's alone, so that its size does not
/// depend on how many there are, and no name of a guest is in it.
public struct MetricsSnapshot: Equatable, Sendable {
    public struct FindingKind: Hashable, Sendable {
        public var rule: RuleID
        public var grade: Grade

        public init(_ rule: RuleID, _ grade: Grade) {
            self.rule = rule
            self.grade = grade
        }
    }

    /// Accesses to L1's local APIC, as ``Report/APICAccessReport`` distinguishes them.
    public struct Access: Hashable, Sendable {
        public enum Path: CaseIterable, Sendable {
            case l1, l2Direct, l2Hooked, l2Own
            /// Whether L1 or L2 ran is not known.
            case unknown
        }

        public var path: Path
        public var isWrite: Bool

        public init(_ path: Path, isWrite: Bool) {
            self.path = path
            self.isWrite = isWrite
        }
    }

    /// As the report's: `live (BPF)`.
    public var source: String
    /// False before it begins and once it is over.
    public var isTracing = true
    /// When tracing began and when this was taken, in nanoseconds of Unix time.
    public var started: UInt64
    public var updated: UInt64

    /// What the report would say if the trace ended now.
    public var verdict = Grade.inconclusive
    /// Findings as they stand.
    public var findings: [FindingKind: UInt64] = [:]
    /// VMs that run, by what is known of their APICv.
    public var vms: [APICvTimeline.State: UInt64] = [:]
    /// vCPUs of those.
    public var vcpus: UInt64 = 0

    // What follows is counted from the start of tracing on.

    /// How often a finding was reported with a grade that it had not had before.
    public var reported: [FindingKind: UInt64] = [:]
    public var vmsEnded: UInt64 = 0
    /// Nanoseconds for which APICv was inhibited, added up over VMs, by the reason's name.
    public var inhibited: [String: UInt64] = [:]
    public var accesses: [Access: UInt64] = [:]
    /// Hits by tracepoint.
    public var events: [String: UInt64] = [:]
    /// Events of those that were lost.
    public var dropped: UInt64 = 0

    public init(source: String, started: UInt64, updated: UInt64) {
        self.source = source
        self.started = started
        self.updated = updated
    }

    /// The trace is over, and this is what the report says.
    public mutating func settle(_ report: Report) {
        isTracing = false
        verdict = report.verdict
        findings = [:]
        for finding in report.findings { findings.count(finding.rule, finding.grade) }
        reported.keepUp(with: findings)
    }

    /// A counter never goes back, for whoever reads it takes that for a new start. What was counted may turn out to be another's
    /// later on, say an access of L2's; such a counter stands still until it is true again.
    public mutating func keepUp(with earlier: MetricsSnapshot) {
        reported.keepUp(with: earlier.reported)
        vmsEnded = max(vmsEnded, earlier.vmsEnded)
        inhibited.keepUp(with: earlier.inhibited)
        accesses.keepUp(with: earlier.accesses)
        events.keepUp(with: earlier.events)
        dropped = max(dropped, earlier.dropped)
    }
}

extension [MetricsSnapshot.FindingKind: UInt64] {
    /// One more of them.
    public mutating func count(_ rule: RuleID, _ grade: Grade) {
        self[MetricsSnapshot.FindingKind(rule, grade), default: 0] += 1
    }
}

extension Dictionary where Value == UInt64 {
    fileprivate mutating func keepUp(with earlier: Self) {
        merge(earlier, uniquingKeysWith: Swift.max)
    }
}
