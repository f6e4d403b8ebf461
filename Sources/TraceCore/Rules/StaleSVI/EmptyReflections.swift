// SPDX-License-Identifier: Apache-2.0

/// Sign S4, for an L1 that intercepts external interrupts: L0 tells L1 of an interrupt, L1 opens interrupts to take
/// it, gets nothing, and goes back to L2 with nothing to inject; again and again.
///
/// A single empty round trip is normal: L2 had interrupts off and an interrupt-window exit follows.
struct EmptyReflections: Equatable, Sendable {
    private(set) var count = 0
    private var first: UInt64 = 0
    private var isReflected = false

    static let countNeeded = 20
    static let nanosecondsNeeded: UInt64 = 10_000_000

    mutating func reflected(at time: UInt64) {
        isReflected = true
        if count == 0 { first = time }
    }

    /// L1 goes back to L2 with nothing to inject. True from the moment that this is too often for too long.
    mutating func returnedEmpty(at time: UInt64) -> Bool {
        guard isReflected else { return false }
        isReflected = false
        count += 1
        return count >= Self.countNeeded && time &- first >= Self.nanosecondsNeeded
    }

    /// An interrupt got through, or the guest showed that it had interrupts off.
    mutating func delivered() {
        self = EmptyReflections()
    }
}
