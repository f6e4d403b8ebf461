// SPDX-License-Identifier: Apache-2.0

/// What a sink is to be told, in order: some thousand events with the few holes and facts between them.
struct EventBatch: Sendable {
    private static let capacity = 16384

    private var events: [(event: KVMEvent, stamp: EventStamp)] = []
    /// Holes and facts, and what comes before them; nil for the begin of the trace, which the stamp's time tells.
    private var others: [(before: Int, item: TraceItem?, stamp: EventStamp)] = []

    init() {
        events.reserveCapacity(Self.capacity)
    }

    var isFull: Bool { events.count + others.count >= Self.capacity }

    mutating func clear() {
        events.removeAll(keepingCapacity: true)
        others.removeAll(keepingCapacity: true)
    }

    func tell<S: EventSink & ~Copyable>(_ sink: inout S) {
        var told = 0
        for (next, item, stamp) in others {
            tell(told..<next, &sink)
            told = next
            if let item { sink.take(item, at: stamp) } else { sink.started(at: stamp.time) }
        }
        tell(told..<events.count, &sink)
    }

    private func tell<S: EventSink & ~Copyable>(_ range: Range<Int>, _ sink: inout S) {
        for (event, stamp) in events[range] { sink.take(.event(event), at: stamp) }
    }
}

extension EventBatch: EventSink {
    mutating func started(at base: UInt64) {
        others.append((events.count, nil, EventStamp(time: base, cpu: 0, tid: 0)))
    }

    @inline(__always)
    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        if case .event(let event) = item {
            events.append((event, stamp))
        } else {
            others.append((events.count, item, stamp))
        }
    }
}
