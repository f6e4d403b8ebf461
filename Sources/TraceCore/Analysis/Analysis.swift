// SPDX-License-Identifier: Apache-2.0

/// A whole analysis as a sink: the machine, the rules that watch it, and the window of time that is asked for.
public struct Analysis: EventSink, Sendable {
    public private(set) var machine: Machine
    public private(set) var rules = Rules()
    /// Before it events only bring the machine up to date; after it they are ignored.
    private let window: ClosedRange<UInt64>
    private var isInWindow: Bool

    public init(info: TraceInfo, window: ClosedRange<UInt64>? = nil) {
        machine = Machine(info: info)
        self.window = window ?? 0...(.max)
        isInWindow = window == nil
    }

    /// Reads a whole file.
    ///
    /// - Parameter symbols: of the traced host, where the file doesn't carry them.
    public static func run(
        _ file: inout TraceFile, symbols: KernelSymbols? = nil, window: ClosedRange<UInt64>? = nil
    ) throws(TraceFileError) -> (analysis: Analysis, totals: TraceTotals) {
        var info = file.info
        info.symbols = symbols ?? info.symbols
        var analysis = Analysis(info: info, window: window)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return (analysis, totals)
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
