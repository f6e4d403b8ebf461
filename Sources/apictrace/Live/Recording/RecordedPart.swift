// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What the source knew at one moment that ended a part of the recording and began the next, or both.
struct RecordingMark: Sendable {
    /// Time from which on items belong to the next part, in nanoseconds of the source's clock.
    var time: UInt64 = 0
    /// Hits in the kernel, by tracepoint.
    var hits: [String: UInt64] = [:]
    /// Events lost beyond those of the gaps that were reported until then: below zero where gaps were reported first.
    var lostBeyondGaps: Int64 = 0

    /// Where tracing begins.
    init(time: UInt64 = 0) {
        self.time = time
    }

    /// - Parameter lostInGaps: events of all gaps that were reported until now.
    init(time: UInt64, _ totals: TraceTotals, lostInGaps: UInt64) {
        self.time = time
        hits = totals.byName
        lostBeyondGaps = Int64(clamping: totals.overrun ?? lostInGaps) - Int64(clamping: lostInGaps)
    }
}

/// A part of what is recorded, which is a recording by itself: mostly one file, and all of it where there is one file for all.
///
/// Its counts are of its own time, so that those of all parts add up to the whole's.
struct RecordedPart: ~Copyable, Sendable {
    /// How far it has come.
    struct Progress {
        /// Time of its mark.
        var begin: UInt64
        /// Bytes of its file.
        var size: UInt64
        var records: UInt64
    }

    private(set) var writer: TraceWriter
    let begin: RecordingMark
    /// Events and gaps in it.
    private(set) var records: UInt64 = 0
    private var lostInGaps: UInt64 = 0
    /// Nil in memory.
    private let disk: DiskSync?
    private let countsHits: Bool

    /// - Parameters:
    ///   - isOnDisk: what is in it is to be sent to the disk itself now and then.
    ///   - countsHits: hits are counted in the kernel beside the records.
    init(_ writer: consuming TraceWriter, from begin: RecordingMark, isOnDisk: Bool = true, countsHits: Bool) {
        disk = isOnDisk ? writer.sync() : nil
        self.writer = writer
        self.begin = begin
        self.countsHits = countsHits
    }

    var name: String { writer.name }
    var progress: Progress { Progress(begin: begin.time, size: writer.size, records: records) }
    /// Whatever came is in the file, though the disk may have lost some of it.
    var canGoOn: Bool { writer.failure == nil }
    /// What ended it before its time, or lost something of it.
    var failure: TraceWriterError? { writer.failure ?? disk?.failure }

    @inline(__always)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        records &+= 1
        writer.event(event, at: stamp)
    }

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event: records &+= 1
        case .lost(let gap):
            records &+= 1
            lostInGaps &+= gap.events ?? 0
        case .fact: break
        }
        writer.take(item, at: stamp)
    }

    /// Writes all that came so far.
    /// Nothing for one in memory.
    mutating func save(hits: [String: UInt64]) {
        if disk != nil { writer.save(hits: hitsSinceBegin(hits)) }
    }

    /// Nothing comes to it any more: another part may take it.
    mutating func end() {
        writer.end()
    }

    /// Takes what a part in memory holds, which came before what is in here.
    /// - Parameter pages: at most.
    /// - Returns: whether that was all of it.
    mutating func take(_ pages: Int, from part: inout RecordedPart) -> Bool {
        guard writer.take(pages, from: &part.writer) else { return false }
        records &+= part.records
        lostInGaps &+= part.lostInGaps
        return true
    }

    /// The next part in memory after this one.
    func next(memory descriptor: Int32, from begin: RecordingMark) -> RecordedPart {
        RecordedPart(writer.next(memory: descriptor), from: begin, isOnDisk: false, countsHits: countsHits)
    }

    func sync() {
        disk?.start()
    }

    /// Completes the file.
    /// - Parameters:
    ///   - end: where it ends.
    ///   - knowsLosses: the source keeps count of them.
    mutating func finish(at end: RecordingMark, knowsLosses: Bool = true) throws(TraceWriterError) {
        var totals = TraceTotals()
        if knowsLosses {
            let lost = Int64(clamping: lostInGaps) + end.lostBeyondGaps - begin.lostBeyondGaps
            totals.overrun = max(lostInGaps, UInt64(clamping: lost))
        }
        try writer.finish(totals, hits: hitsSinceBegin(end.hits))
        if let failure = disk?.failure { throw failure }
    }

    private func hitsSinceBegin(_ hits: [String: UInt64]) -> [String: UInt64]? {
        guard countsHits else { return nil }
        return hits.reduce(into: [:]) { $0[$1.key] = $1.value &- (begin.hits[$1.key] ?? 0) }
    }
}
