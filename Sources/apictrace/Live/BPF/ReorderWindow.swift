// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Puts the ring's records in order of time, by a bound that needs no guess at a delay.
///
/// A probe reserves its place first and takes the time after: a record with a time below that of a committed one had
/// its place before that one was committed. So once everything is read that was reserved when a drain ended, nothing
/// older than what that drain had read can follow.
///
/// The records stay in the ring until they are due: what waits here is where they lie.
struct ReorderWindow {
    struct Entry {
        let time: UInt64
        /// Of its record in the ring; ``none`` for what is no record.
        let position: UInt64

        static let none = UInt64.max
    }

    /// In order of time; the first ``due`` of them may go.
    private(set) var entries: [Entry] = []
    private(set) var due = 0
    /// Latest time read so far, and what it was at the end of the drain that the bound refers to.
    private var latest: UInt64 = 0
    private var bound: (latest: UInt64, position: UInt64, time: UInt64)?
    /// A time up to which every item has become due.
    private(set) var settled: UInt64 = 0

    mutating func insert(_ time: UInt64, at position: UInt64) {
        latest = max(latest, time)
        entries.append(Entry(time: time, position: position))
        // Nearly sorted already: an entry passes a neighbour or two, if any.
        var index = entries.endIndex - 1
        while index > due, entries[index - 1].time > time {
            entries.swapAt(index, index - 1)
            index -= 1
        }
    }

    /// Gaps that begin at one time, which may be well before the latest records.
    mutating func insertHoles(_ count: Int, at time: UInt64) {
        guard count > 0 else { return }
        var index = entries.endIndex
        while index > due, entries[index - 1].time > time { index -= 1 }
        let gap = Entry(time: time, position: Entry.none)
        entries.insert(contentsOf: repeatElement(gap, count: count), at: index)
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
            while due < entries.count, entries[due].time <= settled { due += 1 }
        }
        bound = (latest, produced, time)
    }

    /// No probe runs any more: everything is due.
    mutating func end() {
        due = entries.count
    }

    /// What was due is gone.
    /// - Returns: the position of the first record in the ring that still waits, ``Entry/none`` for none.
    mutating func removeDue() -> UInt64 {
        entries.removeFirst(due)
        due = 0
        return entries.reduce(Entry.none) { min($0, $1.position) }
    }
}
