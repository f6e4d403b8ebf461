// SPDX-License-Identifier: Apache-2.0

/// A vCPU's exits by level and reason.
public struct ExitCounts: Equatable, Sendable {
    /// Three levels of `slots` each: basic reasons, SVM's 0x400 group, and one for all others. In place, since an exit counts there.
    private var counts = InlineArray<0x333, UInt64>(repeating: 0)
    public private(set) var isa: ISA = .unknown

    private static let slots = 0x111

    public init() {}

    @inline(__always)
    mutating func add(_ reason: ExitReason, level: Level, count: UInt64 = 1) {
        isa = reason.isa
        counts[Self.slot(reason.code) + Int(level.rawValue) * Self.slots] &+= count
    }

    mutating func add(_ other: ExitCounts) {
        if other.isa != .unknown { isa = other.isa }
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }

    /// The exit turned out to be another level's.
    @inline(__always)
    mutating func move(_ reason: ExitReason, from old: Level, to new: Level) {
        counts[Self.slot(reason.code) + Int(old.rawValue) * Self.slots] &-= 1
        counts[Self.slot(reason.code) + Int(new.rawValue) * Self.slots] &+= 1
    }

    public subscript(level: Level, reason: ExitReason) -> UInt64 {
        counts[Self.slot(reason.code) + Int(level.rawValue) * Self.slots]
    }

    public func total(_ level: Level) -> UInt64 {
        (0..<Self.slots).reduce(0) { $0 &+ counts[$1 + Int(level.rawValue) * Self.slots] }
    }

    public static func == (left: ExitCounts, right: ExitCounts) -> Bool {
        left.isa == right.isa && left.counts.indices.allSatisfy { left.counts[$0] == right.counts[$0] }
    }

    /// Counts by the reason's name, those that occurred.
    public func byName(_ level: Level) -> [String: UInt64] {
        var names: [String: UInt64] = [:]
        for slot in 0..<Self.slots {
            let count = counts[slot + Int(level.rawValue) * Self.slots]
            if count != 0 { names[name(slot: slot)] = count }
        }
        return names
    }

    @inline(__always)
    private static func slot(_ code: UInt32) -> Int {
        if code < 0x100 { return Int(code) }
        return (0x400..<0x410).contains(code) ? Int(code) - 0x300 : slots - 1
    }

    private func name(slot: Int) -> String {
        if slot == Self.slots - 1 { return "other" }
        return ExitReason(isa: isa, recorded: UInt32(slot < 0x100 ? slot : slot + 0x300)).name
    }
}
