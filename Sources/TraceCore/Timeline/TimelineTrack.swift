// SPDX-License-Identifier: Apache-2.0

/// One vCPU's part of the time line: its buckets, and what is open.
struct TimelineTrack: Sendable {
    /// An exit whose entry has not come yet. Its level is settled by then, and time and count go where they belong.
    struct OpenExit: Sendable {
        var time: UInt64
        var level: Level
        /// A HLT that L0 handled was over then.
        var woke: UInt64?
        /// An access that the exit told of goes for L1's, and may turn out to be L2's.
        var revocable: (register: APICRegister, isWrite: Bool)?
    }

    /// The vCPU did something; else nobody has this place.
    let isMade: Bool
    var buckets: BucketSeries
    /// When the guest was entered, if it runs.
    var entered: UInt64?
    var exit: OpenExit?
    /// Of the latest exit or entry; since then, where neither of them tells, nobody knows what the vCPU does.
    var latest: UInt64

    /// The chunk that is written to, and where the items of the open exit are: their level may change.
    var chunk: DetailPool.ChunkIndex?
    var chunkBefore: DetailPool.ChunkIndex?
    var exitItem: DetailPool.ItemPlace?
    var accessItem: DetailPool.ItemPlace?
    var chunks: UInt32 = 0
    /// The next chunk stays, for what happened at the end of this one.
    var pinsNext = false
    /// Moments of a kind that are kept whole, whatever findings come of them: the first of each.
    var pins = InlineArray<32, UInt8>(repeating: 0)

    /// What it sent last, for who accepts it.
    var sent: (vector: UInt8, time: UInt64)?

    init() {
        isMade = false
        buckets = BucketSeries(origin: 0, at: 0)
        latest = 0
    }

    init(origin: UInt64, at time: UInt64) {
        isMade = true
        buckets = BucketSeries(origin: origin, at: time)
        latest = time
    }

    /// Goes on in a new chunk. Returns the one that is no longer in use by now.
    mutating func begin(_ new: DetailPool.ChunkIndex) -> DetailPool.ChunkIndex? {
        let before = chunkBefore
        (chunkBefore, chunk) = (chunk, new)
        chunks &+= 1
        pinsNext = false
        if exitItem?.chunk == before { exitItem = nil }
        if accessItem?.chunk == before { accessItem = nil }
        return before
    }

    /// The guest is left.
    @inline(__always)
    mutating func exited(level: Level, at time: UInt64, limit: Int) {
        // Without an entry in between nobody knows how long the exit was handled.
        if exit != nil { settle(until: time, closing: .unknown) }
        buckets.advance(to: time, limit: limit)
        exit = OpenExit(time: time, level: level)
    }

    /// The guest is entered: what was done since the last time is known by now.
    @inline(__always)
    mutating func entered(at time: UInt64, limit: Int) {
        buckets.advance(to: time, limit: limit)
        settle(until: time, closing: nil)
        entered = time
    }

    /// Gives time and count of what is open to where they belong.
    ///
    /// - Parameter closing: what the vCPU did since the open exit, where that was not to handle it.
    @inline(__always)
    mutating func settle(until time: UInt64, closing: Timeline.Bucket.Activity?) {
        guard let exit else {
            buckets.spend(.unknown, from: entered ?? latest, to: time)
            entered = nil
            return pause(until: time)
        }
        buckets.change(at: exit.time) { $0[.exits, exit.level] &+= 1 }
        buckets.spend(entered == nil ? .unknown : .guest(exit.level), from: entered ?? latest, to: exit.time)
        pause(until: exit.time)
        var from = exit.time
        if let woke = exit.woke {
            buckets.spend(.blocked, from: from, to: woke)
            from = max(from, woke)
        }
        buckets.spend(closing ?? .l0(exit.level), from: from, to: time)
        pause(until: time)
        (self.exit, entered) = (nil, nil)
    }

    /// Nothing from here on follows from what was before.
    mutating func interrupted(at time: UInt64, limit: Int) {
        buckets.advance(to: time, limit: limit)
        // What was lost may have come at once.
        settle(until: exit == nil ? latest : max(latest, exit?.time ?? 0), closing: .unknown)
    }

    @inline(__always)
    private mutating func pause(until time: UInt64) {
        guard time > latest else { return }
        let pause = time - latest
        buckets.change(at: time) { if pause > $0.longestPause { $0.longestPause = pause } }
        latest = time
    }
}
