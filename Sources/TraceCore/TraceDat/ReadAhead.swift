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

    /// Returns when the sink has been told everything.
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
