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
    /// Its words show that the interrupt must wake it.
    let mustWake: Bool
    /// Its words were read since the interrupt was accepted.
    let isExplained: Bool

    /// Healthy sleepers take 3.8 ms at most.
    static let nanosecondsNeeded: UInt64 = 100_000_000
    /// Early enough that the words are there when the time is over: they come some 30 ms after they were asked for.
    private static let nanosecondsUntilAsked: UInt64 = 50_000_000

    /// The highest interrupt that a blocked vCPU has slept on for a while; nil where none is, or something shows why.
    init?(_ index: VCPUIndex, at time: UInt64, in machine: borrowing Machine) {
        let vcpu = machine.vcpus[index]
        let halted = vcpu.bracket.time
        guard time > halted, time - halted >= Self.nanosecondsUntilAsked, !machine.blocksIRQ(index) else { return nil }
        let words = vcpu.wordsSinceExit
        // Where the words are there they tell all this.
        guard words?.reading.isAPICEnabled ?? !vcpu.isSoftwareDisabled else { return nil }
        let masked =
            words == nil ? max(vcpu.shownTPR ?? 0, vcpu.ledger.highestInService ?? 0).priorityClass : .lowest
        for vector in vcpu.ledger.pending.vectors.reversed() where vector.priorityClass > masked {
            guard let pending = vcpu.ledger[vector].pending, pending.gaps == vcpu.ledger.gaps else { continue }
            // Before the HLT hardware may have delivered it; during it nothing runs that could take it.
            guard !pending.maybeSilent || pending.since.time >= halted else { continue }
            let from = max(halted, pending.since.time)
            guard time > from, time - from >= Self.nanosecondsUntilAsked, !machine.isNotification(vector, of: index)
            else { continue }
            let answer = vcpu.mustWake(for: vector, acceptedAt: pending.since.time)
            guard answer != false else { continue }
            self.vector = vector
            self.halted = EventStamp(time: halted, cpu: vcpu.bracket.cpu, tid: vcpu.tid ?? 0)
            accepted = pending.since
            noticed = time
            mustWake = answer ?? false
            isExplained = words.map { $0.reading.occasion == .asleep && $0.at.time > from } ?? false
            return
        }
        return nil
    }

    /// It has slept for so long that it is worth a word. With interrupts off a HLT sleeps rightly, as parked vCPUs do: where
    /// the flag is not known it is so only where L2 ran.
    func isLong(_ vcpu: VCPU) -> Bool {
        let from = max(halted.time, accepted.time)
        return noticed - from >= Self.nanosecondsNeeded && (mustWake || vcpu.hasNested)
    }

    static func finding(_ sleepers: [Sleeper], vm: VMIndex, vcpu: VCPUIndex) -> RuleFinding? {
        guard let first = sleepers.first, let last = sleepers.last else { return nil }
        let vectors = Set(sleepers.map(\.vector)).sorted()
        let isCertain = sleepers.contains(where: \.mustWake)
        var finding = RuleFinding(
            rule: .lostAccept, grade: isCertain ? .suspect : .hazard, vm: vm, vcpu: vcpu, first: first.accepted.time,
            last: last.noticed, count: UInt64(sleepers.count),
            statement:
                "A HLT slept on for 100 ms and more though \(vectors.listed) had been "
                + "accepted\(isCertain ? ", and the vCPU's words show nothing that masks it." : ".")")
        finding.vectors = vectors
        for sleeper in sleepers {
            let milliseconds = sleeper.noticed.elapsed(since: sleeper.halted.time) / 1_000_000
            finding.evidence.add(
                "kvm_exit", at: sleeper.halted, isKey: true, "HLT, which nothing wakes for \(milliseconds) ms")
            finding.evidence.add("kvm_apic_accept_irq", at: sleeper.accepted, "\(sleeper.vector.hex) accepted")
        }
        if !isCertain {
            finding.limits.append(
                "The guest's interrupt flag was not to be had while it slept: with interrupts off a HLT sleeps rightly."
            )
        }
        return finding
    }
}

extension VCPU {
    /// Whether an interrupt must end the HLT that the vCPU is in, by the words read since; nil where they don't tell.
    func mustWake(for vector: UInt8, acceptedAt accepted: UInt64) -> Bool? {
        guard let (reading, stamp) = wordsSinceExit else { return nil }
        if takesInterrupts == false || reading.isAPICEnabled == false { return false }
        if vector.priorityClass <= reading.words.computedPPR.priorityClass { return false }
        // Refused, or taken before the HLT.
        if reading.occasion == .asleep, stamp.time > accepted, !reading.words.irr.contains(vector) { return false }
        return takesInterrupts
    }
}
