// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Keeps all that live tracing may tell, in the order in which it comes.
struct LiveTestSink: LiveEventSink {
    enum Item: Equatable {
        case event(KVMEvent, EventStamp)
        case fact(LiveFact, EventStamp)
        case lost(EventGap)
    }

    private(set) var items: [Item] = []

    mutating func event(_ event: KVMEvent, at stamp: EventStamp) { items.append(.event(event, stamp)) }
    mutating func lost(_ gap: EventGap) { items.append(.lost(gap)) }
    mutating func state(_ state: VCPUState, at stamp: EventStamp) { items.append(.fact(.state(state), stamp)) }
    mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) { items.append(.fact(.lapic(reading), stamp)) }
    mutating func ended(_ tid: Int32, process: Int32, at stamp: EventStamp) {
        items.append(.fact(.ended(process: process), stamp))
    }

    /// Told without a stamp: it has the thread's id alone.
    mutating func thread(_ tid: Int32, of process: Int32) {
        items.append(.fact(.process(process), EventStamp(time: 0, cpu: 0, tid: tid)))
    }
    mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {
        items.append(.fact(.exits(reason, count: count), EventStamp(time: 0, cpu: 0, tid: tid)))
    }
    mutating func command(_ command: String, of tid: Int32) {
        items.append(.fact(.command(command), EventStamp(time: 0, cpu: 0, tid: tid)))
    }
    mutating func tick(at time: UInt64) { items.append(.fact(.tick, EventStamp(time: time, cpu: 0, tid: 0))) }
}
