// SPDX-License-Identifier: Apache-2.0

/// The streams that aren't done, the one whose head is earliest on top. Equal times: the lower index comes first.
struct StreamHeap {
    private struct Head {
        var time: UInt64
        var stream: Int

        static func < (left: Head, right: Head) -> Bool {
            left.time != right.time ? left.time < right.time : left.stream < right.stream
        }
    }

    private var heads: [Head] = []

    init(times: [(stream: Int, time: UInt64)]) {
        heads = times.map { Head(time: $0.time, stream: $0.stream) }.sorted(by: <)
    }

    /// The stream to go on with, and the latest time of a head of its for which it stays on top.
    var top: (stream: Int, limit: UInt64)? {
        guard let top = heads.first else { return nil }
        guard heads.count > 1 else { return (top.stream, .max) }
        let next = heads.count > 2 && heads[2] < heads[1] ? heads[2] : heads[1]
        return (top.stream, top.stream < next.stream || next.time == 0 ? next.time : next.time - 1)
    }

    /// The top stream's head is now this.
    mutating func replaceTop(time: UInt64) {
        heads[0].time = time
        siftDown()
    }

    /// The top stream is done.
    mutating func removeTop() {
        heads.swapAt(0, heads.count - 1)
        heads.removeLast()
        siftDown()
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = 2 * parent + 1
            guard least < heads.count else { return }
            if least + 1 < heads.count, heads[least + 1] < heads[least] { least += 1 }
            guard heads[least] < heads[parent] else { return }
            heads.swapAt(parent, least)
            parent = least
        }
    }
}
