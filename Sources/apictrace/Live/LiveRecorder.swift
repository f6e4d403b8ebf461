// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Passes what live tracing tells on, and writes it to a file as well if one is wanted. A disk that fails is told at the end.
struct LiveRecorder<Next: LiveEventSink & ~Copyable>: LiveEventSink, ~Copyable {
    var next: Next
    private var writer: TraceWriter?

    /// - Parameter path: nil for no file.
    init(_ next: consuming Next, path: String?, info: TraceInfo) throws(TraceWriterError) {
        if let path { writer = try TraceWriter(path: path, info: info) } else { writer = nil }
        self.next = next
    }

    @inline(__always)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        writer?.event(event, at: stamp)
        next.event(event, at: stamp)
    }

    mutating func lost(_ gap: EventGap) {
        writer?.lost(gap)
        next.lost(gap)
    }

    mutating func state(_ state: VCPUState, at stamp: EventStamp) {
        writer?.state(state, at: stamp)
        next.state(state, at: stamp)
    }

    mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) {
        writer?.lapic(reading, at: stamp)
        next.lapic(reading, at: stamp)
    }

    mutating func thread(_ tid: Int32, of process: Int32) {
        writer?.thread(tid, of: process)
        if let command = SystemFile.text("/proc/\(tid)/comm") { writer?.commands[tid] = command }
        next.thread(tid, of: process)
    }

    mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {
        writer?.exits(count, reason, of: tid)
        next.exits(count, reason, of: tid)
    }

    /// Completes the file.
    /// - Parameter hits: by tracepoint as counted in the kernel; nil where every hit was sent.
    mutating func finish(_ totals: TraceTotals, hits: [String: UInt64]? = nil) throws(TraceWriterError) {
        try writer?.finish(totals, hits: hits)
    }
}

extension LiveRecorder: LiveSink where Next: LiveSink & ~Copyable {
    mutating func drained(_ progress: borrowing some LiveProgress & ~Copyable) -> Bool {
        writer?.tick(at: progress.settled)
        return next.drained(progress)
    }

    mutating func resized() {
        next.resized()
    }
}
