// SPDX-License-Identifier: Apache-2.0
import CBPF
import TraceCore

/// One record of the ring, decoded, or a hole that the drop counters showed: what waits in the ``ReorderWindow``.
///
/// Trivially copyable throughout, hence the one record that is decoded only when it leaves.
struct LiveItem {
    enum Content {
        case event(KVMEvent)
        /// With the vCPU's row of ``MappedExitCounts``, from 1 on.
        case state(VCPUState, row: UInt32)
        case lapic(probe_lapic_words)
        case command(probe_command)
        case lost(EventGap)
    }

    var stamp: EventStamp
    /// The thread's process, 0 for a hole.
    var process: Int32
    var content: Content

    func deliver(to sink: inout some LiveEventSink & ~Copyable) {
        switch content {
        case .event(let event): sink.event(event, at: stamp)
        case .state(let state, _): sink.state(state, at: stamp)
        case .lapic(let record): sink.lapic(LAPICReading(record), at: stamp)
        case .command(let record): sink.command(String(record), of: process)
        case .lost(let gap): sink.lost(gap)
        }
    }
}
