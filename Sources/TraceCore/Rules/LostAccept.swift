// SPDX-License-Identifier: Apache-2.0

/// Rule `lost-accept`: an interrupt accepted while L2 runs that is not injected for long, though the guest showed that
/// it could take one; and live, one that KVM forgets (C2) or lets a HLT sleep on (C3).
///
/// For vCPUs where `stale-svi` does not already carry it as a symptom.
struct LostAccept: Sendable {
    private struct Wait: Sendable {
        let vector: UInt8
        let accepted: EventStamp
        /// Since when nothing that shows has held it back.
        var since: UInt64
        var entries: UInt64 = 0
        /// The guest could have taken it and something else happened.
        var hadChance = false
        var provenAt: EventStamp?
    }

    private struct Watch: Sendable {
        var waits: [Wait] = []
        var found: [Wait] = []
        var forgotten = ForgottenInterrupt()
        var sleepers: [Sleeper] = []
    }

    private var watches: [Watch] = []

    static let entriesNeeded: UInt64 = 20
    static let nanosecondsNeeded: UInt64 = 100_000_000
    private static let sleepersKept = 16

    mutating func observe(_ transition: Transition, of vcpu: Int, at stamp: EventStamp, in machine: borrowing Machine) {
        switch transition {
        case .accepted(let vector, .l2, silent: false):
            guard machine.measuresTime, !machine.blocksIRQ(vcpu) else { return }
            while watches.count <= vcpu { watches.append(Watch()) }
            if !watches[vcpu].waits.contains(where: { $0.vector == vector }) {
                watches[vcpu].waits.append(Wait(vector: vector, accepted: stamp, since: stamp.time))
            }
        case .entered(let level):
            guard watches.indices.contains(vcpu) else { return }
            watches[vcpu].forgotten.entered(level, injects: machine.vcpus[vcpu].isInjecting)
            guard !watches[vcpu].waits.isEmpty else { return }
            if level == .l2 { enteredL2(vcpu, stamp, machine) } else { watches[vcpu].waits = [] }
        case .acknowledged(let vector, _):
            guard watches.indices.contains(vcpu) else { return }
            watches[vcpu].waits.removeAll { $0.vector == vector }
            watches[vcpu].found.removeAll { $0.vector == vector }
            // A lower one went ahead of it.
            giveChance(vcpu) { vector >> 4 <= $0 >> 4 }
        case .interruptWindow: giveChance(vcpu) { _ in true }
        case .woke:
            if machine.vcpus[vcpu].bracket.level == .l2 { giveChance(vcpu) { _ in true } }
        case .gap:
            if watches.indices.contains(vcpu) { interrupted(vcpu) }
        case .inhibitsChanged:
            let vm = machine.vcpus[vcpu].vm
            for index in watches.indices where machine.vcpus[index].vm == vm { interrupted(index) }
        default: break
        }
    }

    /// Something waits on the vCPU, or its words were read.
    @inline(__always)
    func watchesEntries(of vcpu: Int) -> Bool {
        vcpu < watches.count && (!watches[vcpu].waits.isEmpty || watches[vcpu].forgotten.isWatching)
    }

    private mutating func interrupted(_ vcpu: Int) {
        watches[vcpu].waits = []
        watches[vcpu].forgotten.interrupted()
    }

    /// Words read before an entry of L2, by a probe that looks only where C2 may be judged.
    mutating func l2Entry(
        _ words: LAPICWords, _ pending: LAPICReading.Pending, of vcpu: Int, at stamp: EventStamp
    ) {
        while watches.count <= vcpu { watches.append(Watch()) }
        watches[vcpu].forgotten.read(words, waitsOnPurpose: !pending.isEmpty, at: stamp)
    }

    /// Time has passed: a vCPU that sleeps emits nothing.
    mutating func tick(at time: UInt64, in machine: borrowing Machine) {
        guard machine.measuresTime else { return }
        for vcpu in machine.vcpus.indices where machine.vcpus[vcpu].bracket.isBlocked {
            guard let sleeper = Sleeper(vcpu, at: time, in: machine) else { continue }
            while watches.count <= vcpu { watches.append(Watch()) }
            let isKnown = watches[vcpu].sleepers.contains {
                $0.vector == sleeper.vector && $0.accepted == sleeper.accepted
            }
            if !isKnown, watches[vcpu].sleepers.count < Self.sleepersKept { watches[vcpu].sleepers.append(sleeper) }
        }
    }

    private mutating func enteredL2(_ vcpu: Int, _ stamp: EventStamp, _ machine: borrowing Machine) {
        let held = machine.vcpus[vcpu].ledger.highestInService
        for index in watches[vcpu].waits.indices {
            if let held, watches[vcpu].waits[index].vector >> 4 <= held >> 4 {
                watches[vcpu].waits[index].entries = 0
                watches[vcpu].waits[index].since = stamp.time
                continue
            }
            watches[vcpu].waits[index].entries += 1
            let wait = watches[vcpu].waits[index]
            guard wait.hadChance, wait.provenAt == nil, wait.entries >= Self.entriesNeeded,
                stamp.time.elapsed(since: wait.since) >= Self.nanosecondsNeeded
            else { continue }
            watches[vcpu].waits[index].provenAt = stamp
            watches[vcpu].found.append(watches[vcpu].waits[index])
        }
    }

    private mutating func giveChance(_ vcpu: Int, _ outranks: (UInt8) -> Bool) {
        guard watches.indices.contains(vcpu) else { return }
        for index in watches[vcpu].waits.indices where outranks(watches[vcpu].waits[index].vector) {
            watches[vcpu].waits[index].hadChance = true
        }
    }

    /// - Parameter explained: vCPUs whose sleepers and waits another finding carries.
    func findings(in machine: borrowing Machine, explained: Set<Int>) -> [RuleFinding] {
        watches.indices.compactMap { vcpu in
            let watch = watches[vcpu]
            let vm = machine.vcpus[vcpu].vm
            var found = watch.forgotten.finding(vm: vm, vcpu: vcpu).map { [$0] } ?? []
            if !explained.contains(vcpu) {
                found += [waitFinding(watch, vcpu, machine)].compactMap { $0 }
                found += [Sleeper.finding(watch.sleepers, vm: vm, vcpu: vcpu)].compactMap { $0 }
            }
            guard var finding = found.first else { return nil }
            for other in found.dropFirst() { finding.absorb(other) }
            return finding
        }
    }

    private func waitFinding(_ watch: Watch, _ vcpu: Int, _ machine: borrowing Machine) -> RuleFinding? {
        guard let first = watch.found.min(by: { $0.accepted.time < $1.accepted.time }) else { return nil }
        let vectors = Set(watch.found.map(\.vector)).sorted()
        let shown = machine.vcpus[vcpu].shownTPR
        let isUnmasked = shown.map { tpr in vectors.allSatisfy { $0 >> 4 > tpr >> 4 } } ?? false
        var finding = RuleFinding(
            rule: .lostAccept, grade: isUnmasked ? .suspect : .hazard, vm: machine.vcpus[vcpu].vm, vcpu: vcpu,
            first: first.accepted.time, last: machine.now, count: UInt64(watch.found.count),
            statement: "\(vectors.map(\.hex).joined(separator: ", ")) was accepted and not injected for "
                + "\(first.entries) entries of L2, though L2 could take interrupts.")
        finding.vectors = vectors
        for wait in watch.found {
            finding.evidence.add("kvm_apic_accept_irq", at: wait.accepted, "\(wait.vector.hex) accepted")
            if let proven = wait.provenAt {
                finding.evidence.add("kvm_entry", at: proven, "L2 entered \(wait.entries) times, not injected")
            }
        }
        if !isUnmasked {
            finding.limits.append("The trace does not show the task priority: it may have masked the vector.")
        }
        return finding
    }
}
