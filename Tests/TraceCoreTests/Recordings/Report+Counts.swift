// SPDX-License-Identifier: Apache-2.0

@testable import TraceCore

extension Report.APICAccesses {
    var total: UInt64 { (reads ?? 0) + (writes ?? 0) }
}

extension Report.LevelCounts {
    var total: UInt64 { (l1 ?? 0) + (l2 ?? 0) + (unknown ?? 0) }
}

extension Report.VCPU {
    /// Vectors acknowledged at a level, those that were.
    func acknowledged(_ level: KeyPath<Report.LevelCounts, UInt64?>) -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for line in interrupts {
            if let count = line.acknowledged[keyPath: level], count > 0 { counts[line.vector] = count }
        }
        return counts
    }
}
