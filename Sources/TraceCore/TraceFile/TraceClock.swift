// SPDX-License-Identifier: Apache-2.0

/// The clock of a trace's time stamps.
public struct TraceClock: Equatable, Sendable {
    public enum Unit: String, CaseIterable, Codable, Sendable {
        /// Nanoseconds, by the clock's nature or after conversion.
        case nanoseconds = "ns"
        /// Cycles or jiffies of unknown length: order and proportion hold, durations don't.
        case ticks
        /// Bare order (`counter`).
        case none
    }

    /// As in tracefs' `trace_clock`, e.g. `local`, `mono`, `x86-tsc`.
    public var name: String
    public var unit: Unit

    public init(name: String, unit: Unit) {
        self.name = name
        self.unit = unit
    }
}
