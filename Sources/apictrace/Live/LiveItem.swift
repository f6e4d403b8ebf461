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
        /// Of the thread, and of this process, if not 0; with the row as above.
        case ended(process: Int32, row: UInt32)
        /// Of the process: 16 bytes as they lie in memory, which keep an item as small as an event makes it.
        case command(UInt64, UInt64)
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
        case .ended(let process, _): sink.ended(stamp.tid, process: process, at: stamp)
        case .command(let first, let second): sink.command(Self.name(first, second), of: process)
        case .lost(let gap): sink.lost(gap)
        }
    }

    @inline(never)
    private static func name(_ first: UInt64, _ second: UInt64) -> String {
        withUnsafeBytes(of: (first, second)) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
