// SPDX-License-Identifier: Apache-2.0

/// What two VMs, or one and nothing, did differently.
struct VMChanges {
    let vms: Pairing.VMs
    let reports: (a: Report, b: Report)

    var pair: Comparison.VMPair {
        Comparison.VMPair(
            matchedBy: vms.match, a: vms.a.map(Comparison.VMName.init), b: vms.b.map(Comparison.VMName.init),
            apicv: .init(a: vms.a.map { .init($0.apicv) }, b: vms.b.map { .init($0.apicv) }), exits: exits,
            apicAccess: accesses, vcpus: Pairing.vcpus(vms.a, vms.b).map(vcpus))
    }

    // MARK: - Exits

    private var exits: [Comparison.ExitChange] {
        Comparison.ExitLevel.allCases.flatMap { level in
            let (a, b) = (vms.a?.exits(level), vms.b?.exits(level))
            let reasons = Set((a ?? [:]).keys).union((b ?? [:]).keys)
            let changes = reasons.map { reason in
                change(level, reason, a.map { $0[reason] ?? 0 }, b.map { $0[reason] ?? 0 })
            }
            let whole = change(level, nil, a?.values.reduce(0, &+), b?.values.reduce(0, &+))
            return ([whole] + changes.sorted { ($0.difference, $1.reason ?? "") > ($1.difference, $0.reason ?? "") })
                .filter { ($0.a?.count ?? 0) != ($0.b?.count ?? 0) }
        }
    }

    private func change(
        _ level: Comparison.ExitLevel, _ reason: String?, _ a: UInt64?, _ b: UInt64?
    ) -> Comparison.ExitChange {
        .init(
            level: level, reason: reason, a: a.map { .init($0, in: reports.a) }, b: b.map { .init($0, in: reports.b) })
    }

    // MARK: - Accesses

    private var accesses: [Comparison.AccessChange] {
        Comparison.AccessKind.allCases.flatMap { kind in
            let (a, b) = (vms.a.flatMap { $0.accesses(kind) }, vms.b.flatMap { $0.accesses(kind) })
            let names = Set((a ?? [:]).keys).union((b ?? [:]).keys)
            let changes = names.sorted().map { name in
                Comparison.AccessChange(
                    kind: kind, register: name, a: a.map { $0[name] ?? .init() }, b: b.map { $0[name] ?? .init() })
            }
            let whole = Comparison.AccessChange(kind: kind, register: nil, a: a?.whole, b: b?.whole)
            // Beside a VM that is not there nothing is not worth a row; beside one that can't show it, it is.
            let isPair = vms.a != nil && vms.b != nil
            return ([whole] + changes).filter { isPair ? $0.a != $0.b : $0.a ?? .init() != $0.b ?? .init() }
        }
    }

    // MARK: - vCPUs

    private func vcpus(_ vcpus: Pairing.VCPUs) -> Comparison.VCPUPair {
        Comparison.VCPUPair(
            matchedBy: vcpus.match, a: vcpus.a.map { .init(id: $0.id, tid: $0.tid) },
            b: vcpus.b.map { .init(id: $0.id, tid: $0.tid) },
            ipisSent: .init(a: vcpus.a?.ipisSent, b: vcpus.b?.ipisSent), interrupts: interrupts(vcpus))
    }

    private func interrupts(_ vcpus: Pairing.VCPUs) -> [Comparison.VectorChange] {
        let a = vcpus.a.map { reports.a.fates(of: $0, in: vms.a) } ?? [:]
        let b = vcpus.b.map { reports.b.fates(of: $0, in: vms.b) } ?? [:]
        return Set(a.keys).union(b.keys).sorted().filter { a[$0] != b[$0] }.map { vector in
            Comparison.VectorChange(vector: vector, a: a[vector], b: b[vector])
        }
    }
}

extension Comparison.VMName {
    fileprivate init(_ vm: Report.VM) {
        self.init(id: vm.id, pid: vm.pid, command: vm.command, guest: vm.guest)
    }
}

extension Comparison.Count {
    fileprivate init(_ count: UInt64, in report: Report) {
        let seconds = report.nanoseconds.map { Double($0) / 1e9 } ?? 0
        self.init(count: count, perSecond: seconds > 0 ? (Double(count) / seconds * 1000).rounded() / 1000 : nil)
    }
}

extension Comparison.ExitChange {
    /// In exits a second where both have a rate.
    var difference: Double {
        let rates = a?.perSecond.flatMap { rate in b?.perSecond.map { (rate, $0) } }
        let (one, other) = rates ?? (Double(a?.count ?? 0), Double(b?.count ?? 0))
        return abs(one - other)
    }
}

extension Comparison.APICvHistory {
    fileprivate init(_ intervals: [Report.APICvInterval]) {
        var states: [Comparison.APICvTotal] = []
        let whole = intervals.reduce(0) { $0 &+ $1.duration }
        for interval in intervals {
            if let index = states.firstIndex(where: { $0.isState(of: interval) }) {
                states[index].duration &+= interval.duration
            } else {
                states.append(
                    .init(
                        state: interval.state, mask: interval.mask, inhibits: interval.inhibits,
                        inferred: interval.inferred, duration: interval.duration, share: 0))
            }
        }
        for index in states.indices where whole > 0 {
            states[index].share = (Double(states[index].duration) / Double(whole) * 1e6).rounded() / 1e6
        }
        self.init(states: states, changes: max(0, intervals.count - 1), intervals: intervals)
    }
}

extension Comparison.APICvTotal {
    fileprivate func isState(of interval: Report.APICvInterval) -> Bool {
        state == interval.state && mask == interval.mask && inferred == interval.inferred
    }
}

extension Report.APICvInterval {
    fileprivate var duration: UInt64 { to > from ? to - from : 0 }
}

extension Report {
    /// The traced time that its counts are of.
    var duration: UInt64 {
        let from = max(source.span.first, selection?.from ?? 0)
        let to = min(source.span.last, selection?.to ?? .max)
        return to > from ? to - from : 0
    }

    /// The same, nil where the clock counts no nanoseconds.
    var nanoseconds: UInt64? { source.clock.unit == .nanoseconds ? duration : nil }

    /// What became of each vector of a vCPU.
    fileprivate func fates(of vcpu: VCPU, in vm: VM?) -> [String: Comparison.VectorSide] {
        let findings = findings.filter { $0.vm == vm?.id && ($0.vcpu == nil || $0.vcpu == vcpu.id) }
        let lost = Set(findings.filter { $0.grade >= .suspect }.flatMap(\.vectors))
        let (stuck, waiting) = (Set(findings.flatMap(\.stuck)), Set(findings.flatMap(\.vectors)))
        let lines = Dictionary(vcpu.interrupts.map { ($0.vector, $0) }) { first, _ in first }
        var fates: [String: Comparison.VectorSide] = [:]
        for vector in Set(lines.keys).union(stuck).union(waiting) {
            let line = lines[vector]
            let fate: Comparison.Fate =
                lost.contains(vector)
                ? .lost : stuck.contains(vector) ? .stuck : waiting.contains(vector) ? .waiting : line?.fate ?? .unseen
            fates[vector] = .init(fate: fate, ledger: line)
        }
        return fates
    }
}

extension Report.InterruptLine {
    /// By the ledger alone.
    fileprivate var fate: Comparison.Fate {
        let isTaken = acknowledged.sum > 0 || ended.sum > 0
        if isTaken { return outstanding ?? 0 > 0 ? .outstanding : .delivered }
        return accepted.sum > 0 ? .accepted : .unseen
    }
}

extension Report.VM {
    fileprivate func exits(_ level: Comparison.ExitLevel) -> [String: UInt64] {
        vcpus.reduce(into: [:]) { sum, vcpu in
            let reasons =
                switch level {
                case .l1: vcpu.exits.l1
                case .l2: vcpu.exits.l2
                case .unknown: vcpu.exits.unknown
                }
            sum.merge(reasons) { $0 &+ $1 }
        }
    }

    /// By the register's name; nil where the trace can't show any.
    fileprivate func accesses(_ kind: Comparison.AccessKind) -> [String: Report.RegisterAccess]? {
        let accesses = vcpus.map { vcpu in
            switch kind {
            case .l1: vcpu.apicAccess.l1
            case .l2Direct: vcpu.apicAccess.l2Direct
            case .l2Hooked: vcpu.apicAccess.l2Hooked
            case .l2Own: vcpu.apicAccess.l2Own
            }
        }
        guard accesses.contains(where: { $0.reads != nil || $0.writes != nil }) else { return nil }
        return accesses.reduce(into: [:]) { sum, accesses in sum.merge(accesses.registers) { $0 + $1 } }
    }
}

extension [String: Report.RegisterAccess] {
    fileprivate var whole: Report.RegisterAccess { values.reduce(.init()) { $0 + $1 } }
}

extension Report.RegisterAccess {
    fileprivate static func + (left: Self, right: Self) -> Self {
        Self(reads: left.reads &+ right.reads, writes: left.writes &+ right.writes)
    }
}
