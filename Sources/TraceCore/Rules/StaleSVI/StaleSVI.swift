// SPDX-License-Identifier: Apache-2.0

/// Rule `stale-svi`: an interrupt that is acknowledged at one level and ended at the other, and what that costs on
/// kernels that write SVI to vmcs02.
///
/// VMX with APICv active only. The watches gather; ``findings(in:fix:)`` grades at the end, since the fix may show late.
struct StaleSVI: ~Copyable, Sendable {
    private var watches = Table<VCPUIndex, CrossingWatch>()
    /// As far as words were read.
    private var memory = Table<VCPUIndex, WrongSVI>()
    /// What interrupts of VMs that ended said of the fix.
    private var fixOfEnded: FixState?

    /// S2: lossy recordings sleep for 100 ms and more, healthy ones for 3.8 ms at most.
    static let sleepNanoseconds: UInt64 = 50_000_000

    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        if case .crossed(let crossing) = transition {
            crossed(crossing, vcpu, stamp, machine)
            return
        }
        switch transition {
        // Another mask, or events that nobody saw: the exits are no longer consecutive.
        case .gap, .inhibitsChanged: for index in memory.indices { memory[index].interrupted() }
        case .reset where memory.indices.contains(vcpu): memory[vcpu].interrupted()
        default: break
        }
        if case .inhibitsChanged = transition { inhibitsChanged(machine.vcpus[vcpu].vm, machine) }
        guard hasCrossed(on: vcpu) else { return }
        switch transition {
        case .accepted(let vector, _, _): watches[vcpu].accepted(vector)
        case .acknowledged(let vector, let level, let how):
            let provesSVI = provesSVI(vector, how, on: vcpu, machine)
            let isSure = machine.vcpus[vcpu].ledger[vector].inService?.isSure ?? false
            watches[vcpu].acknowledged(
                vector, level: level, wasInjected: how.isInjection && isSure, provesSVI: provesSVI)
        case .ended(let vector, let level):
            watches[vcpu].ended(vector, at: stamp)
            if level == .l1 { watches[vcpu].endedByL1(at: stamp) }
        case .missedEOI(let stuck, let reported): missedEOI(stuck, reported, vcpu, stamp)
        case .woke: slept(vcpu, until: stamp.time, machine)
        case .gap: watches[vcpu].gap()
        case .reset: watches[vcpu].reset()
        default: break
        }
    }

    mutating func entered(_ level: Level, _ vcpu: VCPUIndex) {
        if level == .l1, hasCrossed(on: vcpu) { watches[vcpu].enteredL1() }
    }

    /// Something of a vCPU that has crossed waits for what the next entry says.
    @inline(__always)
    func watchesEntries(of vcpu: VCPUIndex) -> Bool {
        watches.contains(vcpu) && !watches[vcpu].sleeps.isEmpty
    }

    private func hasCrossed(on vcpu: VCPUIndex) -> Bool { watches.contains(vcpu) && watches[vcpu].hasCrossed }

    /// The highest priority class that has crossed on a vCPU, if any.
    func crossedClass(on vcpu: VCPUIndex) -> PriorityClass? {
        watches.contains(vcpu) ? watches[vcpu].crossedClass : nil
    }

    /// Vectors that crossings left in service there though they were ended.
    func stuckVectors(on vcpu: VCPUIndex) -> VectorSet {
        watches.contains(vcpu) ? watches[vcpu].stuckVectors : VectorSet()
    }

    /// The VM of this vCPU has ended: another one has its place.
    mutating func forget(_ vcpu: VCPUIndex) {
        if watches.contains(vcpu) { watches[vcpu] = CrossingWatch() }
        if memory.indices.contains(vcpu) { memory[vcpu] = WrongSVI() }
    }

    /// What they showed by now stays known when they are forgotten.
    mutating func rememberFix(in machine: borrowing Machine) {
        fixOfEnded = fixByBehaviour(in: machine)
    }

    // MARK: Events

    private mutating func crossed(
        _ crossing: Crossing, _ vcpu: VCPUIndex, _ stamp: EventStamp, _ machine: borrowing Machine
    ) {
        let vm = machine.vcpus[vcpu].vm
        let state = machine.vms[vm].apicv.state
        guard machine.vms[vm].isa == .vmx, state != .inhibited else { return }
        // What happened while nothing was known of APICv gives way to what is known.
        if state == .active, watches[vcpu, default: CrossingWatch()].restsOnUnknown { watches[vcpu] = CrossingWatch() }
        let above =
            machine.vcpus[vcpu].ledger.highestPending.map { $0.priorityClass > crossing.vector.priorityClass } ?? false
        watches[vcpu, default: CrossingWatch()].crossed(crossing, apicvKnown: state == .active, pendingAbove: above)
        if watches[vcpu].crossingCount <= 4 { watches[vcpu].log.add(crossing) }
    }

    /// Whether a delivery shows what SVI was. Not where KVM handed the vector to L1 with the exit, which it picks by ISR and
    /// whose SVI it loads itself; nor where the vector may be the PIC's.
    private func provesSVI(
        _ vector: UInt8, _ how: Acknowledgement, on vcpu: VCPUIndex, _ machine: borrowing Machine
    ) -> Bool {
        guard !machine.vcpus[vcpu].acknowledgesOnExit, machine.vcpus[vcpu].ledger[vector].inService?.isSure ?? false
        else {
            return false
        }
        switch how {
        case .withExit: return false
        case .injected, .injectedAtEntry: return true
        // The PIC's interrupt of the same number would have been reported by kvm_inj_virq.
        case .passedOn: return machine.consistency.seen.contains(.injVIRQ) || machine.info.knowsSelection
        }
    }

    private mutating func missedEOI(_ stuck: UInt8, _ reported: Int32, _ vcpu: VCPUIndex, _ stamp: EventStamp) {
        watches[vcpu].missedEOI(stuck: stuck, at: stamp)
        let what = UInt8(exactly: reported).map { "vector \($0.hex)" } ?? "no vector"
        watches[vcpu].log.add(
            "kvm_eoi", at: stamp, isKey: true,
            "EOI_INDUCED in L1 ends \(what) while \(stuck.hex) is in service: \(stuck.hex) stays stuck")
    }

    /// A HLT lasted until `time` though interrupts were waiting.
    private mutating func slept(_ vcpu: VCPUIndex, until time: UInt64, _ machine: borrowing Machine) {
        guard machine.measuresTime, !machine.blocksIRQ(vcpu) else { return }
        let bracket = machine.vcpus[vcpu].bracket
        let halted = EventStamp(time: bracket.time, cpu: bracket.cpu, tid: machine.vcpus[vcpu].tid ?? 0)
        let held = machine.heldClass(on: vcpu, but: watches[vcpu].stuckVectors)
        for vector in machine.vcpus[vcpu].ledger.pending.vectors where held.map({ $0 < vector.priorityClass }) ?? true {
            guard let pending = machine.vcpus[vcpu].ledger[vector].pending else { continue }
            // Before the HLT hardware may have delivered it; during it nothing runs that could take it.
            guard !pending.maybeSilent || pending.since.time >= halted.time else { continue }
            let from = max(halted.time, pending.since.time)
            guard time > from, time - from >= Self.sleepNanoseconds else { continue }
            watches[vcpu].sleptOn(vector, accepted: pending.since, halted: halted)
        }
    }

    /// Words read at any exit.
    mutating func words(_ words: LAPICWords, of vcpu: VCPUIndex, at stamp: EventStamp) {
        if hasCrossed(on: vcpu) { watches[vcpu].read(words, at: stamp) }
    }

    /// Words read where L1's run ends, by a probe that looks only where C1 may be judged.
    mutating func l1Exit(_ words: LAPICWords, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine) {
        let vm = machine.vcpus[vcpu].vm
        guard machine.vms[vm].isa == .vmx, machine.vms[vm].apicv.state == .active else { return }
        memory[vcpu, default: WrongSVI()].l1Exit(words, at: stamp)
    }

    private mutating func inhibitsChanged(_ vm: VMIndex, _ machine: borrowing Machine) {
        for vcpu in watches.indices where machine.vcpus[vcpu].vm == vm && watches[vcpu].hasCrossed {
            if watches[vcpu].restsOnUnknown {
                switch machine.vms[vm].apicv.initial {
                case .active: watches[vcpu].settledActive()
                case .inhibited: watches[vcpu] = CrossingWatch()
                case .unknown: break
                }
            }
            watches[vcpu].inhibitsChanged()
            if machine.blocksIRQ(vcpu) { watches[vcpu].blockedOnPurpose() }
        }
    }

    /// The trace is over, or time passes with no event: what still sleeps is judged up to here.
    mutating func tick(at time: UInt64, in machine: borrowing Machine) {
        for vcpu in watches.indices where watches[vcpu].hasCrossed && machine.vcpus[vcpu].bracket.isBlocked {
            slept(vcpu, until: time, machine)
        }
    }

    // MARK: Judgement

    /// How many deliveries show the fix where an unseen interrupt of L1's may have repaired SVI before one of them.
    private static let deliveriesNeeded: UInt64 = 16

    /// What the interrupts themselves said of the fix: absent wins, since it takes just one stuck vector.
    func fixByBehaviour(in machine: borrowing Machine) -> FixState? {
        if let fixOfEnded, fixOfEnded.state == .absent { return fixOfEnded }
        for vcpu in watches.indices {
            if let stuck = watches[vcpu].stuck.first {
                return FixState(
                    state: .absent, basis: .behaviour,
                    evidence: "vector \(stuck.vector.hex) stayed in service after its EOI")
            }
        }
        for vcpu in watches.indices {
            let watch = watches[vcpu]
            guard !watch.restsOnUnknown, let (crossing, vector) = watch.firstDelivery else { continue }
            let vm = machine.vms[machine.vcpus[vcpu].vm]
            // A device whose interrupts the IOMMU posts leaves one event, when it is set up, where that is on.
            let knowsDevices =
                vm.apicv.isSeenFromCreation && machine.recordedKinds.contains(.piIRTEUpdate)
            // So does an interrupt that L1 sends itself while it has the vector that it passes on.
            let isShown = knowsDevices && watch.hasDeliveredIntoL2 || watch.deliveries >= Self.deliveriesNeeded
            // It must be this VM's APICv that the inhibits tell of.
            let isActive = vm.usesAPICv || !machine.guessesCreator(of: machine.vcpus[vcpu].vm)
            guard !vm.hasPostedDevices, isShown, isActive, vm.apicv.contradictions == 0 else { continue }
            return FixState(
                state: .present, basis: .behaviour,
                evidence: "\(vector.hex) was delivered after the crossing of \(crossing.vector.hex)"
                    + (watch.deliveries > 1 ? ", and so on \(watch.deliveries) times" : ""))
        }
        return fixOfEnded
    }

    func findings(of vcpus: [VCPUIndex], in machine: borrowing Machine, waits: borrowing Waits, fix: FixState)
        -> [RuleFinding]
    {
        vcpus.prefix { $0 < max(watches.endIndex, memory.endIndex) }.compactMap { vcpu in
            let isProven = memory.indices.contains(vcpu) && memory[vcpu].found != nil
            let ofEvents = findingOfEvents(vcpu, waits[vcpu], fix: fix, isProven: isProven, in: machine)
            guard isProven else { return ofEvents }
            var finding = finding(memory[vcpu], vcpu: vcpu, vm: machine.vcpus[vcpu].vm, fix: fix)
            if let ofEvents { finding.absorb(ofEvents) }
            return finding
        }
    }

    private func finding(_ memory: WrongSVI, vcpu: VCPUIndex, vm: VMIndex, fix: FixState) -> RuleFinding {
        var finding = RuleFinding(
            rule: .staleSVI, grade: memory.isConfirmed ? .confirmed : .hazard, vm: vm, vcpu: vcpu, first: memory.first,
            last: memory.last, count: memory.count, statement: memory.statement)
        finding.vectors = memory.lost.map { [$0] } ?? []
        finding.stuck = memory.stuck.map { [$0] } ?? []
        finding.evidence = memory.log
        if !memory.isConfirmed {
            finding.limits.append("No interrupt was seen to be held back by it.")
        }
        if fix.isPresent {
            finding.limits.append(
                """
                The fix for crossings is there by \(fix.basis.rawValue), and SVI is stale all the same: the fix is broken, or \
                another bug made it so.
                """)
        }
        return finding
    }

    private func findingOfEvents(
        _ vcpu: VCPUIndex, _ waits: WaitWatch, fix: FixState, isProven: Bool, in machine: borrowing Machine
    ) -> RuleFinding? {
        guard hasCrossed(on: vcpu) else { return nil }
        let watch = watches[vcpu]
        let vm = machine.vcpus[vcpu].vm
        // Where injections were not on, any interrupt that L2 ended may have been one.
        if watch.restsOnNoInjection, !machine.showsInjections { return nil }
        // Up to 5.17 no event tells of inhibits: there the state stays unknown on any recording.
        let canKnow = machine.info.recordsInhibits || machine.vms[vm].apicv.contradictions > 0
        if watch.restsOnUnknown, canKnow { return unjudged(watch, vcpu: vcpu, vm: vm, machine.recordedKinds) }
        return CrossingJudgement(watch, waits, of: vcpu, in: machine).finding(fix: fix, isProven: isProven)
    }

    /// A crossing while nothing tells whether APICv was active.
    private func unjudged(_ watch: CrossingWatch, vcpu: VCPUIndex, vm: VMIndex, _ recorded: EventKindSet) -> RuleFinding
    {
        var finding = RuleFinding(
            rule: .staleSVI, grade: .inconclusive, vm: vm, vcpu: vcpu,
            first: watch.crossings.map { ($0.acknowledged ?? $0.ended).time }.min() ?? 0,
            last: watch.crossings.map(\.ended.time).max() ?? 0, count: watch.crossingCount,
            statement: watch.crossingStatement)
        finding.vectors = Set(watch.crossings.map(\.vector)).sorted()
        finding.crossings = watch.crossings
        finding.evidence = watch.log
        let missing = EventKindSet(.apicvInhibitChanged, .apicvAcceptIRQ).subtracting(recorded)
        finding.limits.append(Limit("Whether APICv was active then can't be told.", missing: missing))
        return finding
    }
}

extension EvidenceLog {
    /// Both ends of a crossing.
    mutating func add(_ crossing: Crossing) {
        if let acknowledged = crossing.acknowledged, let how = crossing.by {
            let place =
                switch how {
                case .injected, .injectedAtEntry: ", injected straight into \(crossing.acknowledgedAt.name)"
                case .withExit: ", handed to L1 with the exit"
                case .passedOn: ", passed on to L2 in event_inj"
                }
            add(
                how.event.tracepoints[0], at: acknowledged,
                "\(crossing.vector.hex) acknowledged in \(crossing.acknowledgedAt.name)\(place)")
        }
        let text =
            if crossing.endedAt == .l2 {
                "\(crossing.vector.hex) ended by L2: the crossing"
            } else if crossing.endedBy == .eoi {
                "L1 has written the EOI of \(crossing.vector.hex), and another is ended: the crossing"
            } else {
                "L2's EOI of \(crossing.vector.hex) handed to L1, which writes it: the crossing"
            }
        add(crossing.endedBy.tracepoints[0], at: crossing.ended, text)
    }
}
