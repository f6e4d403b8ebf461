// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// A sink that a ``LiveSession`` keeps posted of time and terminal.
protocol LiveSink: LiveEventSink, ~Copyable {
    /// The ring has been read. False ends the run.
    mutating func drained(_ source: borrowing LiveSource) -> Bool
    /// The terminal has another size.
    mutating func resized()
}
