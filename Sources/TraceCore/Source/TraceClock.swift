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

extension TraceClock {
    /// The unit by the clock's name, kernel/trace/trace.c (trace_clocks) and arch/x86/include/asm/trace_clock.h, 7.2.
    init(_ name: String, isConverted: Bool) {
        let unit: Unit =
            switch name {
            case _ where isConverted: .nanoseconds
            case "local", "global", "perf", "mono", "mono_raw", "boot", "tai": .nanoseconds
            case "counter": .none
            default: .ticks
            }
        self.init(name: name, unit: unit)
    }
}
