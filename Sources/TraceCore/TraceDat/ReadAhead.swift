// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// One pass over a trace's records on a thread of its own, some thousand events ahead of the sink.
final class ReadAhead: Sendable {
    /// How far the reading thread has come.
    private final class Mark: Sendable {
        let bytes = Atomic<UInt64>(0)
    }

    private let reading: Mutex<TraceReading>
    private let queue = BatchQueue()
    private let mark: Mark
    private let total: UInt64

    init(_ container: TraceContainer) {
        let (mark, total) = (Mark(), container.dataSize)
        reading = Mutex(
            TraceReading(
                container,
                progress: ReadProgress(total: total) { read, _ in mark.bytes.store(read, ordering: .relaxed) }))
        self.mark = mark
        self.total = total
    }

    /// Returns when the sink has taken everything.
    func run<S: EventSink & ~Copyable>(into sink: inout S, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?) {
        DispatchQueue.global().async { [self] in
            reading.withLock { reading in
                var sink = QueueingSink(queue)
                reading.merge.run(into: &sink)
                sink.finish()
            }
        }
        func showProgress() { progress?(mark.bytes.load(ordering: .relaxed), total) }
        var batch = EventBatch()
        while let next = queue.next(after: batch, wait: showProgress) {
            next.tell(&sink)
            showProgress()
            batch = next
        }
    }

    func totals(_ container: TraceContainer) -> TraceTotals {
        reading.withLock { $0.totals(container) }
    }
}

/// Batches on their way from the thread that reads to the one that analyses; each waits for the other where it must.
///
/// A batch that has been delivered goes back to be filled again, so that as many exist as fit in the queue and two more.
final class BatchQueue: Sendable {
    private static let length = 2
    /// Between two calls while nothing comes.
    private static let beat = DispatchTimeInterval.milliseconds(200)

    private struct Batches: Sendable {
        var full: [EventBatch] = []
        var spare: [EventBatch] = []
    }

    private let batches = Mutex(Batches())
    private let full = DispatchSemaphore(value: 0)
    private let room = DispatchSemaphore(value: length)

    /// Takes a batch to be delivered.
    /// - Returns: an empty one.
    func put(_ batch: consuming EventBatch) -> EventBatch {
        room.wait()
        let batch = batch
        let spare = batches.withLock { batches in
            batches.full.append(batch)
            return batches.spare.popLast()
        }
        full.signal()
        return spare ?? EventBatch()
    }

    /// Takes back a batch that was delivered.
    /// - Parameter wait: called every now and then while there is none: of records that nobody hears of many go by.
    /// - Returns: the next one; nil at the end.
    func next(after reported: consuming EventBatch, wait: () -> Void) -> EventBatch? {
        while full.wait(timeout: .now() + Self.beat) == .timedOut { wait() }
        var reported = reported
        reported.clear()
        let next = batches.withLock { batches in
            batches.spare.append(reported)
            return batches.full.isEmpty ? nil : batches.full.removeFirst()
        }
        room.signal()
        return next
    }

    /// Nothing more comes.
    func close() {
        full.signal()
    }
}

/// The sink of the thread that reads: fills batches for another thread's sink.
struct QueueingSink: EventSink, ~Copyable {
    private let queue: BatchQueue
    private var batch = EventBatch()

    init(_ queue: BatchQueue) {
        self.queue = queue
    }

    mutating func started(at base: UInt64) { batch.started(at: base) }

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        batch.take(item, at: stamp)
        handOverIfFull()
    }

    /// The trace is over.
    mutating func finish() {
        handOver()
        queue.close()
    }

    @inline(__always)
    private mutating func handOverIfFull() {
        if batch.isFull { handOver() }
    }

    @inline(never)
    private mutating func handOver() {
        batch = queue.put(batch)
    }
}

/// What a sink is to take, in order: some thousand events with the few gaps and facts between them.
struct EventBatch: Sendable {
    private static let capacity = 16384

    private var events: [(event: KVMEvent, stamp: EventStamp)] = []
    /// Gaps and facts, and what comes before them; nil for the begin of the trace, which the stamp's time tells.
    private var others: [(before: Int, item: TraceItem?, stamp: EventStamp)] = []

    init() {
        events.reserveCapacity(Self.capacity)
    }

    var isFull: Bool { events.count + others.count >= Self.capacity }

    mutating func clear() {
        events.removeAll(keepingCapacity: true)
        others.removeAll(keepingCapacity: true)
    }

    func tell<S: EventSink & ~Copyable>(_ sink: inout S) {
        var reported = 0
        for (next, item, stamp) in others {
            tell(reported..<next, &sink)
            reported = next
            if let item { sink.take(item, at: stamp) } else { sink.started(at: stamp.time) }
        }
        tell(reported..<events.count, &sink)
    }

    private func tell<S: EventSink & ~Copyable>(_ range: Range<Int>, _ sink: inout S) {
        for (event, stamp) in events[range] { sink.take(.event(event), at: stamp) }
    }
}

extension EventBatch: EventSink {
    mutating func started(at base: UInt64) {
        others.append((events.count, nil, EventStamp(time: base, cpu: 0, tid: 0)))
    }

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        if case .event(let event) = item {
            events.append((event, stamp))
        } else {
            others.append((events.count, item, stamp))
        }
    }
}
