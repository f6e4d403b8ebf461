// SPDX-License-Identifier: Apache-2.0

/// The proofs that only a vCPU's memory gives, as pure functions on its words. Live tracing feeds them.
///
/// Never judged at a `kvm_exit` of L2 or on vIRR there: the posted-interrupt requests aren't folded in yet.
public enum MemoryProofs {
    /// C1, a wrong SVI: an in-service vector that hardware's priority doesn't know, or the other way round.
    public enum StaleSVI: Equatable, Sendable {
        /// VPPR differs from what VTPR and vISR call for.
        case mismatch(stored: UInt8, computed: UInt8)
        /// And an interrupt is held back, or let through, by the difference.
        case confirmed(stored: UInt8, computed: UInt8, vector: UInt8)
    }

    /// Judges the words of two consecutive exits of L1, on VMX with APICv active and virtual-interrupt delivery in
    /// vmcs01. Nil where they agree with hardware or with too little certainty.
    public static func staleSVI(first: LAPICWords, second: LAPICWords) -> StaleSVI? {
        let stored = second.ppr.priorityClass
        let computed = second.computedPPR.priorityClass
        guard stored != computed, first.ppr.priorityClass == stored, first.computedPPR.priorityClass == computed else {
            return nil
        }
        if let requested = second.irr.highest, requested.priorityClass > min(stored, computed),
            requested.priorityClass <= max(stored, computed)
        {
            return .confirmed(stored: second.ppr, computed: second.computedPPR, vector: requested)
        }
        if let inService = second.isr.highest, inService.priorityClass > stored {
            return .confirmed(stored: second.ppr, computed: second.computedPPR, vector: inService)
        }
        return .mismatch(stored: second.ppr, computed: second.computedPPR)
    }

    /// What KVM was about to do at an entry of L2, beside the words.
    public struct L2Entry: Equatable, Sendable {
        public var words: LAPICWords
        /// Entry interruption information is valid: something is injected.
        public var injects: Bool
        /// The interrupt-window control is set, or KVM_REQ_EVENT, an immediate exit, a pending nested run or
        /// KVM_GUESTDBG_BLOCKIRQ explains the wait, or L2 has interrupts off.
        public var waitsOnPurpose: Bool

        public init(words: LAPICWords, injects: Bool, waitsOnPurpose: Bool) {
            self.words = words
            self.injects = injects
            self.waitsOnPurpose = waitsOnPurpose
        }
    }

    /// C2, a forgotten interrupt: deliverable at two consecutive entries of L2 that do nothing about it, where vmcs12
    /// has neither virtual-interrupt delivery nor external-interrupt exiting.
    public static func forgottenInterrupt(first: L2Entry, second: L2Entry) -> UInt8? {
        guard !first.injects, !second.injects, !first.waitsOnPurpose, !second.waitsOnPurpose,
            let vector = second.words.deliverable, first.words.deliverable == vector
        else { return nil }
        return vector
    }
}
