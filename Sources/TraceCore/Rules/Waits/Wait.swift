// SPDX-License-Identifier: Apache-2.0

/// An interrupt that a vCPU accepted and that nothing has been seen to deliver since.
///
/// Waiting by itself is no loss: L2 may have interrupts off, or its task priority raised, for long. A healthy guest waited
/// 574 ms, with 1,391 accepts, while it printed to its console; recorded losses last for 5.8 s and more.
struct Wait: Sendable {
    /// What a wait shows once it has gone on for some time.
    struct Sign: Equatable, Sendable {
        /// The record that completes it.
        var event: EventKind
        var at: EventStamp
    }

    let vector: UInt8
    /// The first accept that nothing followed.
    let accepted: EventStamp
    private(set) var accepts: UInt64 = 1

    /// A vector of its class or a higher one had crossed before.
    var isAfterCrossing = false
    /// L1 has run since the latest accept, and hardware may have delivered it there in silence.
    private var mayBeDelivered = false

    /// Entries of L2 with nothing in between that could hold the interrupt back or deliver it.
    private var stretch: UInt64 = 0
    private var stretchStart: UInt64 = 0
    private var stretchEnd: UInt64 = 0
    /// All such stretches.
    private(set) var entries: UInt64 = 0
    private(set) var nanoseconds: UInt64 = 0
    /// Those but for what a HLT took, in which the guest may have parked with interrupts off.
    private var awakeNanoseconds: UInt64 = 0

    /// Round trips to an L1 that intercepts external interrupts and came back with nothing to inject, and further accepts
    /// after the first of those.
    private var offers: UInt64 = 0
    private var latestOffer: UInt64 = 0
    /// Between the first offer and the latest.
    private var offerNanoseconds: UInt64 = 0
    private var isReflected = false
    private var wasReflectedSinceAccept = false
    private var hasRunSinceOffer = false

    /// Sign S1: L2 was entered again and again, and KVM did not inject it.
    private(set) var undelivered: Sign?
    /// Sign S4: L1 was offered it again and again, and got nothing.
    private(set) var fruitless: Sign?
    /// The same for so long that it is told without a crossing too.
    private(set) var long: Sign?
    /// The guest showed that it could take an interrupt, and this one did not come.
    private(set) var chance: Sign?
    private var isWindowOpen = false
    /// Nothing has spoken against it: no gap, and nothing that blocks interrupts on purpose, came since.
    var isStanding = true

    static let entriesNeeded: UInt64 = 4
    static let nanosecondsNeeded: UInt64 = 5_000_000
    static let offersNeeded: UInt64 = 20
    static let offerNanosecondsNeeded: UInt64 = 10_000_000
    static let longEntries: UInt64 = 20
    static let longNanoseconds: UInt64 = 100_000_000
    /// 3.5 times the longest healthy wait, and a third of the shortest loss that was recorded.
    static let outlivingNanoseconds: UInt64 = 2_000_000_000
    /// What one step adds at most: a vCPU that stands still for longer is paused, and can take nothing.
    private static let longestStep: UInt64 = 200_000_000

    init(_ vector: UInt8, accepted: EventStamp) {
        self.vector = vector
        self.accepted = accepted
    }

    /// Some sign is complete.
    var hasSign: Bool { undelivered != nil || fruitless != nil || long != nil }

    /// It lasts longer than any healthy wait, and the sender tried again.
    var outlivesHealthyWaits: Bool {
        accepts > 1 && max(awakeNanoseconds, offerNanoseconds) >= Self.outlivingNanoseconds
    }

    // MARK: Events

    /// Accepted once more: while L2 runs nothing but KVM can deliver it.
    mutating func acceptedAgain(inL2: Bool, isOffered: Bool, at stamp: EventStamp) {
        accepts &+= 1
        if inL2 { mayBeDelivered = false }
        // One that was reflected counts when L1 comes back.
        if isOffered, offers > 0, hasRunSinceOffer, !wasReflectedSinceAccept { offered(.apicAcceptIRQ, at: stamp) }
        wasReflectedSinceAccept = false
    }

    /// Something held it back up to now.
    mutating func restart() {
        stretch = 0
        isWindowOpen = false
    }

    /// KVM held interrupts back on purpose up to now.
    mutating func windowClosed() {
        restart()
        offers = 0
        isReflected = false
    }

    /// An interrupt-window exit: L2 had interrupts off until now, and can take one at the next entry.
    mutating func windowOpened() {
        restart()
        isWindowOpen = true
        offers = 0
        isReflected = false
    }

    /// Another interrupt was delivered to L2 or to L1.
    ///
    /// - Parameter outranked: a lower one went ahead of this.
    mutating func otherDelivered(outranked: Bool, _ event: EventKind, at stamp: EventStamp) {
        if outranked, chance == nil, !mayBeDelivered { chance = Sign(event: event, at: stamp) }
        isWindowOpen = false
        offers = 0
        isReflected = false
    }

    /// L2 runs. `injects`: another event goes first. `slept`: after a HLT.
    mutating func enteredL2(injects: Bool, slept: Bool, at stamp: EventStamp) {
        hasRunSinceOffer = true
        guard !mayBeDelivered else { return }
        if isWindowOpen, !injects, chance == nil { chance = Sign(event: .entry, at: stamp) }
        isWindowOpen = false
        if stretch == 0 {
            (stretchStart, stretchEnd) = (stamp.time, stamp.time)
        }
        stretch &+= 1
        entries &+= 1
        let step = min(stamp.time.elapsed(since: stretchEnd), Self.longestStep)
        nanoseconds &+= step
        if !slept { awakeNanoseconds &+= step }
        stretchEnd = stamp.time
        if undelivered == nil, stretch >= Self.entriesNeeded,
            stamp.time.elapsed(since: stretchStart) >= Self.nanosecondsNeeded
        {
            undelivered = Sign(event: .entry, at: stamp)
        }
        if long == nil, entries >= Self.longEntries, nanoseconds >= Self.longNanoseconds {
            long = Sign(event: .entry, at: stamp)
        }
    }

    /// L1 runs. `silently`: hardware delivers to it without an event.
    mutating func enteredL1(silently: Bool) {
        restart()
        if silently { mayBeDelivered = true }
    }

    /// L0 handed an external-interrupt exit to L1.
    mutating func reflected() {
        isReflected = true
        wasReflectedSinceAccept = true
    }

    /// L1, which passes on what its APIC accepts, goes back to L2 with nothing to inject.
    mutating func returnedEmpty(at stamp: EventStamp) {
        guard isReflected else { return }
        isReflected = false
        offered(.nestedVMEnter, at: stamp)
    }

    private mutating func offered(_ event: EventKind, at stamp: EventStamp) {
        if offers == 0 { (latestOffer, offerNanoseconds) = (stamp.time, 0) }
        hasRunSinceOffer = false
        offers &+= 1
        offerNanoseconds &+= min(stamp.time.elapsed(since: latestOffer), Self.longestStep)
        latestOffer = stamp.time
        let lasts = offerNanoseconds
        guard offers >= Self.offersNeeded else { return }
        if fruitless == nil, lasts >= Self.offerNanosecondsNeeded { fruitless = Sign(event: event, at: stamp) }
        // Without new accepts: L1 that takes its own interrupts in silence comes back empty once for each.
        if long == nil, offers > accepts + Self.offersNeeded, lasts >= Self.longNanoseconds {
            long = Sign(event: event, at: stamp)
        }
    }
}
