// SPDX-License-Identifier: Apache-2.0

/// The accounts of one vCPU's vectors. Guests use few of the 256, so that only those that were touched take room.
struct VectorAccounts: Equatable, Sendable {
    /// Where a vector's account is, -1 where it has none; empty until the first.
    private var slots: [Int16] = []
    private var accounts: [VectorAccount] = []

    subscript(vector: UInt8) -> VectorAccount {
        // Inlined, so that a caller who wants one field of an account does not copy all of it.
        @inline(__always) get {
            guard !slots.isEmpty, slots[Int(vector)] >= 0 else { return VectorAccount() }
            return accounts[Int(slots[Int(vector)])]
        }
        _modify { yield &accounts[slot(of: vector)] }
    }

    /// Keeps what is open and drops what was counted.
    mutating func forgetCounts() {
        for index in accounts.indices {
            accounts[index] = VectorAccount(pending: accounts[index].pending, inService: accounts[index].inService)
        }
    }

    private mutating func slot(of vector: UInt8) -> Int {
        if slots.isEmpty { slots = Array(repeating: -1, count: 256) }
        if slots[Int(vector)] < 0 {
            slots[Int(vector)] = Int16(truncatingIfNeeded: accounts.count)
            accounts.append(VectorAccount())
        }
        return Int(slots[Int(vector)])
    }
}

/// One vector's account on one vCPU: how often it was accepted, acknowledged and ended, and what is open now.
public struct VectorAccount: Equatable, Sendable {
    /// Offered to the local APIC (`kvm_apic_accept_irq`), by the level that ran on the target.
    public var accepted = LevelCounts()
    /// Moved from IRR to ISR: injected, or concluded from what followed.
    public var acknowledged = LevelCounts()
    /// Injected again after an exit interrupted its delivery.
    public var reinjected: UInt64 = 0
    /// EOIs, by the level that executed them.
    public var ended = LevelCounts()
    /// Accepted while the same bit was still pending.
    public var coalesced: UInt64 = 0

    /// Accepted and not seen to be acknowledged.
    public var pending: Pending?
    /// Acknowledged and not ended.
    public var inService: InService?

    public struct Pending: Equatable, Sendable {
        public var since: EventStamp
        /// Hardware may have delivered it to L1 without a trace.
        public var maybeSilent: Bool
        /// The vCPU's gap count at that time: a later one may hide the delivery.
        public var gaps: UInt32
    }

    public struct InService: Equatable, Sendable {
        public var since: EventStamp
        public var level: Level
        /// How it was seen to go there.
        public var by: Acknowledgement
        /// Its accept was seen. Otherwise it may be the PIC's, which has no part in ISR, or an IPI of L1's to itself, which
        /// hardware accepts in silence.
        public var isSure: Bool
        /// L2 may have ended it where nobody could see of what vector the EOI was.
        public var mayHaveEnded = false
    }

    public init(pending: Pending? = nil, inService: InService? = nil) {
        self.pending = pending
        self.inService = inService
    }

    /// Neither acknowledged anywhere nor ended by L2.
    var isNeverTaken: Bool { acknowledged.total == 0 && ended.l2 == 0 }

    /// L1 took it and has not been seen to end it.
    var isInServiceOfL1: Bool { inService?.level == .l1 }

    public var isUntouched: Bool { self == VectorAccount() }
}
