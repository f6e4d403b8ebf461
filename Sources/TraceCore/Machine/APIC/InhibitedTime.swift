// SPDX-License-Identifier: Apache-2.0

/// How long APICv was inhibited, by the bits of the mask: each reason that was there counts, so that the sum of two may be more than
/// the time that passed. In the trace clock's units.
public struct InhibitedTime: Equatable, Sendable {
    /// Empty until something was added.
    private var byBit: [UInt64] = []
    /// Inhibited for a reason that nothing told.
    public private(set) var unknown: UInt64 = 0

    public init() {}

    /// The bits whose reasons were there for some time, and how long.
    public var reasons: [(bit: Int, time: UInt64)] {
        byBit.indices.lazy.filter { byBit[$0] > 0 }.map { ($0, byBit[$0]) }
    }

    /// - Parameter mask: what was inhibited meanwhile; 0 where that is not known.
    mutating func add(_ time: UInt64, of mask: UInt64) {
        if mask == 0 { unknown = unknown.addingClamped(time) }
        if mask != 0, byBit.isEmpty { byBit = Array(repeating: 0, count: 64) }
        var rest = mask
        while rest != 0 {
            let bit = rest.trailingZeroBitCount
            byBit[bit] = byBit[bit].addingClamped(time)
            rest &= rest - 1
        }
    }

    public mutating func add(_ other: InhibitedTime) {
        for (bit, time) in other.reasons { add(time, of: 1 << UInt64(bit)) }
        unknown = unknown.addingClamped(other.unknown)
    }
}
