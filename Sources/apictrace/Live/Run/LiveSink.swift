// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// A sink that a live session keeps posted of time and terminal.
protocol LiveSink: EventSink, ~Copyable {
    /// What was seen up to now has been reported. False ends the run.
    mutating func drained(_ progress: borrowing some LiveProgress & ~Copyable) -> Bool
    /// Threads whose vCPUs sleep for long on an interrupt: their memory may tell why.
    var sleepers: [Int32] { get }
    /// It wants to be told again what it was told once.
    var wantsAllAnew: Bool { get }
    /// - Parameters:
    ///   - time: from then on it is.
    ///   - totals: up to then.
    mutating func willBeToldAnew(from time: UInt64, _ totals: TraceTotals)
    /// The gravest grade of what ``drained(_:)`` has found since this was asked for; nil where it found nothing new.
    mutating func takeNews() -> Grade?
    /// The terminal has another size.
    mutating func resized()
    mutating func pressed(_ key: Keyboard.Key)
}

/// How far a live source has come.
protocol LiveProgress: ~Copyable {
    /// Time up to which everything has been reported to the sink, in nanoseconds of the source's clock.
    var settled: UInt64 { get }
    /// Time of the first thing that was reported to the sink.
    var base: UInt64? { get }
    /// What the source knows by now, in the form that a file's reader gives.
    func totals() -> TraceTotals
}

extension LiveSink where Self: ~Copyable {
    var wantsAllAnew: Bool { false }
    mutating func willBeToldAnew(from time: UInt64, _ totals: TraceTotals) {}
    mutating func takeNews() -> Grade? { nil }
}
