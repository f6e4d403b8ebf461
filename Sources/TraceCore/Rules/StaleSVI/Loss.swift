// SPDX-License-Identifier: Apache-2.0

/// A vector that was not delivered, by one of the signs.
struct Loss: Equatable, Sendable {
    enum Sign: Equatable, Sendable {
        /// S1
        case undelivered
        /// S2
        case sleptOn
        /// S4
        case fruitlessOffers
    }

    var vector: UInt8
    var sign: Sign
    /// The first accept that nothing followed.
    var since: EventStamp
    /// When the sign was complete.
    var proven: EventStamp
    /// Nothing has spoken against it yet: L2 has run on without an interrupt window.
    var isStanding = true
    /// The guest has shown since that it could take interrupts.
    var hadWindow = false
}
