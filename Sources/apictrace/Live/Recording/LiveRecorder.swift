// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// Passes what live tracing tells on, and writes it as well if that is wanted: to one file, or in parts. What can't be written ends the
/// file and nothing else.
struct LiveRecorder<Next: EventSink & ~Copyable>: EventSink, ~Copyable {
    var next: Next
    private var part: RecordedPart?
    /// Nil where one file holds all.
    private var parts: (any RecordingParts)?
    /// Where this part ends and the next one begins, which the source was asked to tell all anew from.
    private var mark: RecordingMark?
    private(set) var wantsAllAnew = false
    /// Time of that; .max for none.
    private var cut = UInt64.max
    /// Gaps that were reported in this part and reach into the next.
    private var straddling: [EventGap] = []
    /// Events of all gaps that were reported.
    private var lostInGaps: UInt64 = 0
    private let clock: () -> UInt64
    private var saved: UInt64
    private var saves = 0
    private var isFailureTold = false

    /// Nanoseconds after which all that came is in the file; every other time it is sent to the disk.
    private static var interval: UInt64 { 500_000_000 }

    /// Without a recording, as long as none begins.
    /// - Parameter clock: that of the events, in nanoseconds.
    init(_ next: consuming Next, clock: @escaping () -> UInt64 = { MonotonicClock.now }) {
        self.next = next
        self.clock = clock
        saved = clock()
    }

    /// - Parameters:
    ///   - path: nil for no file, `-` for standard output.
    ///   - countsHits: hits are counted in the kernel beside the records: they go to the file now and then, should it never be
    ///     completed.
    init(
        _ next: consuming Next, path: String?, info: TraceInfo, countsHits: Bool = true
    ) throws(TraceWriterError) {
        self.init(next)
        guard let path else { return }
        let writer =
            path == "-"
            ? try TraceWriter(outlet: STDOUT_FILENO, name: "standard output", info: info)
            : try TraceWriter(path: path, info: info)
        part = RecordedPart(writer, from: RecordingMark(), countsHits: countsHits)
    }

    /// Records in parts from now on.
    mutating func begin(_ parts: any RecordingParts) throws(TraceWriterError) {
        part = try parts.begin(at: RecordingMark(time: clock()))
        self.parts = parts
    }

    /// Nothing was traced.
    mutating func abandon() {
        parts?.abandon(part.take())
    }

    // MARK: - Items

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        record(item, at: stamp)
        next.take(item, at: stamp)
    }

    @inline(__always)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        if stamp.time >= cut { changeOver() }
        part?.event(event, at: stamp)
        next.event(event, at: stamp)
    }

    private mutating func record(_ item: TraceItem, at stamp: EventStamp) {
        if stamp.time >= cut { changeOver() }
        if case .lost(let gap) = item { note(gap) }
        guard part != nil else { return }
        part?.take(item, at: stamp)
        guard case .fact(.process) = item, let command = SystemFile.text("/proc/\(stamp.tid)/comm") else { return }
        part?.take(.fact(.command(Comm(command))), at: stamp)
    }

    private mutating func note(_ gap: EventGap) {
        lostInGaps &+= gap.events ?? 0
        if gap.to.map({ $0 >= cut }) ?? (mark != nil) { straddling.append(gap) }
    }

    // MARK: - Parts

    /// The next part begins with the item that comes now. What a gap has lost is counted in the part that it began in; the next one
    /// is told of the gap too.
    private mutating func changeOver() {
        guard let mark, let parts else { return }
        (self.mark, cut) = (nil, .max)
        part = parts.next(after: part.take(), at: mark)
        for gap in straddling {
            var rest = gap
            (rest.from, rest.events) = (mark.time, nil)
            part?.take(.lost(rest), at: rest.stamp)
        }
        straddling = []
    }

    private func mark(at time: UInt64, _ totals: TraceTotals) -> RecordingMark {
        RecordingMark(time: time, totals, lostInGaps: lostInGaps)
    }

    /// Completes the file, the last one of many.
    /// - Throws: what went wrong with any of them.
    mutating func finish(_ totals: TraceTotals) throws(TraceWriterError) {
        let end = mark(at: clock(), totals)
        guard let parts else {
            try part?.finish(at: end, knowsLosses: totals.overrun != nil)
            return
        }
        try parts.finish(part.take(), at: end)
    }

    private mutating func save(_ progress: borrowing some LiveProgress & ~Copyable) {
        // A recording begins with the first thing that came, as the report does.
        if progress.base != nil { record(.fact(.tick), at: EventStamp(time: progress.settled, cpu: 0, tid: 0)) }
        let now = clock()
        guard part != nil, now - saved >= Self.interval else { return }
        saved = now
        part?.save(hits: progress.totals().byName)
        saves += 1
        if saves.isMultiple(of: 2) { part?.sync() }
        guard parts == nil, !isFailureTold, let failure = part?.failure else { return }
        isFailureTold = true
        let rest = part?.canGoOn == true ? "" : "; the recording ends here, and tracing goes on"
        // It is reported once more at the end.
        Terminal.mention("\(failure)\(rest)")
    }
}

extension LiveRecorder: LiveSink where Next: LiveSink & ~Copyable {
    mutating func drained(_ progress: borrowing some LiveProgress & ~Copyable) -> Bool {
        save(progress)
        let goesOn = next.drained(progress)
        if let parts { look(progress, parts) }
        return goesOn
    }

    private mutating func look(_ progress: borrowing some LiveProgress & ~Copyable, _ parts: any RecordingParts) {
        let now = clock()
        if let grade = next.takeNews() { parts.found(grade, now: now) }
        if let failure = part?.failure, let broken = part.take() {
            parts.giveUp(broken, for: failure, at: mark(at: now, progress.totals()), now: now)
        }
        parts.look(at: &part, now: now)
        wantsAllAnew = mark == nil && parts.wantsNext(after: part?.progress, now: now)
    }

    mutating func willBeToldAnew(from time: UInt64, _ totals: TraceTotals) {
        mark = mark(at: time, totals)
        cut = time
        wantsAllAnew = false
    }

    /// What was found when the trace was over counts as well.
    mutating func noteLastNews() {
        if let parts, let grade = next.takeNews() { parts.found(grade, now: clock()) }
    }

    var sleepers: [Int32] { next.sleepers }

    mutating func takeNews() -> Grade? { next.takeNews() }

    mutating func resized() {
        next.resized()
    }

    mutating func pressed(_ key: Keyboard.Key) {
        next.pressed(key)
    }
}
