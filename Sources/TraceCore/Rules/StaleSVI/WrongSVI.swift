// SPDX-License-Identifier: Apache-2.0

/// Proof C1 on one vCPU: after a run of L1 the CPU has stored a VPPR that VTPR and vISR don't call for, so that SVI is
/// wrong. Live only, from the words of the virtual-APIC page.
///
/// Readings come exit by exit of L1 while they look wrong, and once more when they no longer do.
struct WrongSVI: Sendable {
    private var previous: (words: LAPICWords, at: EventStamp)?

    /// The first time that SVI was wrong at two exits, in the words of the gravest such pair.
    private(set) var found: MemoryProofs.StaleSVI?
    private var words: LAPICWords?
    private(set) var first: UInt64 = 0
    private(set) var last: UInt64 = 0
    /// Exits of L1 that showed it, from the second on.
    private(set) var count: UInt64 = 0
    private(set) var log = EvidenceLog()
    /// When the interrupt was found to be held back, and since when it is requested no more: it came late.
    private var heldBack: UInt64 = 0
    private var released: UInt64?

    /// A run of L1 has ended with virtual-interrupt delivery on.
    mutating func l1Exit(_ words: LAPICWords, at stamp: EventStamp) {
        defer { previous = (words, stamp) }
        if let lost, previous != nil { released = words.irr.contains(lost) ? nil : released ?? stamp.time }
        guard let (before, since) = previous, let proof = MemoryProofs.staleSVI(first: before, second: words) else {
            return
        }
        count &+= 1
        if found == nil { first = since.time }
        last = stamp.time
        guard found == nil || !isConfirmed && proof.isConfirmed else { return }
        found = proof
        self.words = words
        heldBack = stamp.time
        log.add("kvm_exit", at: since, isKey: true, "end of a run of L1: \(before.description)")
        log.add("kvm_exit", at: stamp, isKey: true, "the next one: \(words.description); \(proof.claim)")
    }

    /// What the next reading shows need not have lasted since this one.
    mutating func interrupted() {
        previous = nil
    }

    /// An interrupt is held back, or let through, by the wrong SVI.
    var isConfirmed: Bool { found?.isConfirmed ?? false }

    /// The interrupt that is blocked: by an SVI that is too high, or by one in service whose EOI clears another bit.
    var lost: UInt8? {
        guard case .confirmed(let stored, let computed, _) = found, let requested = words?.irr.highest else {
            return nil
        }
        return requested.priorityClass <= max(stored, computed).priorityClass ? requested : nil
    }

    /// The interrupt that is in service without the CPU's knowing: an EOI does not end it.
    var stuck: UInt8? {
        guard case .confirmed(let stored, let computed, _) = found, stored < computed else { return nil }
        return words?.isr.highest
    }

    /// What happened, in words.
    var statement: String {
        guard let found else { return "" }
        let sentence = "L1 ran with a wrong SVI at \(count + 1) exits: \(found.claim)."
        guard let lost, let released else { return sentence }
        let waited = released.elapsed(since: heldBack) / 100_000
        return sentence + " It came late: \(lost.hex) was requested for \(waited / 10).\(waited % 10) ms more."
    }
}

extension MemoryProofs.StaleSVI {
    var isConfirmed: Bool {
        if case .confirmed = self { return true }
        return false
    }

    /// `VPPR is 0x50 where 0x00 is right, which blocks 0x41`.
    var claim: String {
        switch self {
        case .mismatch(let stored, let computed):
            "VPPR is \(stored.hex) where \(computed.hex) is right"
        case .confirmed(let stored, let computed, let vector) where stored > computed:
            "VPPR is \(stored.hex) where \(computed.hex) is right, which blocks \(vector.hex)"
        case .confirmed(let stored, let computed, let vector):
            "VPPR is \(stored.hex) where \(computed.hex) is right: it does not know of \(vector.hex)"
        }
    }
}
