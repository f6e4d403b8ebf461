// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Synchronization

/// Batches on their way from the thread that reads to the one that analyses; each waits for the other where it must.
///
/// A batch that has been told goes back to be filled again, so that as many exist as fit in the queue and two more.
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

    /// Takes a batch to be told.
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

    /// Takes back a batch that was told.
    /// - Parameter wait: called every now and then while there is none: of records that nobody hears of many go by.
    /// - Returns: the next one; nil at the end.
    func next(after told: consuming EventBatch, wait: () -> Void) -> EventBatch? {
        while full.wait(timeout: .now() + Self.beat) == .timedOut { wait() }
        var told = told
        told.clear()
        let next = batches.withLock { batches in
            batches.spare.append(told)
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
