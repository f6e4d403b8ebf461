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
        guard hasTrack(vcpu.place) else { return nil }
        let series = tracks[vcpu.place].buckets
        return Buckets(start: series.start, width: 1 << series.shift, buckets: series.all)
    }

    /// Everything that was kept of a vCPU, in the order in which it was known: few things are told late.
    public func forEachEvent(of vcpu: VCPU, _ body: (Event) throws -> Void) rethrows {
        var next: UInt32 = 0
        var last: UInt64?
        // What stands before an event and belongs to it.
        var (request, ago): (Request?, UInt64) = (nil, 0)
        for place in pool.chunks(of: vcpu.place) {
            let chunk = pool.chunks[place].number
            if chunk > next {
                try body(Event(time: last ?? pool.chunks[place].start, kind: .summarised))
                (request, ago) = (nil, 0)
            }
            next = chunk &+ 1
            var time = pool.chunks[place].start
            for index in 0..<pool.chunks[place].count {
                let item = pool.chunks[place].items[index]
                switch item.kind {
                case .requested:
                    request = Request(time: time.elapsed(since: UInt64(item.delta)), sender: VCPUIndex(Int(item.value)))
                case .late: ago = UInt64(item.delta)
                case .withdrawn: time = time.addingClamped(UInt64(item.delta))
                default:
                    time = time.addingClamped(UInt64(item.delta))
                    try body(Event(item, at: time.elapsed(since: ago), request))
                    (request, ago) = (nil, 0)
                }
            }
            last = time
        }
        if let last, tracks[vcpu.place].chunks > next {
            try body(Event(time: last, kind: .summarised))
        }
    }
}
