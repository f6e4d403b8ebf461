// SPDX-License-Identifier: Apache-2.0

/// The accounts of one vCPU's vectors. Guests use few of the 256, so that only those that were touched take room.
struct VectorAccounts: Equatable, Sendable {
    /// Where a vector's account is, -1 where it has none; empty until the first.
    private var slots: [Int16] = []
    private var accounts: [VectorAccount] = []

    subscript(vector: UInt8) -> VectorAccount {
        get {
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
