// SPDX-License-Identifier: Apache-2.0

/// Reads and writes of a local APIC, register by register.
public struct APICAccessCounts: Equatable, Sendable {
    public struct Count: Equatable, Sendable {
        public var reads: UInt64 = 0
        public var writes: UInt64 = 0
    }

    private var counts: [Count] = []

    public init() {}

    public var isEmpty: Bool { counts.isEmpty }
    public var reads: UInt64 { counts.reduce(0) { $0 &+ $1.reads } }
    public var writes: UInt64 { counts.reduce(0) { $0 &+ $1.writes } }

    /// The registers that were touched, by offset.
    public var byRegister: [(register: APICRegister, count: Count)] {
        counts.indices.lazy.filter { counts[$0] != Count() }.map { (APICRegister(index: $0), counts[$0]) }
    }

    public subscript(register: APICRegister) -> Count {
        counts.isEmpty ? Count() : counts[register.index]
    }

    mutating func accessed(_ register: APICRegister, isWrite: Bool) {
        if counts.isEmpty { counts = Array(repeating: Count(), count: APICRegister.count) }
        if isWrite {
            counts[register.index].writes &+= 1
        } else {
            counts[register.index].reads &+= 1
        }
    }

    /// The access was counted too soon: it is another's.
    mutating func retract(_ register: APICRegister, isWrite: Bool) {
        guard !counts.isEmpty else { return }
        if isWrite {
            counts[register.index].writes &-= 1
        } else {
            counts[register.index].reads &-= 1
        }
    }

    public mutating func add(_ other: APICAccessCounts) {
        guard !other.isEmpty else { return }
        if counts.isEmpty { counts = Array(repeating: Count(), count: APICRegister.count) }
        for index in counts.indices {
            counts[index].reads &+= other.counts[index].reads
            counts[index].writes &+= other.counts[index].writes
        }
    }
}

/// L2's accesses to L1's APIC that KVM carried out, kept apart by what APICv was at the time.
public struct DirectAccesses: Equatable, Sendable {
    public internal(set) var whileActive = APICAccessCounts()
    public internal(set) var whileInhibited = APICAccessCounts()
    /// Before the first evidence of APICv's state.
    public internal(set) var whileUnknown = APICAccessCounts()

    public init() {}

    public var total: APICAccessCounts {
        var sum = whileActive
        sum.add(whileInhibited)
        sum.add(whileUnknown)
        return sum
    }

    mutating func accessed(_ register: APICRegister, isWrite: Bool, apicv: APICvTimeline.State) {
        switch apicv {
        case .active: whileActive.accessed(register, isWrite: isWrite)
        case .inhibited: whileInhibited.accessed(register, isWrite: isWrite)
        case .unknown: whileUnknown.accessed(register, isWrite: isWrite)
        }
    }

    /// What was unknown has been settled.
    mutating func settle(_ state: APICvTimeline.State) {
        switch state {
        case .active: whileActive.add(whileUnknown)
        case .inhibited: whileInhibited.add(whileUnknown)
        case .unknown: return
        }
        whileUnknown = APICAccessCounts()
    }
}
