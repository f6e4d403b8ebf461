// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// What a report's vCPUs and a time line's buckets have in common: they must be the same.
struct TimelineSums: Equatable {
    struct VCPU: Equatable {
        var exits: [UInt64]
        var accepted: [UInt64]
        var acknowledged: [UInt64]
        var ended: [UInt64]
        var accesses: [UInt64]
        var ipis: UInt64
    }

    var vcpus: [VCPU] = []

    init(_ report: Report) {
        for vm in report.vms {
            for vcpu in vm.vcpus {
                let exits = [vcpu.exits.l1, vcpu.exits.l2, vcpu.exits.unknown].map { $0.values.reduce(0, +) }
                func sum(_ counts: KeyPath<Report.InterruptLine, Report.LevelCounts>) -> [UInt64] {
                    [\Report.LevelCounts.l1, \.l2, \.unknown].map { level in
                        vcpu.interrupts.reduce(0) { $0 + ($1[keyPath: counts][keyPath: level] ?? 0) }
                    }
                }
                let access = vcpu.apicAccess
                let counts = [access.l1, access.l2Direct, access.l2Hooked, access.l2Own]
                vcpus.append(
                    VCPU(
                        exits: exits, accepted: sum(\.accepted), acknowledged: sum(\.acknowledged), ended: sum(\.ended),
                        accesses: counts.prefix(2).flatMap { [$0.reads ?? 0, $0.writes ?? 0] }
                            + [
                                (counts[2].reads ?? 0) + (counts[3].reads ?? 0),
                                (counts[2].writes ?? 0) + (counts[3].writes ?? 0),
                            ],
                        ipis: vcpu.ipisSent ?? 0))
            }
        }
    }

    /// Of the same vCPUs, with what the report can't tell left out.
    init(_ watched: borrowing WatchedTrace) {
        for vm in watched.report.vms {
            for vcpu in vm.vcpus {
                let known = watched.timeline.vcpu(vcpu, of: vm)
                let total = known.flatMap { watched.timeline.buckets(of: $0)?.total } ?? Timeline.Bucket()
                func sum(_ what: Timeline.Bucket.Counted, _ counts: KeyPath<Report.InterruptLine, Report.LevelCounts>)
                    -> [UInt64]
                {
                    let isTold = vcpu.interrupts.contains { $0[keyPath: counts].l1 != nil }
                    return Level.allCases.map { isTold ? UInt64(total[what, $0]) : 0 }
                }
                func accesses(_ access: Timeline.Bucket.Access, _ told: Report.APICAccesses) -> [UInt64] {
                    [false, true].map { isWrite in
                        // Where nothing nested was seen whoever ran was L1.
                        let others = access == .l1 && known?.hasNested != true ? total[.unknown, isWrite: isWrite] : 0
                        return told.reads == nil ? 0 : UInt64(total[access, isWrite: isWrite] + others)
                    }
                }
                vcpus.append(
                    VCPU(
                        exits: Level.allCases.map {
                            UInt64(total[.exits, $0]) + ($0 == .l1 ? known?.exitsCounted ?? 0 : 0)
                        }, accepted: sum(.accepted, \.accepted),
                        acknowledged: sum(.acknowledged, \.acknowledged), ended: sum(.ended, \.ended),
                        accesses: accesses(.l1, vcpu.apicAccess.l1) + accesses(.direct, vcpu.apicAccess.l2Direct)
                            + accesses(.hooked, vcpu.apicAccess.l2Hooked),
                        ipis: vcpu.ipisSent == nil ? 0 : UInt64(total.ipis)))
            }
        }
    }
}
