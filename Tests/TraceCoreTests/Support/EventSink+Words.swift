// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A source's items in a word each, for traces that are written by hand.
extension EventSink where Self: ~Copyable {
    mutating func lost(_ gap: EventGap) { take(.lost(gap), at: gap.stamp) }
    mutating func fact(_ fact: LiveFact, at stamp: EventStamp) { take(.fact(fact), at: stamp) }
    mutating func state(_ state: VCPUState, at stamp: EventStamp) { fact(.state(state), at: stamp) }
    mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) { fact(.lapic(reading), at: stamp) }
    mutating func tick(at time: UInt64) { fact(.tick, at: EventStamp(time: time, cpu: 0, tid: 0)) }
    mutating func thread(_ tid: Int32, of process: Int32) { fact(.process(process), at: thread(tid)) }
    mutating func command(_ command: String, of tid: Int32) { fact(.command(Comm(command)), at: thread(tid)) }
    mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {
        fact(.exits(reason, count: count), at: thread(tid))
    }

    private func thread(_ tid: Int32) -> EventStamp { EventStamp(time: 0, cpu: 0, tid: tid) }
}
