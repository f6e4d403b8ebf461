// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// Several VMs side by side, and one after the other.
extension Attack {
    static let joins: [Attack] = [
        // GUEST options say which threads are whose.
        Attack(
            name: "beside-itself", variants: { $0.hasFacts ? 0 : 2 },
            change: { recording, number, _, corpus in
                let other = recording
                return recording.join(other, isMarked: number == 0, corpus)
            }),
        Attack(
            name: "beside-another", variants: { $0.hasFacts ? 0 : unlimited },
            change: { recording, number, random, corpus in
                guard let other = corpus.partners(of: recording).randomElement(using: &random) else { return false }
                return recording.join(other, isMarked: number % 2 == 0, corpus)
            }),
        Attack(
            name: "repeated", variants: { $0.items.isEmpty ? 0 : 3 },
            change: { recording, number, _, _ in
                let step = recording.end - recording.start + [1_000, 1_000_000, 1_000_000_000][number % 3]
                let again = recording.items.map { $0.shifted(by: step) }
                recording.items += again
                for name in recording.totals.byName.keys { recording.totals.byName[name]? *= 2 }
                recording.changes.insert(.joined)
                recording.descriptions.append("once more after \(step) ns")
                return true
            }),
    ]
}

extension HeldRecording {
    /// Another host's recording as if it were one of this host: its threads and CPUs get ids of their own.
    fileprivate mutating func join(_ other: HeldRecording, isMarked: Bool, _ corpus: Corpus) -> Bool {
        guard let whole = corpus.whole(of: self), let others = corpus.whole(of: other) else { return false }
        guard let lastCPU = cpus.last, let lastTID = tids.last, other.tids.last ?? 0 < Int32.max / 4 else {
            return false
        }
        let tidStep = lastTID + 50_000
        var second = other
        let positive = other.tids.filter { $0 > 0 }
        let newTIDs = Dictionary(uniqueKeysWithValues: positive.map { ($0, $0 + tidStep) })
        second.renumber(tids: newTIDs)
        second.renumber(cpus: Dictionary(uniqueKeysWithValues: other.cpus.map { ($0, $0 + lastCPU + 1) }))
        let step = start &- second.start
        items = Self.merged(items, second.items.map { $0.shifted(by: step) })
        info.cpus = max(info.cpus, second.info.cpus)
        info.commands.merge(second.info.commands) { first, _ in first }
        totals.byName.merge(second.totals.byName, uniquingKeysWith: +)
        if isMarked {
            info.guests =
                Self.guests(of: whole.report, named: "first") { $0 }
                + Self.guests(of: others.report, named: "second") { newTIDs[$0] ?? $0 }
            // What one VM shows of the kernel goes for the other one too.
            if whole.report.host.sviFix.state == others.report.host.sviFix.state {
                expected = max(whole.verdict, others.verdict)
            }
        }
        showsLoss = showsLoss || other.showsLoss
        if others.verdict > other.truth.bound { tolerated = others.verdict }
        if other.truth.bound > truth.bound { truth = other.truth }
        changes.insert(.joined)
        descriptions.append("beside \(other.name)\(isMarked ? ", GUEST options tell whose threads are whose" : "")")
        return true
    }

    private static func guests(of report: Report, named name: String, _ tid: (Int32) -> Int32) -> [GuestMap] {
        report.vms.enumerated().map { index, vm in
            GuestMap(
                name: "\(name)-\(index)",
                threads: vm.vcpus.enumerated().compactMap { index, vcpu in
                    vcpu.tid.map { (vcpu.id ?? Int32(clamping: index), tid($0)) }
                })
        }
    }

    /// Both in the order of time, each in its own order.
    private static func merged(_ first: [Item], _ second: [Item]) -> [Item] {
        var (merged, rest) = ([] as [Item], second[...])
        merged.reserveCapacity(first.count + second.count)
        for item in first {
            while let next = rest.first, next.stamp.time < item.stamp.time { merged.append(rest.removeFirst()) }
            merged.append(item)
        }
        return merged + rest
    }
}

extension HeldRecording.Item {
    /// Later by so many nanoseconds, modulo 2^64: earlier is possible too.
    func shifted(by step: UInt64) -> Self { timed { $0 &+ step } }

    /// At other times.
    func timed(_ time: (UInt64) -> UInt64) -> Self {
        var item = self
        item.stamp.time = time(stamp.time)
        if case .lost(var gap) = content {
            gap.from = gap.from.map(time)
            gap.to = gap.to.map(time)
            item.content = .lost(gap)
        }
        return item
    }
}
