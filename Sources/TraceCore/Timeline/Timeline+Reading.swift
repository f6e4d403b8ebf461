// SPDX-License-Identifier: Apache-2.0

/// What outputs take from a time line, once the trace is over.
extension Timeline {
    /// A vCPU's buckets, one beside the other.
    public struct Buckets: Sendable {
        /// Of the first one, in clock units.
        public let start: UInt64
        /// Of each, a power of two.
        public let width: UInt64
        public let buckets: [Bucket]

        public var total: Bucket {
            buckets.reduce(into: Bucket()) { $0.add($1) }
        }
    }

    /// The vCPU of the report's; nil for one that did nothing which a time line shows.
    public func vcpu(_ vcpu: Report.VCPU, of vm: Report.VM) -> VCPU? {
        vcpus.first { $0.isSame(as: vcpu, of: vm) }
    }

    /// The vCPU behind a request.
    public func sender(of request: Request) -> VCPU? {
        vcpus.first { $0.place == request.sender }
    }

    public func buckets(of vcpu: VCPU) -> Buckets? {
        guard tracks.contains(vcpu.place), let series = tracks[vcpu.place]?.buckets else { return nil }
        return Buckets(start: series.start, width: 1 << series.shift, buckets: series.all)
    }

    /// Everything that was kept of a vCPU, in order.
    public func forEachEvent(of vcpu: VCPU, _ body: (Event) throws -> Void) rethrows {
        var next: UInt32 = 0
        var last: UInt64?
        for place in pool.chunks(of: vcpu.place) {
            let chunk = pool.chunks[place].number
            if chunk > next { try body(Event(time: last ?? pool.chunks[place].start, kind: .summarised)) }
            next = chunk &+ 1
            var time = pool.chunks[place].start
            var request: Request?
            for index in 0..<pool.chunks[place].count {
                let item = pool.chunks[place].items[index]
                if item.kind == .requested {
                    request = Request(
                        time: time.elapsed(since: UInt64(item.delta)), sender: VCPUIndex(Int(item.value)))
                    continue
                }
                time = time.addingClamped(UInt64(item.delta))
                guard item.kind != .withdrawn else { continue }
                var event = Event(time: time, kind: item.kind, level: item.level, value: item.value)
                (event.isSilentOrWrite, event.isMergedOrByMSR) = (item.first, item.second)
                event.request = request
                request = nil
                try body(event)
            }
            last = time
        }
        if let last, let made = tracks[vcpu.place]?.chunks, made > next {
            try body(Event(time: last, kind: .summarised))
        }
    }
}
