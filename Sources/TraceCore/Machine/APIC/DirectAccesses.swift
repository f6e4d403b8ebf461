// SPDX-License-Identifier: Apache-2.0

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
