// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What a live trace shows while it runs, and of its report.
protocol LiveOutput {
    /// Nanoseconds between two moments that it wants to see.
    var interval: UInt64 { get }
    /// A finding is new, or graver than before.
    mutating func found(_ finding: Report.Finding, at place: String)
    mutating func show(_ moment: LiveMoment)
    mutating func resized()
    mutating func pressed(_ key: Keyboard.Key)
    /// No event comes any more, whatever the reason.
    mutating func end()
    mutating func finish(_ report: Report) throws
}

extension LiveOutput {
    mutating func found(_ finding: Report.Finding, at place: String) {}
    mutating func show(_ moment: LiveMoment) {}
    mutating func resized() {}
    mutating func pressed(_ key: Keyboard.Key) {}
    mutating func end() {}
}
