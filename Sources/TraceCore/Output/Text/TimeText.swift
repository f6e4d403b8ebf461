// SPDX-License-Identifier: Apache-2.0

/// A report's times in the form that people compare: since the trace's begin, and as trace-cmd prints them.
///
/// Clocks that don't count nanoseconds keep their raw numbers.
struct TimeText {
    private let base: UInt64?
    private let unit: TraceClock.Unit

    init(_ source: Report.Source) {
        base = UInt64(source.span.base)
        unit = source.clock.unit
    }

    /// `+33.857742`, or the bare difference.
    func sinceBegin(_ time: UInt64) -> String {
        "+" + (unit == .nanoseconds ? Self.seconds(time) : String(time))
    }

    /// As `--from` and `--to` take it: with all digits.
    func argument(_ time: UInt64) -> String {
        guard unit == .nanoseconds else { return "+\(time)" }
        let fraction = String(time % 1_000_000_000)
        return "+\(time / 1_000_000_000)." + String(repeating: "0", count: 9 - fraction.count) + fraction
    }

    /// `72.372469`, rounded to microseconds as trace-cmd does it; empty where the report has no usable base.
    func absolute(_ time: UInt64) -> String {
        guard let base else { return "" }
        let (sum, overflow) = base.addingReportingOverflow(time)
        guard !overflow else { return "" }
        return unit == .nanoseconds ? Self.seconds(sum) : String(sum)
    }

    /// `+33.857742 s (trace time 72.372469)`.
    func both(_ time: UInt64) -> String {
        let unitName = unit == .nanoseconds ? " s" : ""
        let absolute = absolute(time)
        return sinceBegin(time) + unitName + (absolute.isEmpty ? "" : " (trace time \(absolute))")
    }

    /// `+0.000000 to +9.000000 s`.
    func interval(from first: UInt64, to last: UInt64) -> String {
        "\(sinceBegin(first)) to \(sinceBegin(last))" + (unit == .nanoseconds ? " s" : "")
    }

    func duration(from first: UInt64, to last: UInt64) -> String? {
        guard unit == .nanoseconds, last >= first else { return nil }
        return Self.seconds(last - first) + " s"
    }

    static func seconds(_ nanoseconds: UInt64) -> String {
        let microseconds = nanoseconds / 1000 + (nanoseconds % 1000 >= 500 ? 1 : 0)
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
    }
}
