// SPDX-License-Identifier: Apache-2.0

/// What a source knows once it has been read: counts, losses and where it broke off.
public struct TraceTotals: Equatable, Sendable {
    /// Every record by tracepoint name, whatever the machine took of it.
    public var byName: [String: UInt64] = [:]
    /// Time of the earliest and of the latest record, in clock units; nil without records.
    public var first: UInt64?
    public var last: UInt64?
    /// The gaps, in order of `from`; of very many the first.
    public var gaps: [EventGap] = []
    /// The gaps beyond those.
    public var furtherGaps = GapCounts()
    /// Overrun, commit overrun and dropped events of the recorder's own statistics; nil where it kept none.
    public var overrun: UInt64?
    /// Records of events that the machine uses, left out since they are shorter than their format says.
    public var shortRecords = 0
    /// Records of ids that no format has. A recorder keeps the formats of what it switches on itself.
    public var unknownRecords: UInt64 = 0
    /// Records of KVM's events whose layout is some other kernel's, by name: they were counted and not read.
    public var unread: [String: UInt64] = [:]
    /// Lines of a text that look like events of KVM's and can't be read.
    public var illegible: Illegible?
    /// Events that may be any vCPU's, since the input doesn't name their threads.
    public var unplaced: UInt64 = 0
    /// The first place where the input broke off or doesn't make sense; nil for a whole file.
    public var cut: TraceCut?
    /// Set where the input is a part of a larger trace and says so.
    public var part: PartOfTrace?
    /// What the reader noticed and the user should know, e.g. a second buffer instance with the same events.
    public var notes: [String] = []

    public struct Illegible: Equatable, Sendable {
        public var lines: UInt64
        /// Number of the first one, from 1, and its event's name.
        public var first: UInt64
        public var name: String
    }

    /// Each page of a recording may have lost something before it, and live tracing goes on for long: the others are counted.
    static let mostGaps = 4096

    public init() {}

    public mutating func add(_ gap: EventGap) {
        if gaps.count < Self.mostGaps { gaps.append(gap) } else { furtherGaps.add(gap) }
    }

    /// What all the gaps add up to.
    var gapTotals: GapCounts { GapCounts(gaps) + furtherGaps }

    /// Events were lost that may have been anybody's.
    var hasLostOfAnybody: Bool {
        let gapTotals = gapTotals
        return gapTotals.ofAnybody > 0 || overrun ?? 0 > gapTotals.events
    }

    /// Nothing is missing but events whose process is known, so that what was not seen of any other did not happen.
    public var isWhole: Bool {
        !hasLostOfAnybody && shortRecords == 0 && unread.isEmpty && illegible == nil && unplaced == 0 && cut == nil
            && part == nil
    }
}

/// Gaps of which no more is kept than what they add up to.
public struct GapCounts: Equatable, Sendable {
    public private(set) var total: UInt64 = 0
    /// Those for which the recorder had no room for a number.
    public private(set) var uncounted: UInt64 = 0
    /// Events that the others lost.
    public private(set) var events: UInt64 = 0
    /// Gaps that may be in anybody's events: of the others the process is known.
    private(set) var ofAnybody: UInt64 = 0

    public init() {}

    public init(_ gaps: [EventGap]) {
        for gap in gaps { add(gap) }
    }

    public mutating func add(_ gap: EventGap) {
        total += 1
        if gap.process == nil { ofAnybody += 1 }
        if let events = gap.events { self.events = self.events.addingClamped(events) } else { uncounted += 1 }
    }

    static func + (left: GapCounts, right: GapCounts) -> GapCounts {
        var sum = left
        sum.total += right.total
        sum.uncounted += right.uncounted
        sum.ofAnybody += right.ofAnybody
        sum.events = sum.events.addingClamped(right.events)
        return sum
    }
}
