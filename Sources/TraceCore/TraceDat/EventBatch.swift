// SPDX-License-Identifier: Apache-2.0

/// What a sink is to be told, in order: some thousand events with the few holes and facts between them.
struct EventBatch: Sendable {
    private static let capacity = 16384

    /// What comes before the event at an index.
    private enum Interlude: Sendable {
        case started(base: UInt64)
        case lost(EventGap)
        case fact(LiveFact, EventStamp)
    }

    private var events: [(event: KVMEvent, stamp: EventStamp)] = []
    private var interludes: [(before: Int, Interlude)] = []

    init() {
        events.reserveCapacity(Self.capacity)
    }

    var isFull: Bool { events.count + interludes.count >= Self.capacity }

    mutating func clear() {
        events.removeAll(keepingCapacity: true)
        interludes.removeAll(keepingCapacity: true)
    }

    func tell<S: EventSink & ~Copyable>(_ sink: inout S) {
        var told = 0
        for (next, interlude) in interludes {
            tell(told..<next, &sink)
            told = next
            switch interlude {
            case .started(let base): sink.started(at: base)
            case .lost(let gap): sink.lost(gap)
            case .fact(let fact, let stamp): sink.fact(fact, at: stamp)
            }
        }
        tell(told..<events.count, &sink)
    }

    private func tell<S: EventSink & ~Copyable>(_ range: Range<Int>, _ sink: inout S) {
        for (event, stamp) in events[range] { sink.event(event, at: stamp) }
    }
}

extension EventBatch: EventSink {
    mutating func started(at base: UInt64) { interludes.append((events.count, .started(base: base))) }
    mutating func event(_ event: KVMEvent, at stamp: EventStamp) { events.append((event, stamp)) }
    mutating func lost(_ gap: EventGap) { interludes.append((events.count, .lost(gap))) }
    mutating func fact(_ fact: LiveFact, at stamp: EventStamp) { interludes.append((events.count, .fact(fact, stamp))) }
}
