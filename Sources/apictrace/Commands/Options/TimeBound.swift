// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// A point of trace time as a user gives it: seconds as trace-cmd prints them, or the clock's bare number; with a `+` in front
/// since the trace's begin, as the report prints them.
struct TimeBound: ExpressibleByArgument {
    let isRelative: Bool
    private var whole: UInt64
    /// Nanoseconds after the point; nil where there is no point.
    private var fraction: UInt64?
    /// Six digits are rounded, by trace-cmd and by us: the event that was meant may lie half a microsecond off.
    private var slack: UInt64

    init?(argument: String) {
        isRelative = argument.first == "+"
        let parts = argument.dropFirst(isRelative ? 1 : 0).split(
            separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = UInt64(first), first.first?.isNumber == true else { return nil }
        self.whole = whole
        slack = 0
        guard parts.count == 2 else { return }
        let digits = parts[1]
        guard (1...9).contains(digits.count), digits.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
        fraction = UInt64(digits + String(repeating: "0", count: 9 - digits.count))
        slack = digits.count == 6 ? 500 : 0
    }

    /// The earliest time that the bound may have been printed for, in units of the clock.
    func earliest(on clock: TraceClock, begin: UInt64 = 0) throws(TimeBoundError) -> UInt64 {
        let time = try time(on: clock, begin: begin)
        return time > slack ? time - slack : 0
    }

    /// The latest such time.
    func latest(on clock: TraceClock, begin: UInt64 = 0) throws(TimeBoundError) -> UInt64 {
        let (time, overflow) = try time(on: clock, begin: begin).addingReportingOverflow(slack)
        return overflow ? .max : time
    }

    /// From the earliest to the latest, nil where neither is given.
    /// - Parameter begin: of the trace, which relative times count from.
    static func window(
        from: TimeBound?, to: TimeBound?, on clock: TraceClock, begin: UInt64 = 0
    ) throws(TimeBoundError) -> ClosedRange<UInt64>? {
        guard from != nil || to != nil else { return nil }
        let earliest = try from?.earliest(on: clock, begin: begin) ?? 0
        let latest = try to?.latest(on: clock, begin: begin) ?? .max
        guard earliest <= latest else { throw .reversed }
        return earliest...latest
    }

    /// The time that was asked for lies before or after all that was recorded.
    static func isOutside(_ window: ClosedRange<UInt64>?, _ totals: TraceTotals) -> Bool {
        guard let window, let first = totals.first, let last = totals.last else { return false }
        return !window.overlaps(first...max(first, last))
    }

    /// Whatever the clock: a number without a fraction stands for seconds where the other has one.
    static func check(from: TimeBound?, to: TimeBound?) throws {
        guard let from, let to, from.isRelative == to.isRelative else { return }
        guard (from.whole, from.fraction ?? 0) <= (to.whole, to.fraction ?? 0) else {
            throw ValidationError(TimeBoundError.reversed.description)
        }
    }

    private func time(on clock: TraceClock, begin: UInt64) throws(TimeBoundError) -> UInt64 {
        // The report prints differences in seconds wherever the clock counts nanoseconds.
        let isSeconds = fraction != nil || clock.isPrintedInSeconds || isRelative && clock.unit == .nanoseconds
        var (sum, isTooLate) = (whole, false)
        if isSeconds {
            guard clock.unit == .nanoseconds else { throw .fractionOfTicks(clock: clock.name) }
            let (nanoseconds, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
            (sum, isTooLate) = nanoseconds.addingReportingOverflow(fraction ?? 0)
            isTooLate = isTooLate || overflow
        }
        let (time, overflow) = sum.addingReportingOverflow(isRelative ? begin : 0)
        guard !isTooLate, !overflow else { throw .tooLate }
        return time
    }
}

enum TimeBoundError: Error, CustomStringConvertible {
    case fractionOfTicks(clock: String)
    case spanOfTicks(clock: String)
    case tooLate
    case reversed

    var description: String {
        switch self {
        case .fractionOfTicks(let clock):
            "this trace's clock (\(clock)) doesn't count seconds: give --from and --to as whole numbers"
        case .spanOfTicks(let clock):
            "this trace's clock (\(clock)) doesn't count seconds: give --around as a whole number"
        case .tooLate: "--from and --to take seconds below 18446744073"
        case .reversed: "--from lies after --to"
        }
    }
}
