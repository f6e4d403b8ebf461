// SPDX-License-Identifier: Apache-2.0

/// The streams that aren't done, the one whose head is earliest at hand. Equal times: the lower index comes first.
///
/// A tournament: each inner node keeps the head that lost there, so that a new head is compared once a round, on one path, and no
/// other head is moved. Where 64 CPUs take turns at nearly every event, a heap takes half as many instructions again.
struct StreamTournament: ~Copyable {
    struct Head {
        /// Loses against everybody: a stream that is done, or a place without one.
        static let none = Head(time: .max, stream: .max)

        var time: UInt64
        var stream: Int

        @inline(__always)
        static func < (left: Head, right: Head) -> Bool {
            left.time != right.time ? left.time < right.time : left.stream < right.stream
        }
    }

    struct NodeIndex: TableIndex {
        let place: Int
        init(_ place: Int) { self.place = place }
    }

    /// The root is node 1, and the children of a node twice its index and one more. Node 0 is nobody's.
    private var losers: Table<NodeIndex, Head>
    private var winner = Head.none
    /// As many as there are streams or more: a power of two.
    private let leaves: Int

    init(times: [(stream: Int, time: UInt64)]) {
        var leaves = 1
        while leaves <= times.map(\.stream).max() ?? 0 { leaves *= 2 }
        self.leaves = leaves
        var heads = [Head](repeating: .none, count: leaves)
        for (stream, time) in times { heads[stream] = Head(time: time, stream: stream) }
        // The winners of each round, from the leaves to the root.
        var winners = [Head](repeating: .none, count: leaves) + heads
        losers = Table(repeating: .none, count: leaves)
        for node in (1..<leaves).reversed() {
            let (first, second) = (winners[2 * node], winners[2 * node + 1])
            winners[node] = first < second ? first : second
            losers[NodeIndex(node)] = first < second ? second : first
        }
        winner = winners[1]
    }

    /// The stream to go on with, and a time up to which no other has anything; nil where all are done.
    @inline(__always)
    var top: (stream: Int, limit: UInt64)? {
        guard winner.stream != .max else { return nil }
        // Whoever comes next has lost against the winner.
        var next = UInt64.max
        var node = (winner.stream + leaves) / 2
        while node > 0 {
            next = min(next, losers[NodeIndex(node)].time)
            node /= 2
        }
        return (winner.stream, max(next, 1) - 1)
    }

    /// The top stream's head is now this.
    @inline(__always)
    mutating func replaceTop(time: UInt64) {
        replay(Head(time: time, stream: winner.stream), at: winner.stream)
    }

    /// The top stream is done.
    mutating func removeTop() {
        replay(.none, at: winner.stream)
    }

    @inline(__always)
    private mutating func replay(_ head: Head, at stream: Int) {
        var best = head
        var node = (stream + leaves) / 2
        while node > 0 {
            let loser = losers[NodeIndex(node)]
            if loser < best {
                losers[NodeIndex(node)] = best
                best = loser
            }
            node /= 2
        }
        winner = best
    }
}
