// SPDX-License-Identifier: Apache-2.0

/// Sign S4, for an L1 that intercepts external interrupts: L0 tells L1 of an interrupt, L1 opens interrupts to take it,
/// gets nothing and goes back to L2 with nothing to inject; and so on with each further round trip, or with each
/// further accept that KVM doesn't even tell L1 of any more.
///
/// External-interrupt exits don't depend on L2's interrupt flag, so that what holds back the later accepts is the
/// priority. A single empty round trip is normal: L2 had interrupts off and an interrupt-window exit follows.
struct FruitlessOffers: Equatable, Sendable {
    private(set) var count = 0
    private var first: UInt64 = 0
    private var isReflected = false
    private var hasRun = false

    static let countNeeded = 20
    static let nanosecondsNeeded: UInt64 = 10_000_000

    /// L0 handed an external-interrupt exit to L1.
    mutating func reflected() {
        isReflected = true
    }

    /// L1 goes back to L2 with nothing to inject. True from the moment that this is too often for too long.
    mutating func returnedEmpty(at time: UInt64) -> Bool {
        guard isReflected else { return false }
        isReflected = false
        if count == 0 { first = time }
        return more(at: time)
    }

    /// L2 runs.
    mutating func enteredL2() {
        hasRun = true
    }

    /// A further interrupt was accepted, L2 having run since the last. True as for ``returnedEmpty(at:)``.
    mutating func accepted(at time: UInt64) -> Bool {
        guard count > 0, hasRun else { return false }
        return more(at: time)
    }

    /// An interrupt got through, or the guest showed that it had interrupts off.
    mutating func delivered() {
        self = FruitlessOffers()
    }

    private mutating func more(at time: UInt64) -> Bool {
        hasRun = false
        count += 1
        return count >= Self.countNeeded && time.elapsed(since: first) >= Self.nanosecondsNeeded
    }
}
