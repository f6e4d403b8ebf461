// SPDX-License-Identifier: Apache-2.0

/// What `stale-svi` knows of one vCPU: its crossings, what they left stuck, and what speaks for or against the fix.
struct CrossingWatch: Sendable {
    /// One entry for each vector and direction, the first of its kind; all are counted.
    private(set) var crossings: [Crossing] = []
    private(set) var crossingCount: UInt64 = 0
    var hasCrossed: Bool { crossingCount > 0 }
    /// They were seen before APICv's state was known: they count if it turns out to have been active.
    private(set) var restsOnUnknown = false

    /// The latest crossing, while its consequences may show.
    private(set) var armed: Crossing?
    /// The highest priority class that has crossed since the trace's beginning or its latest gap.
    private(set) var crossedClass: PriorityClass?
    /// L1 may have ended an interrupt of its own since, which would have put SVI right.
    private var mayBeRepaired = false

    /// In service though L1 ended it (S3).
    private(set) var stuck: [(vector: UInt8, since: EventStamp)] = []
    private(set) var stuckVectors = VectorSet()
    /// Those of an earlier life, before a reset.
    private var stuckForGood = VectorSet()
    /// The words of the APIC show that this one waits behind a stuck one: from the first reading to the latest.
    private(set) var blocked: [(vector: UInt8, from: EventStamp, to: EventStamp)] = []
    /// HLTs that went on though a vector of the crossing's class or below was waiting (S2).
    private(set) var sleeps: [(vector: UInt8, accepted: EventStamp, halted: EventStamp)] = []
    /// Vectors that a crossing would have held back and that were delivered all the same: signs of the fix.
    private(set) var deliveries: UInt64 = 0
    /// One of them was injected into L2 by KVM, which chooses by ISR.
    private(set) var hasDeliveredIntoL2 = false
    private(set) var firstDelivery: (crossing: Crossing, vector: UInt8)?
    var log = EvidenceLog()

    /// L2 ended what nobody saw injected, and that is all: L1 must have taken it.
    var restsOnNoInjection: Bool {
        stuck.isEmpty && crossings.allSatisfy { $0.endedAt == .l2 && $0.acknowledged == nil }
    }

    // MARK: Events

    mutating func crossed(_ crossing: Crossing, apicvKnown: Bool, pendingAbove: Bool) {
        crossingCount &+= 1
        if !apicvKnown { restsOnUnknown = true }
        let isNew = !crossings.contains {
            $0.vector == crossing.vector && $0.acknowledgedAt == crossing.acknowledgedAt
                && $0.endedAt == crossing.endedAt
        }
        if isNew { crossings.append(crossing) }
        armed = crossing
        crossedClass = max(crossedClass ?? .lowest, crossing.vector.priorityClass)
        mayBeRepaired = pendingAbove
    }

    /// S3: KVM was notified of another interrupt's end.
    mutating func missedEOI(stuck vector: UInt8, at stamp: EventStamp) {
        guard !stuckVectors.contains(vector) else { return }
        stuckVectors.insert(vector)
        stuck.append((vector, stamp))
    }

    /// The words of the vCPU's local APIC were read (live).
    mutating func read(_ words: LAPICWords, at stamp: EventStamp) {
        guard let requested = words.irr.highest, let inService = words.isr.highest, stuckVectors.contains(inService),
            requested.priorityClass <= inService.priorityClass
        else {
            // Nothing waits any more, or nothing is stuck: what waited came, late.
            blocked = []
            return
        }
        blocked.removeAll { $0.vector != requested }
        if blocked.isEmpty { blocked.append((requested, stamp, stamp)) }
        blocked[0].to = stamp
    }

    /// Vectors that wait behind a stuck one, and not just for an instant: L1 has ended that one already.
    var blockedForLong: [UInt8] {
        blocked.filter { $0.to.time.elapsed(since: $0.from.time) >= Wait.nanosecondsNeeded }.map(\.vector)
    }

    mutating func accepted(_ vector: UInt8) {
        // L1 may take it first, and its EOI loads SVI anew.
        if let armed, vector.priorityClass > armed.vector.priorityClass { mayBeRepaired = true }
    }

    /// - Parameters:
    ///   - wasInjected: by KVM, and its accept was seen.
    ///   - provesSVI: the delivery shows what SVI was: KVM or L1 could not have had the vector by other ways.
    mutating func acknowledged(_ vector: UInt8, level: Level, wasInjected: Bool, provesSVI: Bool) {
        sleeps.removeAll { $0.vector == vector }
        // KVM picks by ISR: nothing of its class or above is in there.
        if level == .l2, wasInjected { takeBack { $0.priorityClass >= vector.priorityClass } }
        guard let armed, vector.priorityClass <= armed.vector.priorityClass, provesSVI, !mayBeRepaired else { return }
        // For L2 KVM itself computes the priority, from ISR. An SVI left behind in vmcs01 holds L1's interrupts back only;
        // a vector that L1 failed to end stays in ISR, and holds back both.
        guard level == .l1 || armed.acknowledgedAt == .l2 else { return }
        deliveries &+= 1
        if level == .l2 { hasDeliveredIntoL2 = true }
        if firstDelivery == nil { firstDelivery = (armed, vector) }
        // The next proof needs a crossing of its own.
        self.armed = nil
    }

    mutating func ended(_ vector: UInt8, at stamp: EventStamp) {
        sleeps.removeAll { $0.vector == vector }
        // Told of its end at once: L1's EOI that KVM heard of was not for it.
        takeBack { [stuck] in
            $0 == vector
                && stuck.contains { $0.vector == vector && stamp.time.elapsed(since: $0.since.time) < Self.atOnce }
        }
    }

    /// What was called stuck wasn't.
    private mutating func takeBack(_ isFree: (UInt8) -> Bool) {
        guard stuck.contains(where: { isFree($0.vector) && !stuckForGood.contains($0.vector) }) else { return }
        stuck.removeAll { isFree($0.vector) && !stuckForGood.contains($0.vector) }
        stuckVectors = VectorSet(stuck.map(\.vector))
    }

    /// The vCPU was reset: SVI is loaded anew, and what was stuck was so to the end of that life.
    mutating func reset() {
        gap()
        stuckForGood = stuckVectors
        mayBeRepaired = true
    }

    /// An EOI that comes so soon after another was the one that was missed.
    static let atOnce: UInt64 = 1_000_000

    /// L1 ended something by itself after the crossing.
    mutating func endedByL1(at stamp: EventStamp) {
        if let armed, armed.ended.time != stamp.time { mayBeRepaired = true }
    }

    /// L1 runs: what woke it may have been delivered there in silence.
    mutating func enteredL1() {
        sleeps = []
    }

    /// A HLT went on though this vector was waiting.
    mutating func sleptOn(_ vector: UInt8, accepted: EventStamp, halted: EventStamp) {
        guard let crossedClass, vector.priorityClass <= crossedClass, !sleeps.contains(where: { $0.vector == vector })
        else {
            return
        }
        sleeps.append((vector, accepted, halted))
    }

    /// KVM_GUESTDBG_BLOCKIRQ holds interrupts back on purpose.
    mutating func blockedOnPurpose() {
        sleeps = []
    }

    /// APICv went off or on, which loads SVI anew.
    mutating func inhibitsChanged() {
        mayBeRepaired = true
    }

    /// APICv turned out to have been active all the time.
    mutating func settledActive() {
        restsOnUnknown = false
    }

    /// What was armed may have been resolved where nobody looked.
    mutating func gap() {
        armed = nil
        crossedClass = nil
        sleeps = []
    }
}
