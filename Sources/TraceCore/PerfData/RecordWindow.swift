// SPDX-License-Identifier: Apache-2.0

/// The records of a perf.data that have been read and not been told yet, in the order of the file, and when each is due.
///
/// perf writes the buffers of all CPUs one after the other, again and again. So what is here is a few runs of records, each in
/// the order of time, of which none has to be moved to be told in its turn.
struct RecordWindow: ~Copyable {
    /// A record that is to be told.
    struct Held {
        var time: UInt64
        /// Bytes from the window's start.
        var place: Int32
        /// Index of its attribute; -1 for what is no sample.
        var attribute: Int32
    }

    private struct Run {
        var next: Int
        var end: Int
    }

    private static let smallest = 1 << 20
    /// Beyond it what is oldest has to be told, whether or not something earlier may come.
    private static let largest = 24 << 20
    /// As many as fit in the largest window where they are no shorter than a sample with a time, an id and a raw record.
    private static let mostHeld = largest / 48

    private(set) var base: UnsafeMutableRawPointer
    private var capacity = smallest
    /// Bytes that are here.
    private(set) var filled = 0
    /// Those of them whose records have been looked at.
    var scanned = 0

    private var held: [Held] = []
    private var runs: [Run] = []

    init() {
        base = .allocate(byteCount: Self.smallest, alignment: 8)
    }

    deinit {
        base.deallocate()
    }

    // MARK: - Bytes

    var free: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + filled, count: capacity - filled)
    }

    mutating func didFill(_ count: Int) {
        filled += count
    }

    /// Puts a whole record between those that were looked at and the rest, which is the begin of one.
    mutating func insert(_ record: UnsafeRawBufferPointer) {
        (base + scanned + record.count).copyMemory(from: base + scanned, byteCount: filled - scanned)
        if let bytes = record.baseAddress { (base + scanned).copyMemory(from: bytes, byteCount: record.count) }
        filled += record.count
    }

    /// Forgets what was not looked at.
    mutating func dropRest() {
        filled = scanned
    }

    /// Makes room for so many bytes more.
    /// - Returns: false where too much is here already.
    mutating func makeRoom(_ count: Int) -> Bool {
        guard held.count < Self.mostHeld else { return false }
        guard capacity - filled < count else { return true }
        let low = runs.reduce(scanned) { min($0, Int(held[$1.next].place)) }
        let live = filled - low
        if live + count > capacity / 2, capacity < Self.largest {
            let size = min(Self.largest, max(2 * capacity, live + count))
            let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
            larger.copyMemory(from: base + low, byteCount: live)
            base.deallocate()
            (base, capacity) = (larger, size)
        } else {
            guard live + count <= capacity else { return false }
            base.copyMemory(from: base + low, byteCount: live)
        }
        for index in held.indices { held[index].place -= Int32(low) }
        scanned -= low
        filled -= low
        return true
    }

    // MARK: - Records

    var isEmpty: Bool { held.isEmpty }

    @inline(__always)
    mutating func hold(_ record: Held) {
        if held.isEmpty || record.time < held[held.count - 1].time {
            runs.append(Run(next: held.count, end: held.count))
        }
        held.append(record)
        runs[runs.count - 1].end = held.count
    }

    /// The one that was held last; nil where it has been told.
    var latest: Held? { held.last }

    /// A time up to which about half of what is here is due, and something is.
    var middle: UInt64 {
        let times = runs.map { held[$0.next].time }
        let first = times.min() ?? 0
        let last = runs.reduce(first) { max($0, held[$1.end - 1].time) }
        return first + (last - first) / 2
    }

    /// Tells each record up to a time, in the order of time; those of one time in the order of the file.
    @inline(__always)
    mutating func tell<S: EventSink & ~Copyable>(
        until limit: UInt64, by delivery: inout SampleDelivery, to sink: inout S
    ) {
        var heap = StreamHeap(times: runs.enumerated().map { ($0.offset, held[$0.element.next].time) })
        while let (stream, until) = heap.top, held[runs[stream].next].time <= limit {
            var next = runs[stream].next
            let end = runs[stream].end
            let last = min(until, limit)
            repeat {
                delivery.tell(base + Int(held[next].place), held[next], to: &sink)
                next += 1
            } while next < end && held[next].time <= last
            runs[stream].next = next
            if next < end { heap.replaceTop(time: held[next].time) } else { heap.removeTop() }
        }
        dropTold()
    }

    private mutating func dropTold() {
        var kept = 0
        var left: [Run] = []
        for run in runs where run.next < run.end {
            let start = kept
            for index in run.next..<run.end {
                held[kept] = held[index]
                kept += 1
            }
            left.append(Run(next: start, end: kept))
        }
        held.removeLast(held.count - kept)
        runs = left
    }
}
