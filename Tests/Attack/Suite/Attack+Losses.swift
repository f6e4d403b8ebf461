// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Records are missing, as when a buffer was full: with a mark or, as no recorder should, without.
extension Attack {
    static let losses: [Attack] = [
        Attack(
            name: "gap", variants: { $0.items.isEmpty ? 0 : unlimited },
            change: { recording, _, random, _ in recording.lose(gaps: 1, &random) }),
        Attack(
            name: "gaps", variants: { $0.items.isEmpty ? 0 : unlimited },
            change: { recording, _, random, _ in
                recording.lose(gaps: Int.random(in: 2...9, using: &random), &random)
            }),
        Attack(
            name: "burst", variants: { $0.items.isEmpty ? 0 : unlimited },
            change: { recording, _, random, _ in
                let start = Int.random(in: 0..<recording.items.count, using: &random)
                let length = Int.burst(in: recording, &random)
                return recording.thin("records \(start) to \(start + length - 1)") { index, _ in
                    (start..<(start + length)).contains(index)
                }
            }),
        Attack(
            name: "single", variants: { $0.items.count },
            change: { recording, number, _, _ in
                recording.thin("record \(number)") { index, _ in index == number }
            }),
        Attack(
            name: "every-nth", variants: { _ in unlimited },
            change: { recording, number, random, _ in
                let step = [2, 3, 4, 5, 7, 10, 20, 50, 100, 500][number % 10]
                let phase = Int.random(in: 0..<step, using: &random)
                return recording.thin("each \(step)th record") { index, _ in index % step == phase }
            }),
        Attack(
            name: "scattered", variants: { _ in unlimited },
            change: { recording, number, random, _ in
                let share = [2, 5, 10, 50, 200][number % 5]
                let gone = Set(recording.items.indices.filter { _ in Int.random(in: 0..<share, using: &random) == 0 })
                return recording.thin("one in \(share) records") { index, _ in gone.contains(index) }
            }),
        Attack(
            name: "cpu", variants: { $0.cpus.count > 1 ? $0.cpus.count * 2 : 0 },
            change: { recording, number, _, _ in
                let cpus = recording.cpus
                guard cpus.indices.contains(number / 2) else { return false }
                let cpu = cpus[number / 2]
                if number % 2 == 0 { return recording.thin("CPU \(cpu)") { $1.stamp.cpu == cpu } }
                return recording.thin("all CPUs but \(cpu)") { $1.stamp.cpu != cpu }
            }),
        Attack(
            name: "thread", variants: { $0.tids.count > 1 ? $0.tids.count * 2 : 0 },
            change: { recording, number, _, _ in
                let tids = recording.tids
                guard tids.indices.contains(number / 2) else { return false }
                let tid = tids[number / 2]
                if number % 2 == 0 { return recording.thin("thread \(tid)") { !$1.isGap && $1.stamp.tid == tid } }
                return recording.thin("all threads but \(tid)") { !$1.isGap && $1.stamp.tid != tid }
            }),
    ]
}

extension HeldRecording {
    var cpus: [Int32] { Set(items.map(\.stamp.cpu)).sorted() }
    var tids: [Int32] { Set(items.filter { !$0.isGap }.map(\.stamp.tid)).sorted() }

    /// Nothing tells of what is missing. False where nothing is, or everything.
    fileprivate mutating func thin(_ what: String, where isGone: (Int, Item) -> Bool) -> Bool {
        let before = items.count
        keep { !isGone($0, $1) }
        guard items.count < before, !items.isEmpty else { return false }
        changes.insert(.thinned)
        descriptions.append("without \(what)")
        reconsiderLoss()
        return true
    }

    /// A CPU's records are missing for a while, and a gap says so.
    fileprivate mutating func lose(gaps: Int, _ random: inout TestRandom) -> Bool {
        for _ in 0..<gaps {
            guard let cpu = items.randomElement(using: &random)?.stamp.cpu else { return false }
            let indices = items.indices.filter { items[$0].stamp.cpu == cpu && !items[$0].isGap }
            guard indices.count > 1 else { return false }
            let start = Int.random(in: indices.indices, using: &random)
            let length = min(Int.burst(in: self, &random), indices.count - start)
            let gone = Set(indices[start..<(start + length)])
            let gap = EventGap(
                instance: 0, cpu: cpu, from: start > 0 ? items[indices[start - 1]].stamp.time : nil,
                to: start + length < indices.count ? items[indices[start + length]].stamp.time : nil,
                events: Bool.random(using: &random) ? UInt64(length) : nil)
            let stamp = EventStamp(time: gap.from ?? items[indices[start]].stamp.time, cpu: cpu, tid: 0)
            keep { index, _ in !gone.contains(index) }
            // Told as soon as it begins, as a source does.
            items.insert(Item(content: .lost(gap), stamp: stamp), at: start > 0 ? indices[start - 1] + 1 : 0)
            totals.overrun = totals.overrun.map { $0 + UInt64(length) }
            descriptions.append("lost \(length) records of CPU \(cpu) from \(start)")
        }
        changes.insert(.lost)
        reconsiderLoss()
        return true
    }

    /// Gaps as a source tells them: each from the event before it to the one behind it, and one where several meet.
    mutating func settleGaps() {
        var settled: [Item] = []
        settled.reserveCapacity(items.count)
        var (last, open) = ([:], [:]) as ([Int32: UInt64], [Int32: Int])
        for item in items {
            let cpu = item.stamp.cpu
            guard case .lost(var gap) = item.content else {
                if let index = open.removeValue(forKey: cpu), case .lost(var gap) = settled[index].content {
                    gap.to = item.stamp.time
                    settled[index].content = .lost(gap)
                }
                last[cpu] = item.stamp.time
                settled.append(item)
                continue
            }
            if let index = open[cpu], case .lost(let first) = settled[index].content {
                gap.events = first.events.flatMap { known in gap.events.map { known + $0 } }
                settled[index].content = .lost(gap)
            } else {
                open[cpu] = settled.count
                settled.append(item)
            }
            if let index = open[cpu] {
                (gap.from, gap.to) = (last[cpu], nil)
                settled[index].content = .lost(gap)
                settled[index].stamp.time = gap.from ?? settled[index].stamp.time
            }
        }
        items = settled
    }
}

extension Int {
    /// From one record up to a tenth of the recording, short ones as likely as long ones.
    fileprivate static func burst(in recording: HeldRecording, _ random: inout TestRandom) -> Int {
        let longest = Swift.max(1, recording.items.count / 10)
        let bits = Int.random(in: 0..<(Int.bitWidth - longest.leadingZeroBitCount), using: &random)
        return Swift.min(longest, 1 << bits)
    }
}
