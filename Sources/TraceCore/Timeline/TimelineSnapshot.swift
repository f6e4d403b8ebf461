// SPDX-License-Identifier: Apache-2.0

/// A time line as values, of a size that doesn't grow with the trace: all of it in buckets, and what lies around the evidence of the
/// report's findings one by one. Times count from the report's base, as all of the report's do.
public struct TimelineSnapshot: Codable, Equatable, Sendable {
    /// In the report's order, with those vCPUs that did something.
    public var vms: [VM]

    public struct VM: Codable, Equatable, Sendable {
        /// ``Report/VM/id``.
        public var id: Int
        public var vcpus: [VCPU]
    }

    public struct VCPU: Codable, Equatable, Sendable {
        @ExplicitNull public var id: Int32?
        @ExplicitNull public var tid: Int32?
        /// When the first bucket begins, below 0 where that is before the base, and how long each is.
        public var start: Int64
        public var width: UInt64
        public var buckets: [Bucket]
        /// What was kept around evidence, in stretches without a hole.
        public var details: [Detail]
    }

    /// Sums over a stretch of time. Lists are in the order of ``Timeline/Bucket/Activity``, of ``Level`` and of
    /// ``Timeline/Bucket/Access`` with reads before writes.
    ///
    /// It is encoded as one text, its numbers in the order of its properties with blanks between them: a coder that takes each number by
    /// itself takes a thousand times as long for it.
    public struct Bucket: Equatable, Sendable {
        public var time: [UInt64]
        public var exits: [UInt64]
        public var accepted: [UInt64]
        public var acknowledged: [UInt64]
        public var ended: [UInt64]
        public var accesses: [UInt64]
        public var ipis: UInt64
        public var longestPause: UInt64
    }

    public struct Detail: Codable, Equatable, Sendable {
        public var events: [Event]
        /// Those that were on their way meanwhile.
        public var interrupts: [Interrupt]

        public var from: UInt64 { events.first?.time ?? 0 }
        public var to: UInt64 { events.last?.time ?? 0 }
    }

    public struct Event: Codable, Equatable, Sendable {
        public var time: UInt64
        /// ``Timeline/Event/Kind``.
        public var kind: String
        public var level: LevelName
        /// Of an exit.
        public var reason: String?
        public var vector: String?
        /// Of an access.
        public var register: String?
        public var isWrite: Bool?
        /// It is one of the events that a finding's evidence names.
        public var isEvidence: Bool
    }

    public enum LevelName: String, CaseIterable, Codable, Sendable {
        case l1, l2, unknown

        init(_ level: Level) {
            switch level {
            case .l1: self = .l1
            case .l2: self = .l2
            case .unknown: self = .unknown
            }
        }
    }

    public struct Interrupt: Codable, Equatable, Sendable {
        public struct Step: Codable, Equatable, Sendable {
            public var time: UInt64
            public var level: LevelName
        }

        public var vector: String
        /// When an IPI asked for it, and the vCPU that sent it.
        public var requested: UInt64?
        public var sender: Int32?
        public var accepted: Step?
        public var acknowledged: Step?
        public var ended: Step?
        public var coalesced: UInt64
        public var isCrossing: Bool
        public var fate: Timeline.Interrupt.Fate
        /// A finding says that it is lost.
        public var isLost: Bool
        public var until: UInt64?
    }
}

extension Timeline {
    /// - Parameters:
    ///   - report: of the same analysis.
    ///   - buckets: for a vCPU at most.
    ///   - neighbours: events that are kept before and after one that evidence names, one at least.
    ///   - events: for a vCPU at most; of more evidence than that the first.
    public func snapshot(
        of report: Report, buckets: Int = 512, neighbours: Int = 24, events: Int = 4096
    ) -> TimelineSnapshot {
        let base = UInt64(report.source.span.base) ?? 0
        return TimelineSnapshot(
            vms: report.vms.map { vm in
                TimelineSnapshot.VM(
                    id: vm.id,
                    vcpus: vm.vcpus.compactMap { reported in
                        guard let vcpu = self.vcpu(reported, of: vm),
                            let series = self.buckets(of: vcpu)?.folded(to: buckets)
                        else { return nil }
                        let evidence = Set(
                            report.findings(on: reported, of: vm).flatMap { $0.evidence.map(\.time) }.map { $0 &+ base }
                        )
                        var details = Details(
                            of: vcpu, base: base, evidence: evidence, neighbours: neighbours, limit: events)
                        forEachEvent(of: vcpu) { details.take($0) }
                        details.end()
                        let lost = report.lostVectors(on: reported, of: vm)
                        forEachInterrupt(of: vcpu) { interrupt in
                            details.take(interrupt, sender: interrupt.request.flatMap { sender(of: $0)?.id }, lost)
                        }
                        return TimelineSnapshot.VCPU(
                            id: reported.id, tid: reported.tid,
                            start: Int64(truncatingIfNeeded: series.start &- base), width: series.width,
                            buckets: series.buckets.map(TimelineSnapshot.Bucket.init), details: details.all)
                    })
            })
    }
}

extension Report {
    /// What was found on a vCPU, or on all of its VM's.
    func findings(on vcpu: VCPU, of vm: VM) -> [Finding] {
        findings.filter { $0.vm == vm.id && ($0.vcpu == nil || $0.vcpu == vcpu.id) }
    }

    /// The vectors that were lost on a vCPU, as far as a finding claims it.
    func lostVectors(on vcpu: VCPU, of vm: VM) -> Set<String> {
        Set(findings(on: vcpu, of: vm).filter { $0.vcpu != nil && $0.grade >= .suspect }.flatMap(\.vectors))
    }
}

extension Timeline.Buckets {
    /// The same in wider buckets.
    func folded(to limit: Int) -> Self {
        var folded = self
        while folded.buckets.count > max(limit, 1) {
            let pairs = stride(from: 0, to: folded.buckets.count, by: 2).map { index in
                var sum = folded.buckets[index]
                if index + 1 < folded.buckets.count { sum.add(folded.buckets[index + 1]) }
                return sum
            }
            folded = Timeline.Buckets(start: start, width: folded.width &* 2, buckets: pairs)
        }
        return folded
    }
}

extension TimelineSnapshot.Bucket: Codable {
    public func encode(to encoder: any Encoder) throws {
        let numbers = time + exits + accepted + acknowledged + ended + accesses + [ipis, longestPause]
        var container = encoder.singleValueContainer()
        try container.encode(numbers.map(String.init).joined(separator: " "))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        var numbers = try container.decode(String.self).split(separator: " ").compactMap { UInt64($0) }[...]
        let (levels, accesses) = (Level.allCases.count, 2 * Timeline.Bucket.Access.allCases.count)
        let activities = Timeline.Bucket.Activity.allCases.count
        let expected = activities + levels * Timeline.Bucket.Counted.allCases.count + accesses + 2
        guard numbers.count == expected else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a bucket has \(expected) numbers")
        }
        func take(_ count: Int) -> [UInt64] {
            defer { numbers.removeFirst(count) }
            return Array(numbers.prefix(count))
        }
        self.init(
            time: take(activities), exits: take(levels), accepted: take(levels), acknowledged: take(levels),
            ended: take(levels), accesses: take(accesses), ipis: numbers.removeFirst(),
            longestPause: numbers.removeFirst())
    }

    init(_ bucket: Timeline.Bucket) {
        func counts(_ what: Timeline.Bucket.Counted) -> [UInt64] { Level.allCases.map { UInt64(bucket[what, $0]) } }
        self.init(
            time: Timeline.Bucket.Activity.allCases.map { bucket[$0] }, exits: counts(.exits),
            accepted: counts(.accepted), acknowledged: counts(.acknowledged), ended: counts(.ended),
            accesses: Timeline.Bucket.Access.allCases.flatMap { access in
                [false, true].map { UInt64(bucket[access, isWrite: $0]) }
            }, ipis: UInt64(bucket.ipis), longestPause: bucket.longestPause)
    }
}

/// Picks what lies around evidence from a vCPU's events as they pass.
private struct Details {
    let vcpu: Timeline.VCPU
    let base: UInt64
    /// In ascending order, those whose place has not come yet last.
    let evidence: [UInt64]
    private var passed = 0
    let neighbours: Int
    let limit: Int
    private(set) var all: [TimelineSnapshot.Detail] = []
    /// The latest that were not wanted so far, in a ring: as they are, since few of them will be.
    private var before: [Timeline.Event]
    /// Events that were not wanted since the latest that was.
    private var skipped = 0
    private var open: [TimelineSnapshot.Event] = []
    private var wantedAfter = 0
    private var taken = 0

    init(of vcpu: Timeline.VCPU, base: UInt64, evidence: Set<UInt64>, neighbours: Int, limit: Int) {
        (self.vcpu, self.base, self.evidence) = (vcpu, base, evidence.sorted())
        (self.neighbours, self.limit) = (max(neighbours, 1), limit)
        before = Array(repeating: Timeline.Event(time: 0, kind: .summarised), count: max(neighbours, 1))
    }

    /// Evidence lies here, or between the event before and this one: not all of it is an event of a time line.
    private mutating func reaches(_ time: UInt64) -> (evidence: Bool, isExact: Bool) {
        let before = passed
        while passed < evidence.count, evidence[passed] <= time { passed += 1 }
        // Several events may have that time.
        let isExact = passed > 0 && evidence[passed - 1] == time
        return (passed > before || isExact, isExact)
    }

    mutating func take(_ event: Timeline.Event) {
        guard event.kind != .summarised else { return end() }
        let place = reaches(event.time)
        if place.evidence, taken < limit {
            for index in max(0, skipped - neighbours)..<skipped { add(before[index % neighbours], isEvidence: false) }
            add(event, isEvidence: place.isExact)
            skipped = 0
            wantedAfter = neighbours
        } else if wantedAfter > 0 {
            add(event, isEvidence: place.isExact)
            wantedAfter -= 1
        } else {
            before[skipped % neighbours] = event
            skipped += 1
            // From here on what comes does not follow on what was.
            if skipped > neighbours, !open.isEmpty { close() }
        }
    }

    private mutating func add(_ event: Timeline.Event, isEvidence: Bool) {
        open.append(TimelineSnapshot.Event(event, of: vcpu, base: base, isEvidence: isEvidence))
        taken += 1
    }

    /// What comes next does not follow on what was.
    mutating func end() {
        close()
        skipped = 0
        wantedAfter = 0
    }

    private mutating func close() {
        if !open.isEmpty { all.append(.init(events: open, interrupts: [])) }
        open = []
    }

    mutating func take(_ interrupt: Timeline.Interrupt, sender: Int32?, _ lost: Set<String>) {
        let (from, to) = (interrupt.start.elapsed(since: base), (interrupt.until ?? .max).elapsed(since: base))
        for index in all.indices where from <= all[index].to && to >= all[index].from {
            all[index].interrupts.append(.init(interrupt, base: base, sender: sender, lost))
        }
    }
}

extension TimelineSnapshot.Event {
    fileprivate init(_ event: Timeline.Event, of vcpu: Timeline.VCPU, base: UInt64, isEvidence: Bool) {
        self.init(
            time: event.time.elapsed(since: base), kind: "\(event.kind)", level: .init(event.level),
            reason: event.kind == .exit ? event.reason(vcpu.isa).name : nil,
            vector: event.kind.hasVector ? event.vector.hex : nil,
            register: event.kind.isAccess ? event.register.name : nil,
            isWrite: event.kind.isAccess ? event.isSilentOrWrite : nil, isEvidence: isEvidence)
    }
}

extension TimelineSnapshot.Interrupt {
    fileprivate init(_ interrupt: Timeline.Interrupt, base: UInt64, sender: Int32?, _ lost: Set<String>) {
        func step(_ step: Timeline.Interrupt.Step?) -> Step? {
            step.map { Step(time: $0.time.elapsed(since: base), level: .init($0.level)) }
        }
        self.init(
            vector: interrupt.vector.hex, requested: interrupt.request.map { $0.time.elapsed(since: base) },
            sender: sender, accepted: step(interrupt.accepted), acknowledged: step(interrupt.acknowledged),
            ended: step(interrupt.ended), coalesced: interrupt.coalesced, isCrossing: interrupt.isCrossing,
            fate: interrupt.fate, isLost: interrupt.fate == .pending && lost.contains(interrupt.vector.hex),
            until: interrupt.until.map { $0.elapsed(since: base) })
    }
}

extension Timeline.Event.Kind {
    public var isAccess: Bool { [.accessed, .accessedDirectly, .accessHooked].contains(self) }

    public var hasVector: Bool {
        switch self {
        case .accepted, .refused, .placed, .acknowledged, .ended, .crossed, .missedEOI, .injectedByL1, .sentIPI: true
        default: false
        }
    }
}
