// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// The recording begins later, ends earlier, or both.
extension Attack {
    static let cuts: [Attack] = [
        Attack(
            name: "head", variants: { max(0, $0.items.count - 1) },
            change: { recording, number, _, _ in
                recording.cut(to: min(number + 1, recording.items.count)..<recording.items.count)
            }),
        Attack(
            name: "tail", variants: { max(0, $0.items.count - 1) },
            change: { recording, number, _, _ in
                recording.cut(to: 0..<min(number + 1, recording.items.count))
            }),
        Attack(
            name: "middle", variants: { $0.items.count > 2 ? unlimited : 0 },
            change: { recording, _, random, _ in
                let ends = (0..<2).map { _ in Int.random(in: 0..<recording.items.count, using: &random) }.sorted()
                return recording.cut(to: ends[0]..<(ends[1] + 1))
            }),
        // As --from and --to: the machine sees what comes before.
        Attack(
            name: "window", variants: { $0.items.count > 2 ? unlimited : 0 },
            change: { recording, _, random, _ in
                let events = recording.items.filter { !$0.isGap }
                let ends = (0..<2).compactMap { _ in events.randomElement(using: &random)?.stamp.time }.sorted()
                guard ends.count == 2, recording.window == nil else { return false }
                recording.window = ends[0]...ends[1]
                recording.changes.insert(.cut)
                recording.descriptions.append("--from \(ends[0] - recording.start) --to \(ends[1] - recording.start)")
                recording.reconsiderLoss()
                return true
            }),
    ]
}

extension HeldRecording {
    fileprivate mutating func cut(to range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        keep { index, _ in range.contains(index) }
        changes.insert(.cut)
        descriptions.append("records \(range.lowerBound) to \(range.upperBound - 1)")
        reconsiderLoss()
        return true
    }
}
