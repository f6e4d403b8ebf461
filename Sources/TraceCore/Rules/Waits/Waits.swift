// SPDX-License-Identifier: Apache-2.0

/// Follows every interrupt that was accepted while L2 ran, until something delivers it: what `stale-svi` and `lost-accept`
/// judge, the one after a crossing, the other without.
struct Waits: ~Copyable, Sendable {
    private var watches = Table<VCPUIndex, WaitWatch>()

    /// - Parameter crossings: that `stale-svi` knows of by now.
    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine,
        crossings: borrowing StaleSVI
    ) {
        if case .accepted(let vector, let level, _) = transition {
            guard machine.measuresTime, !machine.blocksIRQ(vcpu),
                Self.mayWait(vector, showsTPR: machine.vcpus[vcpu].shownTPR != nil)
            else { return }
            let afterCrossing = crossings.crossedClass(on: vcpu).map { vector.priorityClass <= $0 } ?? false
            let isOffered =
                machine.vms[machine.vcpus[vcpu].vm].apicOfL2.kind == .l1s
                && machine.heldClass(on: vcpu, but: crossings.stuckVectors(on: vcpu)) ?? .lowest < vector.priorityClass
            watches[vcpu, default: WaitWatch()].accepted(
                vector, level: level, afterCrossing: afterCrossing, isOffered: isOffered,
                isInService: machine.vcpus[vcpu].ledger[vector].inService.map { $0.isSure && !$0.mayHaveEnded }
                    ?? false,
                at: stamp)
            return
        }
        if case .inhibitsChanged = transition { return inhibitsChanged(machine.vcpus[vcpu].vm, machine) }
        guard watches.contains(vcpu), !watches[vcpu].isEmpty else { return }
        switch transition {
        case .acknowledged(let vector, let level, let how):
            watches[vcpu].delivered(vector, at: stamp)
            // The PIC asks no priority.
            let isSure = machine.vcpus[vcpu].ledger[vector].inService?.isSure ?? false
            watches[vcpu].otherDelivered(
                vector, intoL2: level == .l2 && how.isInjection && isSure,
                chosenAfter: machine.vcpus[vcpu].bracket.time, how.event,
                at: stamp)
        case .ended(let vector, _): watches[vcpu].ended(vector, at: stamp)
        case .interruptWindow: watches[vcpu].windowOpened()
        case .reflectedInterrupt: watches[vcpu].reflected()
        case .enteringL2(injecting: nil):
            let isOffered = machine.vms[machine.vcpus[vcpu].vm].apicOfL2.kind == .l1s
            if isOffered {
                watches[vcpu].returnedEmpty(
                    held: machine.heldClass(on: vcpu, but: crossings.stuckVectors(on: vcpu)), at: stamp)
            }
        case .enteringL2(injecting: let vector?):
            if !machine.vcpus[vcpu].injectsForPIC { watches[vcpu].delivered(vector, at: stamp) }
            watches[vcpu].otherDelivered(vector, intoL2: false, chosenAfter: 0, .nestedVMEnter, at: stamp)
        case .gap: watches[vcpu].breakOff()
        case .offered(.`init`, _): if !machine.vcpus[vcpu].hasNested { watches[vcpu].reset() }
        case .reset: watches[vcpu].reset()
        default: break
        }
    }

    mutating func entered(
        _ level: Level, _ vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine,
        crossings: borrowing StaleSVI
    ) {
        guard watches.contains(vcpu), !watches[vcpu].isEmpty else { return }
        watches[vcpu].entered(
            exited: machine.vcpus[vcpu].bracket.time, slept: machine.vcpus[vcpu].bracket.reason.isHLT, at: stamp)
        guard level == .l2 else {
            return watches[vcpu].enteredL1(silently: machine.deliversSilently(machine.vcpus[vcpu].vm))
        }
        guard !machine.blocksIRQ(vcpu) else { return watches[vcpu].restart() }
        watches[vcpu].enteredL2(
            injects: machine.vcpus[vcpu].isInjecting,
            held: machine.heldClass(on: vcpu, but: crossings.stuckVectors(on: vcpu)), at: stamp)
    }

    /// Vectors below 16 are never delivered (SDM 11.5.2), and those of class 1 only where the task priority is 0, which
    /// Linux never has.
    private static func mayWait(_ vector: UInt8, showsTPR: Bool) -> Bool { vector >= (showsTPR ? 16 : 32) }

    private mutating func inhibitsChanged(_ vm: VMIndex, _ machine: borrowing Machine) {
        for vcpu in watches.indices where machine.vcpus[vcpu].vm == vm && machine.blocksIRQ(vcpu) {
            watches[vcpu].restart()
        }
    }

    /// The VM of this vCPU has ended: another one has its place.
    mutating func forget(_ vcpu: VCPUIndex) {
        if watches.indices.contains(vcpu) { watches[vcpu] = WaitWatch() }
    }

    /// Something on the vCPU waits for what the next entry says.
    @inline(__always)
    func watchesEntries(of vcpu: VCPUIndex) -> Bool { watches.contains(vcpu) && !watches[vcpu].isIdle }

    /// What came after all, later than any healthy wait lasts: late is not lost, and worth a word.
    func lateDeliveries(in machine: borrowing Machine) -> [Observation] {
        vcpus.flatMap { vcpu in
            watches[vcpu].late.filter(\.outlivesHealthyWaits).map { late in
                let waited = late.delivered.time.elapsed(since: late.accepted.time)
                return Observation(
                    kind: .late, vm: machine.vcpus[vcpu].vm, vcpu: vcpu, vector: late.vector, first: late.accepted.time,
                    last: late.delivered.time, count: 1,
                    text: "came late: \(Observations.time(waited)) after it was accepted.")
            }
        }
    }

    subscript(vcpu: VCPUIndex) -> WaitWatch { watches[vcpu, default: WaitWatch()] }

    var vcpus: Range<VCPUIndex> { watches.indices }
}

extension Machine {
    /// The highest priority class that the guest itself holds back, as far as it shows: that of an interrupt that KVM
    /// injected into L2 and that is in service for certain, or of the task priority.
    func heldClass(on vcpu: VCPUIndex, but stuck: VectorSet = VectorSet()) -> PriorityClass? {
        let injected = vcpus[vcpu].ledger.highestInjected(but: stuck)?.priorityClass
        guard let priority = vcpus[vcpu].shownTPR?.priorityClass else { return injected }
        return max(priority, injected ?? .lowest)
    }

    /// What tells that an interrupt was delivered was on while the trace was recorded: a wait is one for certain.
    var showsDeliveries: Bool {
        let seen = consistency.seen
        guard !filteredKinds.contains(.injVIRQ) else { return false }
        return seen.contains(.injVIRQ) || seen.contains(.nestedVMEnter) && consistency.hasSeenReflections
            // What L1 takes and passes on, the entries alone don't tell from what nobody took.
            || info.formatFields.contains("kvm_entry.intr_info")
                && !seen.isDisjoint(with: EventKindSet(.nestedVMEnter, .nestedVMExitInject))
    }
}
