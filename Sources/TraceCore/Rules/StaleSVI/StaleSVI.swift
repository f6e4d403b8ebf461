// SPDX-License-Identifier: Apache-2.0

/// Rule `stale-svi`: an interrupt that is acknowledged at one level and ended at the other, and what that costs on
/// kernels that write SVI to vmcs02.
///
/// VMX with APICv active only. The watches gather; ``findings(in:fix:)`` grades at the end, since the fix may show late.
struct StaleSVI: Sendable {
    private var watches: [CrossingWatch?] = []
    /// By vCPU, as far as words were read.
    private var memory: [WrongSVI] = []

    /// S2: lossy recordings sleep for 100 ms and more, healthy ones for 3.8 ms at most.
    static let sleepNanoseconds: UInt64 = 50_000_000

    mutating func observe(_ transition: Transition, of vcpu: Int, at stamp: EventStamp, in machine: borrowing Machine) {
        if case .crossed(let crossing) = transition {
            crossed(crossing, vcpu, stamp, machine)
            return
        }
        switch transition {
        // Another mask, or events that nobody saw: the exits are no longer consecutive.
        case .gap, .inhibitsChanged: for index in memory.indices { memory[index].interrupted() }
        default: break
        }
        if case .inhibitsChanged = transition { inhibitsChanged(machine.vcpus[vcpu].vm, machine) }
        guard watches.indices.contains(vcpu), watches[vcpu] != nil else { return }
        switch transition {
        case .entered(.l2):
            let held = watches[vcpu]?.isWaiting == true ? heldClass(on: vcpu, machine) : nil
            for loss in watches[vcpu]?.enteredL2(at: stamp, held: held) ?? [] { lost(loss, vcpu, machine) }
        case .entered: watches[vcpu]?.enteredL1()
        case .interruptWindow: watches[vcpu]?.interruptWindow()
        case .accepted(let vector, _, let silent):
            guard !machine.blocksIRQ(vcpu) else { return }
            for loss in watches[vcpu]?.accepted(vector, silent: silent, at: stamp) ?? [] {
                lost(loss, vcpu, machine)
            }
        case .acknowledged(let vector, let level): watches[vcpu]?.acknowledged(vector, level: level, at: stamp)
        case .ended(_, .l1): watches[vcpu]?.endedByL1(at: stamp)
        case .missedEOI(let stuck, let told): missedEOI(stuck, told, vcpu, stamp)
        case .reflectedInterrupt: watches[vcpu]?.reflectedInterrupt()
        case .enteringL2(let vector):
            for loss in watches[vcpu]?.enteringL2(injecting: vector, at: stamp) ?? [] {
                lost(loss, vcpu, machine)
            }
        case .woke: slept(vcpu, until: stamp, machine)
        case .gap: watches[vcpu]?.gap()
        default: break
        }
    }

    /// Something of a vCPU that has crossed waits for what the next entry says.
    @inline(__always)
    func watchesEntries(of vcpu: Int) -> Bool { vcpu < watches.count && watches[vcpu]?.countsEntries ?? false }

    // MARK: Events

    private mutating func crossed(_ crossing: Crossing, _ vcpu: Int, _ stamp: EventStamp, _ machine: borrowing Machine)
    {
        let vm = machine.vms[machine.vcpus[vcpu].vm]
        guard vm.isa == .vmx, vm.apicv.state != .inhibited else { return }
        while watches.count <= vcpu { watches.append(nil) }
        var watch = watches[vcpu] ?? CrossingWatch(measuresTime: machine.measuresTime)
        // What happened while nothing was known of APICv gives way to what is known.
        if watch.restsOnUnknown, vm.apicv.state == .active { watch = CrossingWatch(measuresTime: machine.measuresTime) }
        let above = machine.vcpus[vcpu].ledger.highestPending.map { $0 >> 4 > crossing.vector >> 4 } ?? false
        watch.crossed(crossing, apicvKnown: vm.apicv.state == .active, pendingAbove: above, at: stamp)
        if watch.crossingCount <= 4 {
            if let acknowledged = crossing.acknowledged {
                watch.log.add(
                    crossing.acknowledgedAt == .l2 ? "kvm_inj_virq" : "kvm_nested_vmenter", at: acknowledged,
                    "\(crossing.vector.hex) acknowledged in \(crossing.acknowledgedAt.name)"
                        + (crossing.acknowledgedAt == .l2
                            ? ", injected straight into L2" : ", passed on to L2 in event_inj"))
            }
            watch.log.add(
                crossing.endedAt == .l2 ? "kvm_eoi" : "kvm_nested_vmexit_inject", at: crossing.ended,
                crossing.endedAt == .l2
                    ? "\(crossing.vector.hex) ended by L2: the crossing"
                    : "L2's EOI of \(crossing.vector.hex) handed to L1, which writes it: the crossing")
        }
        watches[vcpu] = watch
    }

    private mutating func missedEOI(_ stuck: UInt8, _ told: Int32, _ vcpu: Int, _ stamp: EventStamp) {
        watches[vcpu]?.missedEOI(stuck: stuck, at: stamp)
        let what = UInt8(exactly: told).map { "vector \($0.hex)" } ?? "no vector"
        watches[vcpu]?.log.add(
            "kvm_eoi", at: stamp, isKey: true,
            "EOI_INDUCED in L1 ends \(what) while \(stuck.hex) is in service: \(stuck.hex) stays stuck")
    }

    private mutating func lost(_ loss: Loss, _ vcpu: Int, _ machine: borrowing Machine) {
        watches[vcpu]?.log.add(
            "kvm_apic_accept_irq", at: loss.since, isKey: true,
            "\(loss.vector.hex) accepted, and nothing delivers it from here on")
        let proof: (event: String, text: String) =
            switch loss.sign {
            case .undelivered: ("kvm_entry", "L2 entered again and again since, \(loss.vector.hex) never injected")
            case .sleptOn: ("kvm_vcpu_wakeup", "HLT slept on though \(loss.vector.hex) was waiting")
            case .fruitlessOffers:
                ("kvm_apic_accept_irq", "\(loss.vector.hex) offered 20 times and more, L1 never got it to pass on")
            }
        watches[vcpu]?.log.add(proof.event, at: loss.proven, isKey: true, proof.text)
    }

    private mutating func slept(_ vcpu: Int, until stamp: EventStamp, _ machine: borrowing Machine) {
        guard machine.measuresTime, !machine.blocksIRQ(vcpu) else { return }
        let state = machine.vcpus[vcpu]
        let halted = state.bracket.time
        let held = heldClass(on: vcpu, machine)
        let waiting = state.ledger.pending.vectors.compactMap { vector -> (vector: UInt8, since: EventStamp)? in
            guard let pending = state.ledger[vector].pending, held.map({ $0 < vector >> 4 }) ?? true else { return nil }
            // Before the HLT hardware may have delivered it; during it nothing runs that could take it.
            guard !pending.maybeSilent || pending.since.time >= halted else { return nil }
            let from = max(halted, pending.since.time)
            return stamp.time > from && stamp.time - from >= Self.sleepNanoseconds ? (vector, pending.since) : nil
        }
        for loss in watches[vcpu]?.sleptOn(waiting, at: stamp) ?? [] { lost(loss, vcpu, machine) }
    }

    /// Words read where L1's run ends, by a probe that looks only where C1 may be judged.
    mutating func l1Exit(_ words: LAPICWords, of vcpu: Int, at stamp: EventStamp, in machine: borrowing Machine) {
        let vm = machine.vms[machine.vcpus[vcpu].vm]
        guard vm.isa == .vmx, vm.apicv.state == .active else { return }
        while memory.count <= vcpu { memory.append(WrongSVI()) }
        memory[vcpu].l1Exit(words, at: stamp)
    }

    /// The highest priority class that the guest itself holds back, as far as it shows: that of an interrupt in service
    /// which is not known to be stuck there, or of the task priority.
    private func heldClass(on vcpu: Int, _ machine: borrowing Machine) -> UInt8? {
        let stuck = VectorSet(watches[vcpu]?.stuck.map(\.vector) ?? [])
        let injected = machine.vcpus[vcpu].ledger.highestInjected(but: stuck)
        return [injected, machine.vcpus[vcpu].shownTPR].compactMap { $0.map { $0 >> 4 } }.max()
    }

    private mutating func inhibitsChanged(_ vm: Int, _ machine: borrowing Machine) {
        let timeline = machine.vms[vm].apicv
        for vcpu in watches.indices where machine.vcpus[vcpu].vm == vm {
            if let watch = watches[vcpu], watch.restsOnUnknown {
                switch timeline.initial {
                case .active: watches[vcpu]?.settledActive()
                case .inhibited: watches[vcpu] = nil
                case .unknown: break
                }
            }
            watches[vcpu]?.inhibitsChanged()
            if machine.blocksIRQ(vcpu) { watches[vcpu]?.blockedOnPurpose() }
        }
    }

    /// The trace is over, or time passes with no event: what still sleeps is judged up to here.
    mutating func tick(at time: UInt64, in machine: borrowing Machine) {
        for vcpu in watches.indices where watches[vcpu] != nil && machine.vcpus[vcpu].bracket.isBlocked {
            slept(vcpu, until: EventStamp(time: time, cpu: 0, tid: machine.vcpus[vcpu].tid ?? 0), machine)
        }
    }

    // MARK: Judgement

    /// What the interrupts themselves said of the fix: absent wins, since it takes just one stuck vector.
    var fixByBehaviour: FixState? {
        for case let watch? in watches {
            if let stuck = watch.stuck.first {
                return FixState(
                    state: .absent, basis: .behaviour,
                    evidence: "vector \(stuck.vector.hex) stayed in service after its EOI")
            }
        }
        for case let watch? in watches where !watch.restsOnUnknown {
            if let (crossing, vector) = watch.deliveredDespite {
                return FixState(
                    state: .present, basis: .behaviour,
                    evidence: "\(vector.hex) was delivered after the crossing of \(crossing.vector.hex)")
            }
        }
        return nil
    }

    func findings(in machine: borrowing Machine, fix: FixState) -> [RuleFinding] {
        (0..<max(watches.count, memory.count)).compactMap { vcpu in
            let ofEvents = findingOfEvents(vcpu, fix: fix, in: machine)
            guard memory.indices.contains(vcpu), memory[vcpu].found != nil else { return ofEvents }
            var finding = finding(memory[vcpu], vcpu: vcpu, vm: machine.vcpus[vcpu].vm, fix: fix)
            if let ofEvents { finding.absorb(ofEvents) }
            return finding
        }
    }

    private func findingOfEvents(_ vcpu: Int, fix: FixState, in machine: borrowing Machine) -> RuleFinding? {
        guard watches.indices.contains(vcpu), let watch = watches[vcpu], watch.crossingCount > 0 else { return nil }
        let vm = machine.vcpus[vcpu].vm
        if watch.restsOnUnknown { return unjudged(watch, vcpu: vcpu, vm: vm, machine.info.recordedKinds) }
        let showsTPR = machine.vcpus[vcpu].showsTPR
        return finding(watch, vcpu: vcpu, vm: vm, fix: fix, showsTPR: showsTPR, until: machine.now)
    }

    private func finding(_ memory: WrongSVI, vcpu: Int, vm: Int, fix: FixState) -> RuleFinding {
        var finding = RuleFinding(
            rule: .staleSVI, grade: memory.isConfirmed ? .confirmed : .hazard, vm: vm, vcpu: vcpu, first: memory.first,
            last: memory.last, count: memory.count, statement: memory.statement)
        finding.vectors = memory.vector.map { [$0] } ?? []
        finding.evidence = memory.log
        if !memory.isConfirmed {
            finding.limits.append("No interrupt was seen to be held back by it.")
        }
        if fix.isPresent {
            finding.limits.append("This kernel has the fix for crossings: what made SVI stale is another bug.")
        }
        return finding
    }

    /// A crossing while nothing tells whether APICv was active.
    private func unjudged(_ watch: CrossingWatch, vcpu: Int, vm: Int, _ recorded: EventKindSet) -> RuleFinding {
        var finding = RuleFinding(
            rule: .staleSVI, grade: .inconclusive, vm: vm, vcpu: vcpu,
            first: watch.crossings.map { ($0.acknowledged ?? $0.ended).time }.min() ?? 0,
            last: watch.crossings.map(\.ended.time).max() ?? 0, count: watch.crossingCount, statement: watch.statement)
        finding.vectors = Set(watch.crossings.map(\.vector)).sorted()
        finding.crossings = watch.crossings
        finding.evidence = watch.log
        let missing = EventKindSet(.apicvInhibitChanged, .apicvAcceptIRQ).subtracting(recorded)
        finding.limits.append(
            "Whether APICv was active then can't be told" + (missing.isEmpty ? "." : ": \(missing.recordCommand)"))
        return finding
    }

    private func finding(
        _ watch: CrossingWatch, vcpu: Int, vm: Int, fix: FixState, showsTPR: Bool, until end: UInt64
    ) -> RuleFinding? {
        // A kernel that delivered despite a crossing loads SVI rightly: what waits there waits for something else.
        let isExcused = fix.isPresent && fix.basis == .behaviour
        let grade: Grade
        if watch.hasProof, !fix.isPresent {
            grade = .confirmed
        } else if watch.hasSign, !isExcused {
            grade = showsTPR || watch.isBeyondTPR ? .suspect : .hazard
        } else if !fix.isPresent {
            grade = .hazard
        } else {
            return nil
        }
        let first = watch.crossings.map { ($0.acknowledged ?? $0.ended).time }.min() ?? 0
        let since = (watch.losses.map(\.since.time) + watch.stuck.map(\.since.time)).min()
        var finding = RuleFinding(
            rule: .staleSVI, grade: grade, vm: vm, vcpu: vcpu, first: since ?? first,
            last: watch.hasSign ? end : watch.crossings.map(\.ended.time).max() ?? first,
            count: watch.hasSign ? watch.lostAccepts : watch.crossingCount,
            statement: watch.statement)
        finding.inferred = watch.crossings.contains(where: \.inferred)
        finding.vectors = watch.hasSign ? watch.troubledVectors : Set(watch.crossings.map(\.vector)).sorted()
        finding.crossings = watch.crossings
        finding.symptoms = (watch.stuck.isEmpty ? [] : [.stuckISR]) + (watch.losses.isEmpty ? [] : [.lostAccept])
        finding.evidence = watch.log
        if grade == .hazard, watch.hasSign {
            finding.limits.append("The trace does not show the task priority: it may have masked the vector.")
        } else if grade == .hazard {
            finding.limits.append(
                "Nothing shows that an interrupt was lost: delivery in L1 is silent (virtual-interrupt delivery), and "
                    + "whether this kernel has the fix is not known.")
        }
        return finding
    }
}
