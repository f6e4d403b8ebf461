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

    /// trace-cmd prints this clock's times as seconds with six digits. Those of others, and of `boot`, are bare numbers
    /// (3.1 to 3.4).
    public var isPrintedInSeconds: Bool { unit == .nanoseconds && name != "boot" }
}
