// SPDX-License-Identifier: Apache-2.0

/// A whole analysis as a sink: the machine, the rules that watch it, and the window of time that is asked for.
public struct Analysis: EventSink, ~Copyable, Sendable {
    public internal(set) var machine: Machine
    public internal(set) var rules = Rules()
    /// Before it events only bring the machine up to date; after it they are ignored.
    let window: ClosedRange<UInt64>
    private(set) var isInWindow: Bool
    /// A window was asked for, and no event lies in it.
    public private(set) var isWindowEmpty: Bool

    /// - Parameter symbols: of the traced host, where the trace doesn't carry them.
    public init(info: TraceInfo, symbols: KernelSymbols? = nil, window: ClosedRange<UInt64>? = nil) {
        var info = info
        info.symbols = symbols ?? info.symbols
        machine = Machine(info: info)
        self.window = window ?? 0...(.max)
        isInWindow = window == nil
        isWindowEmpty = window != nil
    }

    /// Reads a whole file.
    public mutating func read(
        _ file: inout TraceFile, progress: ((_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(TraceFileError) -> TraceTotals {
        let totals = try file.read(into: &self, progress: progress)
        finish()
        return totals
    }

    @inline(__always)
    public mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        if !isInWindow, !enter(at: stamp.time) { return warmUp(event, stamp) }
        if stamp.time > window.upperBound { return }
        machine.event(event, at: stamp, observer: &rules)
    }

    public mutating func lost(_ gap: EventGap) {
        if gap.from ?? 0 <= window.upperBound { machine.lost(gap, observer: &rules) }
    }

    /// The trace is over.
    public mutating func finish() {
        if !isInWindow { begin() }
        rules.finish(machine)
    }

    private mutating func enter(at time: UInt64) -> Bool {
        guard time >= window.lowerBound else { return false }
        begin()
        isWindowEmpty = time > window.upperBound
        return true
    }

    private mutating func begin() {
        isInWindow = true
        machine.forgetCounts()
        rules = Rules()
    }

    private mutating func warmUp(_ event: KVMEvent, _ stamp: EventStamp) {
        machine.event(event, at: stamp, observer: &rules)
    }
}
