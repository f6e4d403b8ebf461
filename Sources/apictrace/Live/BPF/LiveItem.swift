// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// A record of the ring, decoded.
struct LiveItem {
    /// Of a process, not of its thread, where the item is a command.
    var stamp: EventStamp
    /// The thread's process, 0 where the record doesn't say.
    var process: Int32
    var item: TraceItem
    /// The row of ``MappedExitCounts`` that the item is about, from 1 on; 0 for none.
    var row: UInt32 = 0
}
