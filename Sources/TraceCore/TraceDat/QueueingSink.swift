// SPDX-License-Identifier: Apache-2.0

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
