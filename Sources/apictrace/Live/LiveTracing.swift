// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// One run of live tracing, whatever reads the kernel's events: ``LiveSession`` and ``FtraceSession``.
protocol LiveTracing: LiveProgress, ~Copyable {
    var info: TraceInfo { get }
    /// What it still takes at the end of the run.
    static var capabilities: Capabilities { get }
    /// Whether the totals count hits that the sink was not told of.
    static var countsMore: Bool { get }

    mutating func run(
        for seconds: Double?, command: [String], commandOutput: Int32, into sink: inout some LiveSink & ~Copyable
    ) throws(TracingUnavailable)
}
