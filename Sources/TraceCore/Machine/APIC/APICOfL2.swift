// SPDX-License-Identifier: Apache-2.0

/// Whose local APIC L2 reaches for when L1 is handed its accesses: L1's own, which L1 hides (BitVisor, pKVM), or one that
/// L1 makes up for L2 (KVM, Hyper-V, Xen), which is no business of L1's APIC.
public struct APICOfL2: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Codable, Sendable {
        case l1s, virtualised, unknown
    }

    private var sharedSigns: UInt64 = 0
    private var ownSigns: UInt64 = 0

    /// KVM injected one of L1's interrupts straight into L2, or carried an access of L2's out on L1's APIC, or L1 passed on
    /// what its own APIC had accepted.
    mutating func sharesL1s() { sharedSigns &+= 1 }

    /// L1 injects a vector that its own APIC did not accept.
    mutating func injectedByL1(ofOwnMaking: Bool) {
        if ofOwnMaking { ownSigns &+= 1 }
    }

    /// L1 gives L2 virtual-interrupt delivery, which acts on a virtual-APIC page of L2's.
    mutating func givenVirtualInterruptDelivery() { ownSigns &+= 1 }

    public var kind: Kind {
        if sharedSigns > 0 { return .l1s }
        return ownSigns > 0 ? .virtualised : .unknown
    }
}
