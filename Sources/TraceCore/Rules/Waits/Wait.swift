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
    private var stretchStart = RunClock()
    private var stretchEnd = RunClock()
    /// All such stretches.
    private(set) var entries: UInt64 = 0
    private(set) var nanoseconds: UInt64 = 0
    /// Those but for what a HLT took, in which the guest may have parked with interrupts off.
    private var awakeNanoseconds: UInt64 = 0

    /// Round trips to an L1 that intercepts external interrupts and came back with nothing to inject, and further accepts
    /// after the first of those.
    private var offers: UInt64 = 0
    private var firstOffer = RunClock()
    /// Between the first offer and the latest.
    private var offerNanoseconds: UInt64 = 0
    /// Reflected, and L1 has not come back yet.
    private var isReflected = false
    /// Since the latest accept. What L1 took is reflected no second time; what it didn't is, or never again.
    private var reflections = 0
    private var hasComeBackEmpty = false
    private var hasRunSinceOffer = false
    /// The vector was in service as it was accepted: the next EOI ends that one.
    private var awaitsOlderEOI = false

    /// Sign S1: L2 was entered again and again, and KVM did not inject it.
    private(set) var undelivered: Sign?
    /// Sign S4: L1 was offered it again and again, and got nothing.
    private(set) var fruitless: Sign?
    /// The same for so long that it is reported without a crossing too.
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

    init(_ vector: UInt8, accepted: EventStamp, isInService: Bool = false) {
        self.vector = vector
        self.accepted = accepted
        awaitsOlderEOI = isInService
    }

    /// Some sign is complete.
    var hasSign: Bool { undelivered != nil || fruitless != nil || long != nil }

    /// It lasts longer than any healthy wait, and the sender tried again.
    var outlivesHealthyWaits: Bool {
        accepts > 1 && max(awakeNanoseconds, offerNanoseconds) >= Self.outlivingNanoseconds
    }

    // MARK: Events

    /// Accepted once more: while L2 runs nothing but KVM can deliver it.
    mutating func acceptedAgain(inL2: Bool, isOffered: Bool, _ clock: RunClock, at stamp: EventStamp) {
        accepts &+= 1
        if inL2 { mayBeDelivered = false }
        if isOffered, hasComeBackEmpty, hasRunSinceOffer, reflections == 0 { offered(.apicAcceptIRQ, clock, at: stamp) }
        reflections = 0
    }

    /// An EOI of its vector. True where it shows that this interrupt had been delivered.
    mutating func endedByEOI() -> Bool {
        defer { awaitsOlderEOI = false }
        return !awaitsOlderEOI
    }

    /// Something held it back up to now.
    mutating func restart() {
        stretch = 0
        isWindowOpen = false
    }

    /// KVM held interrupts back on purpose up to now.
    mutating func windowClosed() {
        restart()
        takeOffersBack()
    }

    private mutating func takeOffersBack() {
        offers = 0
        isReflected = false
        hasComeBackEmpty = false
    }

    /// An interrupt-window exit: L2 had interrupts off until now, and can take one at the next entry.
    mutating func windowOpened() {
        restart()
        isWindowOpen = true
        takeOffersBack()
    }

    /// Another interrupt was delivered to L2 or to L1.
    ///
    /// - Parameter outranked: a lower one went ahead of this.
    mutating func otherDelivered(outranked: Bool, _ event: EventKind, at stamp: EventStamp) {
        if outranked, chance == nil, !mayBeDelivered { chance = Sign(event: event, at: stamp) }
        isWindowOpen = false
        takeOffersBack()
    }

    /// L2 runs. `injects`: another event goes first.
    mutating func enteredL2(injects: Bool, _ clock: RunClock, at stamp: EventStamp) {
        hasRunSinceOffer = true
        guard !mayBeDelivered else { return }
        if isWindowOpen, !injects, chance == nil { chance = Sign(event: .entry, at: stamp) }
        isWindowOpen = false
        if stretch == 0 { (stretchStart, stretchEnd) = (clock, clock) }
        stretch &+= 1
        entries &+= 1
        nanoseconds &+= clock.total - stretchEnd.total
        awakeNanoseconds &+= clock.awake - stretchEnd.awake
        stretchEnd = clock
        if undelivered == nil, stretch >= Self.entriesNeeded,
            clock.total - stretchStart.total >= Self.nanosecondsNeeded
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
        reflections += 1
    }

    /// L1, which passes on what its APIC accepts, goes back to L2 with nothing to inject.
    mutating func returnedEmpty(_ clock: RunClock, at stamp: EventStamp) {
        guard isReflected else { return }
        isReflected = false
        hasComeBackEmpty = true
        if reflections > 1 { offered(.nestedVMEnter, clock, at: stamp) }
    }

    private mutating func offered(_ event: EventKind, _ clock: RunClock, at stamp: EventStamp) {
        if offers == 0 { firstOffer = clock }
        hasRunSinceOffer = false
        offers &+= 1
        offerNanoseconds = clock.awake - firstOffer.awake
        let lasts = offerNanoseconds
        guard offers >= Self.offersNeeded else { return }
        if fruitless == nil, lasts >= Self.offerNanosecondsNeeded { fruitless = Sign(event: event, at: stamp) }
        // Without new accepts: L1 that takes its own interrupts in silence comes back empty once for each.
        if long == nil, offers > accepts + Self.offersNeeded, lasts >= Self.longNanoseconds {
            long = Sign(event: event, at: stamp)
        }
    }
}
