// SPDX-License-Identifier: Apache-2.0

/// What `stale-svi` knows of one vCPU: its crossings, and the signs of loss that follow them.
struct CrossingWatch: Sendable {
    /// One entry for each vector and direction, the first of its kind; all are counted.
    private(set) var crossings: [Crossing] = []
    private(set) var crossingCount: UInt64 = 0
    /// They were seen before APICv's state was known: they count if it turns out to have been active.
    private(set) var restsOnUnknown = false
    /// The clock counts nanoseconds: without that nothing is lost for taking long.
    private let measuresTime: Bool

    /// The latest crossing, while its consequences may show.
    private(set) var armed: Crossing?
    /// L1 may have ended an interrupt of its own since, which would have put SVI right.
    private var mayBeRepaired = false

    private var undelivered: [UndeliveredAccept] = []
    private var offers = FruitlessOffers()
    /// Accepted since the crossing and not delivered: the first of each, and how many.
    private var waiting: [(vector: UInt8, since: EventStamp, accepts: UInt64)] = []

    private(set) var losses: [Loss] = []
    /// In service though L1 ended it (S3).
    private(set) var stuck: [(vector: UInt8, since: EventStamp)] = []
    /// A vector that the crossing would have held back was delivered: the fix is there.
    private(set) var deliveredDespite: (crossing: Crossing, vector: UInt8)?
    var log = EvidenceLog()

    init(measuresTime: Bool) {
        self.measuresTime = measuresTime
    }

    // MARK: Events

    mutating func crossed(_ crossing: Crossing, apicvKnown: Bool, pendingAbove: Bool, at stamp: EventStamp) {
        crossingCount &+= 1
        if !apicvKnown { restsOnUnknown = true }
        let isNew = !crossings.contains {
            $0.vector == crossing.vector && $0.acknowledgedAt == crossing.acknowledgedAt
                && $0.endedAt == crossing.endedAt
        }
        if isNew { crossings.append(crossing) }
        armed = crossing
        mayBeRepaired = pendingAbove
        undelivered = []
        offers = FruitlessOffers()
        waiting = []
    }

    /// S3: KVM was told of another interrupt's end.
    mutating func missedEOI(stuck vector: UInt8, at stamp: EventStamp) {
        guard !stuck.contains(where: { $0.vector == vector }) else { return }
        stuck.append((vector, stamp))
    }

    /// Returns what has just been lost by sign S4.
    mutating func accepted(_ vector: UInt8, silent: Bool, at stamp: EventStamp) -> [Loss] {
        guard let armed else { return [] }
        guard vector >> 4 <= armed.vector >> 4 else {
            mayBeRepaired = true
            return []
        }
        if let index = waiting.firstIndex(where: { $0.vector == vector }) {
            waiting[index].accepts &+= 1
        } else {
            waiting.append((vector, stamp, 1))
        }
        if !silent, !undelivered.contains(where: { $0.vector == vector }) {
            undelivered.append(UndeliveredAccept(vector, accepted: stamp))
        }
        return offers.accepted(at: stamp.time) ? lostOffers(at: stamp) : []
    }

    /// An accept waits for KVM to inject it.
    var isWaiting: Bool { !undelivered.isEmpty }

    /// An entry would change something: an accept waits, offers are being counted, or a loss may stand or fall.
    @inline(__always)
    var countsEntries: Bool { !undelivered.isEmpty || offers.count > 0 || !losses.isEmpty }

    /// Returns what has just been lost by sign S1.
    ///
    /// - Parameter held: the highest priority class that the guest itself holds back.
    mutating func enteredL2(at stamp: EventStamp, held: UInt8?) -> [Loss] {
        offers.enteredL2()
        var complete: [Loss] = []
        for index in undelivered.indices {
            if let held, undelivered[index].vector >> 4 <= held {
                undelivered[index].restart()
                continue
            }
            guard undelivered[index].enteredL2(at: stamp.time) else { continue }
            let wait = undelivered[index]
            complete.append(Loss(vector: wait.vector, sign: .undelivered, since: wait.accepted, proven: stamp))
        }
        return complete.filter { note($0) }
    }

    mutating func enteredL1() {
        undelivered = []
        for index in losses.indices where losses[index].sign == .undelivered { losses[index].isStanding = false }
    }

    /// Returns what has just been lost by sign S4.
    mutating func enteringL2(injecting vector: UInt8?, at stamp: EventStamp) -> [Loss] {
        guard armed != nil else { return [] }
        guard vector == nil else {
            offers.delivered()
            return []
        }
        return offers.returnedEmpty(at: stamp.time) ? lostOffers(at: stamp) : []
    }

    mutating func reflectedInterrupt() {
        if armed != nil { offers.reflected() }
    }

    mutating func interruptWindow() {
        for index in undelivered.indices { undelivered[index].restart() }
        offers.delivered()
        for index in losses.indices { losses[index].hadWindow = true }
    }

    mutating func acknowledged(_ vector: UInt8, level: Level, at stamp: EventStamp) {
        undelivered.removeAll { $0.vector == vector }
        waiting.removeAll { $0.vector == vector }
        offers.delivered()
        // Late is not lost: L2 had interrupts off, which an interrupt-window exit shows where L1 does the injecting.
        losses.removeAll {
            $0.vector == vector && $0.isStanding
                && ($0.sign == .undelivered || $0.sign == .fruitlessOffers && $0.hadWindow)
        }
        for index in losses.indices where losses[index].vector >> 4 == vector >> 4 { losses[index].isStanding = false }
        guard let armed, vector >> 4 <= armed.vector >> 4 else { return }
        // For L2 KVM itself computes the priority, from ISR. An SVI left behind in vmcs01 holds L1's interrupts back only;
        // a vector that L1 failed to end stays in ISR, and holds back both.
        guard level == .l1 || armed.acknowledgedAt == .l2 else { return }
        if !mayBeRepaired, deliveredDespite == nil { deliveredDespite = (armed, vector) }
    }

    /// L1 ended something by itself after the crossing.
    mutating func endedByL1(at stamp: EventStamp) {
        if let armed, armed.ended.time != stamp.time { mayBeRepaired = true }
    }

    /// A HLT lasted from `since` to `stamp` though these vectors were waiting (S2). Returns what that loses.
    mutating func sleptOn(_ vectors: [(vector: UInt8, since: EventStamp)], at stamp: EventStamp) -> [Loss] {
        guard let armed else { return [] }
        return vectors.filter { $0.vector >> 4 <= armed.vector >> 4 }
            .map { Loss(vector: $0.vector, sign: .sleptOn, since: $0.since, proven: stamp) }
            .filter { note($0) }
    }

    /// KVM_GUESTDBG_BLOCKIRQ holds interrupts back on purpose.
    mutating func blockedOnPurpose() {
        undelivered = []
        offers = FruitlessOffers()
        waiting = []
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
        blockedOnPurpose()
        for index in losses.indices { losses[index].isStanding = false }
    }

    // MARK: Judgement

    /// Accepts of the lost vectors since the first that nothing delivered; a sign stands for one at least.
    var lostAccepts: UInt64 {
        max(waiting.filter { lost in losses.contains { $0.vector == lost.vector } }.reduce(0) { $0 &+ $1.accepts }, 1)
    }

    var hasProof: Bool {
        let undelivered = losses.contains { $0.sign == .undelivered }
        return undelivered && !stuck.isEmpty || losses.contains { $0.sign == .fruitlessOffers && $0.isStanding }
    }

    /// A sign that the task priority can't explain: what KVM says is in service, or that KVM itself found deliverable.
    var isBeyondTPR: Bool { !stuck.isEmpty || losses.contains { $0.sign == .fruitlessOffers } }

    var hasSign: Bool { !losses.isEmpty || !stuck.isEmpty }

    /// Lost or stuck, ascending.
    var troubledVectors: [UInt8] {
        Set(losses.map(\.vector) + stuck.map(\.vector)).sorted()
    }

    private mutating func lostOffers(at stamp: EventStamp) -> [Loss] {
        waiting.map { Loss(vector: $0.vector, sign: .fruitlessOffers, since: $0.since, proven: stamp) }.filter {
            note($0)
        }
    }

    /// Whether a loss is new; the first sign that shows it is kept.
    private mutating func note(_ loss: Loss) -> Bool {
        guard measuresTime, !losses.contains(where: { $0.vector == loss.vector && $0.sign == loss.sign }) else {
            return false
        }
        losses.append(loss)
        return true
    }
}
