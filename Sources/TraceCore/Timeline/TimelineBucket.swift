// SPDX-License-Identifier: Apache-2.0

extension Timeline {
    /// What happened on a vCPU within some stretch of time: sums, whatever the trace's length.
    public struct Bucket: Sendable {
        /// What a vCPU does. L0's work is told apart by the level that exited.
        public enum Activity: Int, CaseIterable, Sendable {
            case l1, l2, unknownLevel
            case l0ForL1, l0ForL2, l0ForUnknown
            /// In a HLT that L0 handles.
            case blocked
            /// Events were lost, or entries are not in the trace.
            case unknown

            static func guest(_ level: Level) -> Activity { [.l1, .l2, .unknownLevel][Int(level.rawValue)] }
            static func l0(_ level: Level) -> Activity { [.l0ForL1, .l0ForL2, .l0ForUnknown][Int(level.rawValue)] }
        }

        /// What is counted by level.
        public enum Counted: Int, CaseIterable, Sendable {
            case exits, accepted, acknowledged, ended
        }

        /// Who reached for L1's APIC, and how.
        public enum Access: Int, CaseIterable, Sendable {
            /// L1 by an exit, and whoever ran where that isn't known. What hardware carries out leaves no event.
            case l1, unknown
            /// L2: KVM carried it out, or handed it to L1.
            case direct, hooked
        }

        private var times = InlineArray<8, UInt64>(repeating: 0)
        private var counts = InlineArray<12, UInt32>(repeating: 0)
        private var accesses = InlineArray<8, UInt32>(repeating: 0)
        public internal(set) var ipis: UInt32 = 0
        /// The longest time without an exit or entry that ends in it.
        public internal(set) var longestPause: UInt64 = 0

        public init() {}

        /// In clock units.
        public internal(set) subscript(activity: Activity) -> UInt64 {
            @inline(__always) get { times[activity.rawValue] }
            @inline(__always) set { times[activity.rawValue] = newValue }
        }

        public internal(set) subscript(what: Counted, level: Level) -> UInt32 {
            @inline(__always) get { counts[what.rawValue * 3 + Int(level.rawValue)] }
            @inline(__always) set { counts[what.rawValue * 3 + Int(level.rawValue)] = newValue }
        }

        public internal(set) subscript(access: Access, isWrite isWrite: Bool) -> UInt32 {
            get { accesses[access.rawValue * 2 + (isWrite ? 1 : 0)] }
            set { accesses[access.rawValue * 2 + (isWrite ? 1 : 0)] = newValue }
        }

        public mutating func add(_ other: Bucket) {
            for index in times.indices { times[index] &+= other.times[index] }
            for index in counts.indices { counts[index] &+= other.counts[index] }
            for index in accesses.indices { accesses[index] &+= other.accesses[index] }
            ipis &+= other.ipis
            longestPause = max(longestPause, other.longestPause)
        }
    }
}

/// A vCPU's buckets. When there are too many, each two become one: their number stays, their width doubles.
struct BucketSeries: Sendable {
    /// Where bucket 0 begins, the same for all vCPUs: their buckets lie side by side.
    private let origin: UInt64
    /// A bucket is 2^shift clock units wide.
    private(set) var shift: UInt64 = 10
    /// Number of the first one.
    private(set) var first: UInt64
    /// Those before the latest.
    private var closed: [Timeline.Bucket] = []
    /// The latest, in place, since each exit counts there; it begins and ends at these times.
    private var latest = Timeline.Bucket()
    private var begin: UInt64
    private var end: UInt64

    init(origin: UInt64, at time: UInt64) {
        self.origin = origin
        first = time.elapsed(since: origin) >> shift
        (begin, end) = (0, 0)
        place()
    }

    var all: [Timeline.Bucket] { closed + [latest] }

    /// When the first one begins.
    var start: UInt64 { origin &+ first << shift }

    /// Time goes on.
    @inline(__always)
    mutating func advance(to time: UInt64, limit: Int) {
        if time >= end { roll(to: time, limit) }
    }

    /// The bucket of a time that has come already.
    @inline(__always)
    mutating func change(at time: UInt64, _ body: (inout Timeline.Bucket) -> Void) {
        if time >= begin { body(&latest) } else { changeClosed(at: time, body) }
    }

    @inline(never)
    private mutating func changeClosed(at time: UInt64, _ body: (inout Timeline.Bucket) -> Void) {
        let number = time.elapsed(since: origin) >> shift
        if closed.isEmpty { return body(&latest) }
        body(&closed[min(closed.count - 1, Int(clamping: number.elapsed(since: first)))])
    }

    /// The vCPU did one thing all that time, which is over.
    @inline(__always)
    mutating func spend(_ activity: Timeline.Bucket.Activity, from: UInt64, to: UInt64) {
        guard from < to else { return }
        if from >= begin { latest[activity] &+= to - from } else { divide(activity, from: from, to: to) }
    }

    /// Each bucket has its own part.
    @inline(never)
    private mutating func divide(_ activity: Timeline.Bucket.Activity, from: UInt64, to: UInt64) {
        var from = from
        while from < min(to, begin) {
            let number = from.elapsed(since: origin) >> shift
            let next = min(to, max(from + 1, number < first ? start : origin &+ (number + 1) << shift))
            changeClosed(at: from) { $0[activity] &+= next - from }
            from = next
        }
        if from < to { latest[activity] &+= to - from }
    }

    @inline(never)
    private mutating func roll(to time: UInt64, _ limit: Int) {
        while time.elapsed(since: origin) >> shift - first >= UInt64(limit) { fold() }
        let count = Int(clamping: time.elapsed(since: origin) >> shift - first)
        guard count > closed.count else { return }
        closed.append(latest)
        while closed.count < count { closed.append(Timeline.Bucket()) }
        latest = Timeline.Bucket()
        place()
    }

    /// There is room for fewer from now on.
    mutating func shrink(to limit: Int) {
        while closed.count >= limit { fold() }
    }

    private mutating func fold() {
        let all = all
        var halved: [Timeline.Bucket] = []
        halved.reserveCapacity(closed.capacity)
        for (index, bucket) in all.enumerated() {
            if halved.isEmpty || (first &+ UInt64(index)) & 1 == 0 {
                halved.append(bucket)
            } else {
                halved[halved.count - 1].add(bucket)
            }
        }
        latest = halved.removeLast()
        closed = halved
        shift += 1
        first >>= 1
        place()
    }

    private mutating func place() {
        let number = first &+ UInt64(closed.count)
        begin = origin &+ number << shift
        let (end, overflow) = begin.addingReportingOverflow(1 << shift)
        self.end = overflow ? .max : end
    }

    /// Another vCPU turned out to be this one, too.
    mutating func add(_ other: BucketSeries, limit: Int) {
        for (index, bucket) in other.all.enumerated() {
            let time = other.start &+ UInt64(index) << other.shift
            advance(to: time, limit: limit)
            change(at: time) { $0.add(bucket) }
        }
    }
}
