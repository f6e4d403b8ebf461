// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// Which part of a recording's time is asked for.
struct TimeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Only from this time on: seconds as trace-cmd prints them, or +seconds since the begin as the report does.",
            valueName: "time"))
    var from: TimeBound?

    @Option(help: ArgumentHelp("Only up to this time.", valueName: "time"))
    var to: TimeBound?

    @Option(help: ArgumentHelp("Both at once; either may be left out.", valueName: "from,to"))
    var time: TimeRange?

    private var first: TimeBound? { time?.from ?? from }
    private var last: TimeBound? { time?.to ?? to }

    func validate() throws {
        guard time == nil || (from == nil && to == nil) else {
            throw ValidationError("--time says what --from and --to say: give the one or the others.")
        }
        try TimeBound.check(from: first, to: last)
    }

    /// Nil where all of it is.
    func window(of file: borrowing Recording) throws -> ClosedRange<UInt64>? {
        let isRelative = [first, last].contains { $0?.isRelative == true }
        return try TimeBound.window(
            from: first, to: last, on: file.info.clock, begin: isRelative ? file.begin() : 0)
    }
}

/// `72.3,72.5`, as perf's --time takes it.
struct TimeRange: ExpressibleByArgument {
    let from: TimeBound?
    let to: TimeBound?

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.contains(where: { !$0.isEmpty }) else { return nil }
        from = TimeBound(argument: String(parts[0]))
        to = TimeBound(argument: String(parts[1]))
        guard (from != nil || parts[0].isEmpty) && (to != nil || parts[1].isEmpty) else { return nil }
    }
}
