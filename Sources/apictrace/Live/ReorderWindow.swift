// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Puts the ring's records in order of time, by a bound that needs no guess at a delay.
///
/// A probe reserves its place first and takes the time after: a record with a time below that of a committed one had
/// its place before that one was committed. So once everything is read that was reserved when a drain ended, nothing
/// older than what that drain had read can follow.
struct ReorderWindow {
    /// In order of time; the first ``due`` of them may go.
    private(set) var items: [LiveItem] = []
    private(set) var due = 0
    /// Latest time read so far, and what it was at the end of the drain that the bound refers to.
    private var latest: UInt64 = 0
    private var bound: (latest: UInt64, position: UInt64, time: UInt64)?
    /// A time up to which every item has become due.
    private(set) var settled: UInt64 = 0

    mutating func insert(_ item: LiveItem) {
        latest = max(latest, item.stamp.time)
        items.append(item)
        // Nearly sorted already: an item passes a neighbour or two, if any.
        var index = items.endIndex - 1
        while index > due, items[index - 1].stamp.time > item.stamp.time {
            items.swapAt(index, index - 1)
            index -= 1
        }
    }

    /// A drain is over: what nothing can precede any more becomes due.
    ///
    /// - Parameters:
    ///   - consumed: the ring's position up to where records were read.
    ///   - produced: its position up to where records are reserved by now.
    ///   - time: a moment before `produced` was read: what comes later has later times.
    mutating func endDrain(consumed: UInt64, produced: UInt64, at time: UInt64 = 0) {
        if let reached = bound {
            guard consumed >= reached.position else { return }
            settled = max(reached.latest, reached.time)
            while due < items.count, items[due].stamp.time <= settled { due += 1 }
        }
        bound = (latest, produced, time)
    }

    /// No probe runs any more: everything is due.
    mutating func end() {
        due = items.count
    }

    mutating func removeDue() {
        items.removeFirst(due)
        due = 0
    }
}
