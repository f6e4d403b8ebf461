// SPDX-License-Identifier: Apache-2.0

/// Sign C3: a HLT that L0 handles sleeps on, though an interrupt was accepted that should wake it. Live only, since
/// nothing but a timer notices that nothing happens.
struct Sleeper: Equatable, Sendable {
    let vector: UInt8
    let accepted: EventStamp
    /// The `kvm_exit` of the HLT.
    let halted: EventStamp
    /// Time up to which nothing woke it.
    let noticed: UInt64

    /// Healthy sleepers take 3.8 ms at most.
    static let nanosecondsNeeded: UInt64 = 100_000_000

    /// The highest interrupt that a blocked vCPU sleeps on; nil where none is, or something shows why.
    init?(_ index: Int, at time: UInt64, in machine: borrowing Machine) {
        let vcpu = machine.vcpus[index]
        let halted = vcpu.bracket.time
        guard time > halted, time - halted >= Self.nanosecondsNeeded, !machine.blocksIRQ(index) else { return nil }
        // With interrupts off a HLT sleeps rightly, as parked vCPUs do; only where L2 ran is that worth a word.
        guard vcpu.hasNested, !vcpu.isSoftwareDisabled else { return nil }
        let masked = max((vcpu.shownTPR ?? 0) >> 4, (vcpu.ledger.highestInService ?? 0) >> 4)
        for vector in vcpu.ledger.pending.vectors.reversed() where vector >> 4 > masked {
            guard let pending = vcpu.ledger[vector].pending, pending.gaps == vcpu.ledger.gaps else { continue }
            // Before the HLT hardware may have delivered it; during it nothing runs that could take it.
            guard !pending.maybeSilent || pending.since.time >= halted else { continue }
            let from = max(halted, pending.since.time)
            guard time > from, time - from >= Self.nanosecondsNeeded else { continue }
            self.vector = vector
            self.halted = EventStamp(time: halted, cpu: vcpu.bracket.cpu, tid: vcpu.tid ?? 0)
            accepted = pending.since
            noticed = time
            return
        }
        return nil
    }

    static func finding(_ sleepers: [Sleeper], vm: Int, vcpu: Int) -> RuleFinding? {
        guard let first = sleepers.first, let last = sleepers.last else { return nil }
        let vectors = Set(sleepers.map(\.vector)).sorted()
        var finding = RuleFinding(
            rule: .lostAccept, grade: .hazard, vm: vm, vcpu: vcpu, first: first.accepted.time, last: last.noticed,
            count: UInt64(sleepers.count),
            statement:
                "A HLT slept on for 100 ms and more though \(vectors.map(\.hex).joined(separator: ", ")) had been "
                + "accepted.")
        finding.vectors = vectors
        for sleeper in sleepers {
            finding.evidence.add(
                "kvm_exit", at: sleeper.halted, isKey: true,
                "HLT, which nothing wakes for \(sleeper.noticed.elapsed(since: sleeper.halted.time) / 1_000_000) ms")
            finding.evidence.add("kvm_apic_accept_irq", at: sleeper.accepted, "\(sleeper.vector.hex) accepted")
        }
        finding.limits.append(
            "The guest's interrupt flag and task priority were not read while it slept: with interrupts off, or masked, a "
                + "HLT sleeps rightly.")
        return finding
    }
}
