// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Keeps everything that a source tells, by CPU, where its order is certain: two CPUs may share a nanosecond.
struct SeenEvents: LiveEventSink {
    enum Item: Equatable {
        case event(KVMEvent, EventStamp)
        case state(VCPUState, EventStamp)
        case lapic(LAPICReading, EventStamp)
    }

    private(set) var byCPU: [Int32: [Item]] = [:]
    private(set) var holes = 0
    private(set) var isInOrder = true
    private(set) var processes: Set<Int32> = []
    private var latest: UInt64 = 0

    mutating func event(_ event: KVMEvent, at stamp: EventStamp) { add(.event(event, stamp), stamp) }
    mutating func state(_ state: VCPUState, at stamp: EventStamp) { add(.state(state, stamp), stamp) }
    mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) { add(.lapic(reading, stamp), stamp) }
    mutating func thread(_ tid: Int32, of process: Int32) { processes.insert(process) }
    mutating func lost(_ gap: EventGap) { holes += 1 }

    /// The events of some threads, in order.
    func events(of threads: Int32...) -> [KVMEvent] {
        byCPU.values.joined().compactMap { item -> (KVMEvent, UInt64)? in
            guard case .event(let event, let stamp) = item, threads.contains(stamp.tid) else { return nil }
            return (event, stamp.time)
        }.sorted { $0.1 < $1.1 }.map(\.0)
    }

    var total: Int { byCPU.values.reduce(0) { $0 + $1.count } }

    private mutating func add(_ item: Item, _ stamp: EventStamp) {
        byCPU[stamp.cpu, default: []].append(item)
        isInOrder = isInOrder && stamp.time >= latest
        latest = stamp.time
    }
}
