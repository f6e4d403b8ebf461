// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// Passes what live tracing tells on, and writes it to a file as well if one is wanted. What can't be written ends the recording
/// and nothing else.
struct LiveRecorder<Next: EventSink & ~Copyable>: EventSink, ~Copyable {
    var next: Next
    private var writer: TraceWriter?
    private let disk: DiskSync?
    /// Hits are counted in the kernel beside the records.
    private let countsHits: Bool
    private var saved = MonotonicClock.now
    private var saves = 0
    private var isFailureTold = false

    /// Nanoseconds after which all that came is in the file; every other time it is sent to the disk.
    private static var interval: UInt64 { 500_000_000 }

    /// - Parameters:
    ///   - path: nil for no file, `-` for standard output.
    ///   - countsHits: they go to the file now and then, should it never be completed.
    init(
        _ next: consuming Next, path: String?, info: TraceInfo, countsHits: Bool = true
    ) throws(TraceWriterError) {
        switch path {
        case nil: writer = nil
        case "-": writer = try TraceWriter(outlet: STDOUT_FILENO, name: "standard output", info: info)
        case let path?: writer = try TraceWriter(path: path, info: info)
        }
        disk = writer?.sync()
        self.countsHits = countsHits
        self.next = next
    }

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        if writer != nil { write(item, at: stamp) }
        next.take(item, at: stamp)
    }

    @inline(__always)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        if writer != nil { write(.event(event), at: stamp) }
        next.event(event, at: stamp)
    }

    private mutating func write(_ item: TraceItem, at stamp: EventStamp) {
        writer?.take(item, at: stamp)
        guard case .fact(.process) = item, let command = SystemFile.text("/proc/\(stamp.tid)/comm") else { return }
        writer?.take(.fact(.command(Comm(command))), at: stamp)
    }

    /// Completes the file.
    /// - Parameter hits: by tracepoint as counted in the kernel; nil where every hit was sent.
    mutating func finish(_ totals: TraceTotals, hits: [String: UInt64]? = nil) throws(TraceWriterError) {
        try writer?.finish(totals, hits: hits)
        if let failure = disk?.failure { throw failure }
    }

    private mutating func save(_ progress: borrowing some LiveProgress & ~Copyable) {
        // A recording begins with the first thing that came, as the report does.
        if progress.base != nil { writer?.take(.fact(.tick), at: EventStamp(time: progress.settled, cpu: 0, tid: 0)) }
        let now = MonotonicClock.now
        guard writer != nil, now - saved >= Self.interval else { return }
        saved = now
        writer?.save(hits: countsHits ? progress.totals().byName : nil)
        saves += 1
        if saves.isMultiple(of: 2) { disk?.start() }
        guard !isFailureTold, let failure = writer?.failure ?? disk?.failure else { return }
        isFailureTold = true
        let rest = writer?.failure == nil ? "" : "; the recording ends here, and tracing goes on"
        // It is reported once more at the end.
        Terminal.mention("\(failure)\(rest)")
    }
}

extension LiveRecorder: LiveSink where Next: LiveSink & ~Copyable {
    mutating func drained(_ progress: borrowing some LiveProgress & ~Copyable) -> Bool {
        save(progress)
        return next.drained(progress)
    }

    var sleepers: [Int32] { next.sleepers }

    mutating func resized() {
        next.resized()
    }

    mutating func pressed(_ key: Keyboard.Key) {
        next.pressed(key)
    }
}
