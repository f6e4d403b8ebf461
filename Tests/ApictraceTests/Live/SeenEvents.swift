// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Keeps everything that a source tells, by CPU, where its order is certain: two CPUs may share a nanosecond.
struct SeenEvents: EventSink {
    struct Item: Equatable {
        let item: TraceItem
        let stamp: EventStamp
    }

    private(set) var byCPU: [Int32: [Item]] = [:]
    private(set) var gaps = 0
    private(set) var isInOrder = true
    private(set) var processes: Set<Int32> = []
    private var latest: UInt64 = 0

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event, .fact(.state), .fact(.lapic): add(item, stamp)
        case .lost: gaps += 1
        case .fact(.process(let process)): processes.insert(process)
        case .fact: break
        }
    }

    /// The events of some threads, in order.
    func events(of threads: Int32...) -> [KVMEvent] {
        byCPU.values.joined().compactMap { item -> (KVMEvent, UInt64)? in
            guard case .event(let event) = item.item, threads.contains(item.stamp.tid) else { return nil }
            return (event, item.stamp.time)
        }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    var total: Int { byCPU.values.reduce(0) { $0 + $1.count } }

    private mutating func add(_ item: TraceItem, _ stamp: EventStamp) {
        byCPU[stamp.cpu, default: []].append(Item(item: item, stamp: stamp))
        isInOrder = isInOrder && stamp.time >= latest
        latest = stamp.time
    }
}
