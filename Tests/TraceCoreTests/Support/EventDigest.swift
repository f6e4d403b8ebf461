// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// Every event with its stamp, in order, boiled down to a number: for streams that are too long to keep.
struct EventDigest: EventSink, Equatable {
    private var hash: UInt64 = 0
    private(set) var events = 0
    private(set) var gaps = 0

    init() {}

    /// Of a whole recording.
    init(of path: String, threads: Int = 1) throws {
        var file = try Recording(path: path)
        _ = try file.read(into: &self, threads: threads)
    }

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): add(event, stamp)
        case .lost: gaps += 1
        case .fact: break
        }
    }

    private mutating func add(_ event: KVMEvent, _ stamp: EventStamp) {
        let fields = EventFields(event)
        add(UInt64(fields.kind.rawValue) << 8 | UInt64(fields.present))
        for index in fields.values.indices { add(fields.values[index]) }
        add(stamp.time)
        add(UInt64(truncatingIfNeeded: stamp.cpu) << 32 | UInt64(truncatingIfNeeded: stamp.tid))
        events += 1
    }

    private mutating func add(_ word: UInt64) { hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15 ^ hash >> 29 }
}
