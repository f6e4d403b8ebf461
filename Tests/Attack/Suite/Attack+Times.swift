// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// A faster or slower host, and CPUs whose clocks disagree.
extension Attack {
    static let scaling = Attack(
        name: "scale", variants: { _ in factors.count },
        change: { recording, number, _, _ in
            let factor = factors[number % factors.count]
            let start = recording.start
            recording.items = recording.items.map { item in
                var item = item.timed { start + ($0 > start ? $0 - start : 0) * factor.over / factor.under }
                if case .event(.vcpuWakeup(var wakeup)) = item.content {
                    wakeup.nanoseconds = wakeup.nanoseconds &* factor.over / factor.under
                    item.content = .event(.vcpuWakeup(wakeup))
                }
                return item
            }
            recording.changes.insert(.retimed)
            recording.descriptions.append("times multiplied by \(factor.over)/\(factor.under)")
            recording.reconsiderLoss()
            return true
        })

    private static let factors: [(over: UInt64, under: UInt64)] = [(1, 2), (2, 1), (10, 1)]

    /// Each CPU's clock is off by up to 5 ms: the order on each CPU stays, that between them doesn't.
    static let skew = Attack(
        name: "skew", variants: { $0.cpus.count > 1 ? unlimited : 0 },
        change: { recording, _, random, _ in
            let offsets = Dictionary(
                uniqueKeysWithValues: recording.cpus.map { ($0, UInt64.random(in: 0...5_000_000, using: &random)) })
            let late = recording.items.map { $0.shifted(by: offsets[$0.stamp.cpu] ?? 0) }
            recording.items = late.enumerated().sorted { left, right in
                (left.element.stamp.time, left.offset) < (right.element.stamp.time, right.offset)
            }.map(\.element)
            recording.changes.insert(.retimed)
            recording.descriptions.append(
                "clocks late by \(offsets.sorted { $0.key < $1.key }.map { "\($0.value) ns" })")
            return true
        })
}
