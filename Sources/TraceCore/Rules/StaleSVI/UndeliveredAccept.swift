// SPDX-License-Identifier: Apache-2.0

/// Sign S1: an interrupt accepted while L2 runs, that KVM ought to inject, and entry after entry does not.
///
/// L1 that runs in between may have got it in silence: that ends the wait without a claim. An interrupt-window exit shows
/// that L2 had interrupts off, and what is in service or the task priority may have held it back: the wait starts anew.
struct UndeliveredAccept: Equatable, Sendable {
    let vector: UInt8
    let accepted: EventStamp
    private var entries = 0
    private var firstEntry: UInt64 = 0

    /// Recorded losses have 7 entries and 8.6 ms or more, healthy twins none.
    static let entriesNeeded = 4
    static let nanosecondsNeeded: UInt64 = 5_000_000

    init(_ vector: UInt8, accepted: EventStamp) {
        self.vector = vector
        self.accepted = accepted
    }

    /// Something else held it back up to now.
    mutating func restart() {
        entries = 0
    }

    /// L2 runs again with nothing injected. True from the moment that this is too often for too long.
    mutating func enteredL2(at time: UInt64) -> Bool {
        if entries == 0 { firstEntry = time }
        entries += 1
        return entries >= Self.entriesNeeded && time.elapsed(since: firstEntry) >= Self.nanosecondsNeeded
    }
}
