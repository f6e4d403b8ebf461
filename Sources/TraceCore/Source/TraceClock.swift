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

    /// The name of a clock that the input doesn't name.
    static let unknown = "unknown"

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

/// Takes a record's raw stamp to the trace's time: cycles to nanoseconds where the file says how, then the file's offset.
///
/// The same steps as trace-cmd's timestamp_calc() (lib/trace-cmd/trace-input.c, 3.4), which likewise leaves out the offset
/// stored with TSC2NSEC; without its correction of a guest's clock by the host's, which needs both files.
struct ClockConversion: Equatable {
    /// 0 where stamps stay in the clock's unit.
    var multiplier: UInt32 = 0
    var shift: UInt32 = 0
    /// The sum of DATE and OFFSET, in nanoseconds.
    var offset: Int64 = 0

    @inline(__always)
    func time(_ raw: UInt64) -> UInt64 {
        (multiplier == 0 ? raw : nanoseconds(raw)) &+ UInt64(bitPattern: offset)
    }

    @inline(never)
    func nanoseconds(_ cycles: UInt64) -> UInt64 {
        let product = cycles.multipliedFullWidth(by: UInt64(multiplier))
        // The operands need no check: a shift by a word's width or more gives 0, one by less than 0 goes the other way.
        return product.low >> UInt64(shift) | product.high << (64 - Int64(shift))
    }
}
