// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

extension LiveAnalysis {
    /// How the trace stands, for monitoring.
    ///
    /// - Parameters:
    ///   - totals: what the source knows by now.
    ///   - time: of the source's clock, up to which everything has come.
    func metrics(_ totals: TraceTotals, until time: UInt64) -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(source: analysis.machine.info.format, started: started, updated: WallClock.now)
        snapshot.verdict = verdict(totals)
        for finding in findings { snapshot.findings.count(finding.rule, finding.grade) }
        snapshot.reported = reported
        snapshot.events = totals.byName
        snapshot.dropped = totals.overrun ?? 0
        addVMs(to: &snapshot, until: time)
        return snapshot
    }

    private func addVMs(to snapshot: inout MetricsSnapshot, until time: UInt64) {
        let wanted = analysis.wanted
        // Those that ended and whose places are others' now, and then those that have a place.
        var sum = wanted.isEmpty ? analysis.ended.totals : analysis.ended.ofWanted
        snapshot.vmsEnded = UInt64(sum.vms)
        for vm in analysis.machine.vms.indices
        where !analysis.machine.vms[vm].isVacant && analysis.machine.isSelected(vm, wanted) {
            sum.add(vm, of: analysis.machine, until: time, only: wanted)
            guard !analysis.machine.vms[vm].hasEnded else {
                snapshot.vmsEnded += 1
                continue
            }
            let vcpus = analysis.machine.vms[vm].vcpus.count {
                analysis.machine.vcpus[$0].tid != nil && wanted.contains(vcpu: analysis.machine.vcpus[$0].id)
            }
            guard vcpus > 0 else { continue }
            snapshot.vms[analysis.machine.vms[vm].apicv.state, default: 0] += 1
            snapshot.vcpus += UInt64(vcpus)
        }
        add(sum.inhibited, to: &snapshot)
        for (path, counts) in [
            (MetricsSnapshot.Access.Path.l1, sum.accessesByL1), (.l2Direct, sum.accessesDirect),
            (.l2Hooked, sum.accessesHooked), (.l2Own, sum.accessesOwn), (.unknown, sum.accessesUnbracketed),
        ] {
            snapshot.accesses[.init(path, isWrite: false)] = counts.reads
            snapshot.accesses[.init(path, isWrite: true)] = counts.writes
        }
    }

    /// A reason that has not been there yet has its zero: a rate needs a value to begin with.
    private func add(_ inhibited: InhibitedTime, to snapshot: inout MetricsSnapshot) {
        let names = analysis.machine.inhibitNames
        for name in names.certainNames { snapshot.inhibited[name] = 0 }
        for (bit, time) in inhibited.reasons { snapshot.inhibited[names.name(bit: bit), default: 0] += time }
        snapshot.inhibited["unknown"] = inhibited.unknown
    }
}

/// Unix time, which monitoring counts in.
enum WallClock {
    /// In nanoseconds.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
