// SPDX-License-Identifier: Apache-2.0

/// A whole analysis as a sink: the machine, the rules that watch it, and the window of time that is asked for.
public struct Analysis: EventSink, ~Copyable, Sendable {
    public internal(set) var machine: Machine
    public internal(set) var rules = Rules()
    /// Before it events only bring the machine up to date; after it they are ignored.
    private let window: ClosedRange<UInt64>
    private(set) var isInWindow: Bool

    /// - Parameter symbols: of the traced host, where the trace doesn't carry them.
    public init(info: TraceInfo, symbols: KernelSymbols? = nil, window: ClosedRange<UInt64>? = nil) {
        var info = info
        info.symbols = symbols ?? info.symbols
        machine = Machine(info: info)
        self.window = window ?? 0...(.max)
        isInWindow = window == nil
    }

    /// Reads a whole file.
    public mutating func read(_ file: inout TraceFile) throws(TraceFileError) -> TraceTotals {
        let totals = try file.read(into: &self)
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
        machine.lost(gap, observer: &rules)
    }

    /// The trace is over.
    public mutating func finish() {
        rules.finish(machine)
    }

    private mutating func enter(at time: UInt64) -> Bool {
        guard time >= window.lowerBound else { return false }
        isInWindow = true
        machine.forgetCounts()
        rules = Rules()
        return true
    }

    private mutating func warmUp(_ event: KVMEvent, _ stamp: EventStamp) {
        machine.event(event, at: stamp, observer: &rules)
    }
}
