// SPDX-License-Identifier: Apache-2.0

/// Holes of which no more is kept than what they add up to.
public struct GapCounts: Equatable, Sendable {
    public private(set) var total: UInt64 = 0
    /// Those for which the recorder had no room for a number.
    public private(set) var uncounted: UInt64 = 0
    /// Events that the others lost.
    public private(set) var events: UInt64 = 0

    public init() {}

    public init(_ gaps: [EventGap]) {
        for gap in gaps { add(gap) }
    }

    public mutating func add(_ gap: EventGap) {
        total += 1
        if let events = gap.events { self.events &+= events } else { uncounted += 1 }
    }

    static func + (left: GapCounts, right: GapCounts) -> GapCounts {
        var sum = left
        sum.total += right.total
        sum.uncounted += right.uncounted
        sum.events &+= right.events
        return sum
    }
}
