// SPDX-License-Identifier: Apache-2.0

/// The records that have been read and are not due yet.
///
/// perf writes the buffers of all CPUs one after the other, again and again. So what is here is a few runs of records, each in
/// the order of time, of which none has to be moved to be told in its turn. What doesn't fit goes to a file, as one run.
struct HeldRecords: ~Copyable {
    private struct Run {
        var next: Int
        var end: Int
    }

    /// Of a round of a few CPUs, which is used again and again and so stays in a CPU's cache.
    private static let smallest = 1 << 19
    private static let largest = 24 << 20
    /// Stores of two words may go so far beyond a record.
    private static let slack = 16
    /// In the order of time nobody needs more; what comes in disorder is put in order before.
    private static let mostRuns = 1 << 12

    private var base: UnsafeMutableRawPointer
    private var capacity = smallest
    /// Where the next record goes, and up to where there is room: the end, or the begin of the oldest run.
    private var filled = 0
    private var room = smallest
    /// The oldest first.
    private var runs: [Run] = []
    /// Of the record that came last; no time is earlier than the first's.
    private var latest: UInt64 = .max
    /// It belongs to the latest run, and what comes next may do so.
    private var isInRun = false
    private var spill = RecordSpill()

    init() {
        base = .allocate(byteCount: Self.smallest + Self.slack, alignment: 8)
    }

    deinit {
        base.deallocate()
    }

    var isEmpty: Bool { runs.isEmpty && spill.isEmpty }

    /// Why no file could be written: what was held was told before its turn.
    var spillFailure: String? { spill.failure }

    // MARK: - Records come

    /// Takes a record.
    /// - Returns: where its body goes.
    @inline(__always)
    mutating func hold(_ record: HeldRecord) -> UnsafeMutableRawPointer {
        let size = Int(record.size)
        if room &- filled < size { makeRoom() }
        if record.time < latest { startRun() }
        latest = record.time
        let place = base + filled
        place.storeBytes(of: record, as: HeldRecord.self)
        filled &+= size
        return place + HeldRecord.headSize
    }

    @inline(never)
    private mutating func startRun() {
        endRun()
        if runs.count >= Self.mostRuns { writeOut() }
        runs.append(Run(next: filled, end: filled))
        isInRun = true
    }

    private mutating func endRun() {
        if isInRun { runs[runs.count - 1].end = filled }
        (isInRun, latest) = (false, .max)
    }

    /// For one record more, whatever its size.
    @inline(never)
    private mutating func makeRoom() {
        endRun()
        let enough = Int(UInt16.max) + 1
        if let oldest = runs.first?.next {
            // Records are put behind the latest, or from the start on, up to the oldest.
            if filled < oldest {
                room = oldest
            } else if oldest > enough, capacity - filled < enough {
                (filled, room) = (0, oldest)
            } else {
                room = capacity
            }
            if room - filled > enough { return }
            if capacity < Self.largest { grow() } else { writeOut() }
        } else {
            (filled, room) = (0, capacity)
        }
    }

    /// To twice the size: the runs go one behind the other.
    private mutating func grow() {
        let size = min(Self.largest, 2 * capacity)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: size + Self.slack, alignment: 8)
        filled = 0
        for index in runs.indices {
            let count = runs[index].end - runs[index].next
            (larger + filled).copyMemory(from: base + runs[index].next, byteCount: count)
            runs[index] = Run(next: filled, end: filled + count)
            filled += count
        }
        base.deallocate()
        (base, capacity, room) = (larger, size, size)
    }

    /// All of it, as one run.
    private mutating func writeOut() {
        endRun()
        spill.begin()
        var order = StreamTournament(times: runs.indices.map { ($0, Self.time(base + runs[$0].next)) })
        while let (index, until) = order.top {
            let start = runs[index].next
            let time = pass(index, until: until) { _ in }
            spill.write(UnsafeRawBufferPointer(start: base + start, count: runs[index].next - start))
            if let time { order.replaceTop(time: time) } else { order.removeTop() }
        }
        spill.end()
        (filled, room) = (0, capacity)
        runs = []
    }

    // MARK: - Records are due

    /// Tells each record up to a time, in the order of time; those of one time in the order of the file.
    mutating func tell<S: EventSink & ~Copyable>(
        until limit: UInt64, by delivery: inout SampleDelivery, to sink: inout S
    ) {
        endRun()
        // What was written out came first.
        let spilled = spill.count
        var times: [(stream: Int, time: UInt64)] = []
        for index in 0..<spilled { if let time = spill.time(index) { times.append((index, time)) } }
        for index in runs.indices { times.append((spilled + index, Self.time(base + runs[index].next))) }
        times.removeAll { $0.time > limit }
        var order = StreamTournament(times: times)
        while let (stream, until) = order.top {
            let last = min(until, limit)
            let time =
                stream < spilled
                ? spill.visit(stream, until: last) { delivery.tell($0, to: &sink) }
                : pass(stream - spilled, until: last) { delivery.tell($0, to: &sink) }
            if let time, time <= limit { order.replaceTop(time: time) } else { order.removeTop() }
        }
        spill.dropTold()
        runs.removeAll { $0.next == $0.end }
        if runs.isEmpty { (filled, room) = (0, capacity) }
    }

    /// Goes past the next record of a run, and on up to a time.
    /// - Returns: the next one's time; nil at the run's end.
    @inline(__always)
    private mutating func pass(_ run: Int, until last: UInt64, _ body: (UnsafeRawPointer) -> Void) -> UInt64? {
        var next = runs[run].next
        let end = runs[run].end
        var time: UInt64
        repeat {
            body(UnsafeRawPointer(base + next))
            next &+= Int(Self.head(base + next).size)
            time = next < end ? Self.time(base + next) : .max
        } while next < end && time <= last
        runs[run].next = next
        return next < end ? time : nil
    }

    @inline(__always)
    static func head(_ record: UnsafeRawPointer) -> HeldRecord { record.load(as: HeldRecord.self) }

    @inline(__always)
    private static func time(_ record: UnsafeRawPointer) -> UInt64 { record.load(as: UInt64.self) }
}
