// SPDX-License-Identifier: Apache-2.0

/// Rule `lost-accept`: an interrupt accepted while L2 runs that is not delivered for long; and live, one that KVM forgets
/// (C2) or lets a HLT sleep on (C3).
///
/// It needs no crossing: a recording may begin after it. For vectors that `stale-svi` does not already carry.
struct LostAccept: ~Copyable, Sendable {
    struct Watch: Sendable {
        var forgotten = ForgottenInterrupt()
        var sleepers: [Sleeper] = []
    }

    private var watches = Table<VCPUIndex, Watch>()
    /// As of the latest tick.
    private(set) var unexplainedSleepers: [Int32] = []

    private static let sleepersKept = 16

    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        if case .inhibitsChanged = transition {} else if !watches.contains(vcpu) { return }
        switch transition {
        case .acknowledged(let vector, _, _), .ended(let vector, _): woken(by: vector, vcpu)
        case .gap: watches[vcpu].forgotten.interrupted()
        case .inhibitsChanged:
            let vm = machine.vcpus[vcpu].vm
            for index in watches.indices where machine.vcpus[index].vm == vm { watches[index].forgotten.interrupted() }
        default: break
        }
    }

    /// The VM of this vCPU has ended: another one has its place.
    mutating func forget(_ vcpu: VCPUIndex) {
        if watches.indices.contains(vcpu) { watches[vcpu] = Watch() }
    }

    /// Late is not lost.
    private mutating func woken(by vector: UInt8, _ vcpu: VCPUIndex) {
        watches[vcpu].sleepers.removeAll { $0.vector == vector }
    }

    mutating func entered(_ level: Level, _ vcpu: VCPUIndex, _ machine: borrowing Machine) {
        guard watches.contains(vcpu) else { return }
        watches[vcpu].forgotten.entered(level, injects: machine.vcpus[vcpu].isInjecting)
    }

    /// The vCPU's words were read.
    @inline(__always)
    func watchesEntries(of vcpu: VCPUIndex) -> Bool { vcpu < watches.endIndex && watches[vcpu].forgotten.isWatching }

    /// Words read before an entry of L2, by a probe that looks only where C2 may be judged.
    mutating func l2Entry(_ reading: LAPICReading, of vcpu: VCPUIndex, at stamp: EventStamp) {
        watches[vcpu, default: Watch()].forgotten.read(reading, at: stamp)
    }

    /// Time has passed: a vCPU that sleeps emits nothing.
    mutating func tick(at time: UInt64, in machine: borrowing Machine) {
        guard machine.measuresTime else { return }
        unexplainedSleepers.removeAll(keepingCapacity: true)
        for vcpu in machine.vcpus.indices where machine.vcpus[vcpu].bracket.isBlocked {
            if watches.indices.contains(vcpu) { excuse(vcpu, machine) }
            guard let sleeper = Sleeper(vcpu, at: time, in: machine) else { continue }
            if !sleeper.isExplained, let tid = machine.vcpus[vcpu].tid { unexplainedSleepers.append(tid) }
            if sleeper.isLong(machine.vcpus[vcpu]) { add(sleeper, vcpu) }
        }
    }

    /// What was read since they were noticed may show that they sleep rightly.
    private mutating func excuse(_ vcpu: VCPUIndex, _ machine: borrowing Machine) {
        watches[vcpu].sleepers.removeAll { sleeper in
            sleeper.halted.time == machine.vcpus[vcpu].bracket.time
                && machine.vcpus[vcpu].mustWake(for: sleeper.vector, acceptedAt: sleeper.accepted.time) == false
        }
    }

    private mutating func add(_ sleeper: Sleeper, _ vcpu: VCPUIndex) {
        let known = watches[vcpu, default: Watch()].sleepers.firstIndex {
            $0.vector == sleeper.vector && $0.accepted == sleeper.accepted
        }
        if let known {
            if sleeper.mustWake, !watches[vcpu].sleepers[known].mustWake { watches[vcpu].sleepers[known] = sleeper }
        } else if watches[vcpu, default: Watch()].sleepers.count < Self.sleepersKept {
            watches[vcpu, default: Watch()].sleepers.append(sleeper)
        }
    }

    /// - Parameter explained: vectors that another finding carries, by vCPU.
    func findings(
        of vcpus: [VCPUIndex], in machine: borrowing Machine, waits: borrowing Waits, explained: [VCPUIndex: VectorSet]
    ) -> [RuleFinding] {
        vcpus.prefix { $0 < max(watches.endIndex, waits.vcpus.upperBound) }.compactMap { vcpu in
            let vm = machine.vcpus[vcpu].vm
            let carried = explained[vcpu] ?? VectorSet()
            var found = [waitFinding(waits[vcpu], carried, vcpu, machine)].compactMap { $0 }
            if watches.indices.contains(vcpu) {
                found += watches[vcpu].forgotten.finding(vm: vm, vcpu: vcpu).map { [$0] } ?? []
                let sleepers = watches[vcpu].sleepers.filter { !carried.contains($0.vector) }
                found += Sleeper.finding(sleepers, vm: vm, vcpu: vcpu).map { [$0] } ?? []
            }
            guard var finding = found.first else { return nil }
            for other in found.dropFirst() { finding.absorb(other) }
            return finding
        }
    }

    private func waitFinding(
        _ watch: WaitWatch, _ carried: VectorSet, _ vcpu: VCPUIndex, _ machine: borrowing Machine
    ) -> RuleFinding? {
        guard machine.showsWaits else { return nil }
        let found = watch.found.filter {
            $0.long != nil && !carried.contains($0.vector) && !machine.isNotification($0.vector, of: vcpu)
        }
        guard let first = found.min(by: { $0.accepted.time < $1.accepted.time }) else { return nil }
        let vectors = Set(found.map(\.vector)).sorted()
        let showsTPR = machine.vcpus[vcpu].showsTPR
        let isBeyondExcuse = found.contains {
            $0.isBeyondExcuse(showsTPR: showsTPR, showsDeliveries: machine.showsDeliveries)
                && !machine.vcpus[vcpu].ledger.mayBeOthers.contains($0.vector)
        }
        let accepts = found.reduce(0) { $0 &+ $1.accepts }
        let counts = found.reduce(into: [UInt8: UInt64]()) { $0[$1.vector, default: 0] &+= $1.accepts }
        let list = vectors.map { "\($0.hex) \((counts[$0] ?? 0).times)" }.listed
        let entries = found.map(\.entries).max() ?? 0
        var finding = RuleFinding(
            rule: .lostAccept, grade: isBeyondExcuse ? .suspect : .hazard, vm: machine.vcpus[vcpu].vm, vcpu: vcpu,
            first: first.accepted.time, last: machine.now, count: accepts,
            statement: "Accepted and not delivered since: \(list)"
                + (entries > 0 ? "; L2 was entered \(entries.times) meanwhile" : "; L1 was offered it again and again")
                + (found.contains { $0.chance != nil } ? ", and could take interrupts." : "."))
        finding.vectors = vectors
        for wait in found { finding.evidence.add(wait) }
        if !isBeyondExcuse {
            finding.limits.append(Limit(Wait.excuse(showsTPR: showsTPR)))
        }
        if machine.vcpus[vcpu].acknowledgesOnExit {
            finding.limits.append(
                "L1 takes interrupts with the exit: a vector that it posts interrupts to L2 with is never delivered itself."
            )
        }
        return finding
    }
}

extension Machine {
    /// Interrupts that KVM injects were reported while the trace was recorded, as far as that shows.
    var showsInjections: Bool { recordedKinds.contains(.injVIRQ) || tellsInjectionsAtEntry }

    /// 6.14 and later.
    private var tellsInjectionsAtEntry: Bool { info.formatFields.contains("kvm_entry.intr_info") }

    /// What could end a wait was on while the trace was recorded, as far as that shows.
    var showsWaits: Bool {
        let recorded = recordedKinds
        return recorded.isSuperset(of: [.init(.entry), .init(.apicAcceptIRQ), .init(.injVIRQ)])
            || tellsInjectionsAtEntry && recorded.contains(.entry)
    }
}
