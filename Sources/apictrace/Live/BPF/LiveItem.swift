// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What a live source tells a sink: a record, decoded, or a hole that drop counters showed.
struct LiveItem {
    enum Content {
        case event(KVMEvent)
        /// With the vCPU's row of ``MappedExitCounts``, from 1 on.
        case state(VCPUState, row: UInt32)
        case lapic(LAPICReading)
        /// Of the thread, and of this process, if not 0; with the row as above.
        case ended(process: Int32, row: UInt32)
        /// Of the process.
        case command(String)
        case lost(EventGap)
    }

    var stamp: EventStamp
    /// The thread's process, 0 for a hole.
    var process: Int32
    var content: Content

    @inline(__always)
    func deliver(to sink: inout some LiveEventSink & ~Copyable) {
        switch content {
        case .event(let event): sink.event(event, at: stamp)
        case .state(let state, _): sink.state(state, at: stamp)
        case .lapic(let reading): sink.lapic(reading, at: stamp)
        case .ended(let process, _): sink.ended(stamp.tid, process: process, at: stamp)
        case .command(let command): sink.command(command, of: process)
        case .lost(let gap): sink.lost(gap)
        }
    }
}
