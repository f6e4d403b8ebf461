// SPDX-License-Identifier: Apache-2.0

/// APICv's state: inhibits set and cleared, and what shows it without them.
extension Machine {
    mutating func inhibits(
        _ change: KVMEvent, _ observer: inout some Observer
    ) {
        settleNames(change)
        if createsVM(change) {
            // Also a thread that ran a vCPU has done with that VM, or made room for another beside it.
            if let vm = threads[thread].vm { grouping.left(vm) }
            // Of no other thread the end is certain.
            if threads[thread].vcpu != nil, threads[thread].process != 0 {
                grouping.made(by: threads[thread].tid, at: stamp.time)
            }
            threads.setVCPU(nil, id: nil, vm: nil, ofThread: thread)
            // Its process tells which VM it will be; another VM of that process it is not.
            guard threads[thread].process == 0 else {
                return orphan(change)
            }
            grouping.created(by: threads[thread].tid)
        }
        // A thread that neither created a VM nor runs a vCPU may be any VM's.
        guard let vm = worksFor(thread) else { return orphan(change) }
        let before = vms[vm].apicv.initial
        let isChange = apply(change, toVM: vm, at: stamp)
        let isSettled = before != vms[vm].apicv.initial
        if isSettled { settleAccesses(ofVM: vm) }
        if isChange || isSettled, let first = vms[vm].vcpus.first {
            observer.observe(.inhibitsChanged, of: first, at: stamp, in: self)
        }
    }

    private mutating func orphan(_ change: KVMEvent) {
        if orphanedChanges.count == Self.mostOrphans { orphanedChanges.removeFirst() }
        orphanedChanges.append((change, stamp))
    }

    /// Whether the VM's mask changed.
    mutating func apply(_ change: KVMEvent, toVM vm: VMIndex, at stamp: EventStamp) -> Bool {
        if !grouping.isSure(of: stamp.tid, for: vm), !isOfEveryVM(change) {
            return vms[vm].apicv.becameUnknown(at: stamp)
        }
        return switch change {
        case .apicvInhibitChanged(let change): vms[vm].apicv.inhibitChanged(change, at: stamp)
        case .apicvUpdateRequest(let request): vms[vm].apicv.updateRequested(request, at: stamp)
        default: false
        }
    }

    /// Which of several VMs that were created in the trace is this one is a guess.
    func guessesCreator(of vm: VMIndex) -> Bool { grouping.groups[vm].isCreatorGuessed }

    /// DISABLED is the host's, and every VM begins with ABSENT.
    private func isOfEveryVM(_ change: KVMEvent) -> Bool {
        guard case .apicvInhibitChanged(let change) = change else { return false }
        return (0..<64).filter { change.inhibits >> UInt64($0) & 1 != 0 }.allSatisfy {
            $0 == 0 || inhibitNames.mayBeAbsent(bit: $0)
        }
    }

    /// KVM_CREATE_VM sets ABSENT, DISABLED or one after the other, and nothing else sets them (kvm_apicv_init,
    /// arch/x86/kvm/x86.c): the first of them on a mask that was empty. A vCPU's thread sets other bits meanwhile, so that
    /// a bit that only may be ABSENT says nothing of one.
    private func createsVM(_ change: KVMEvent) -> Bool {
        guard case .apicvInhibitChanged(let change) = change, change.set, (0..<64).contains(change.reason),
            change.inhibits == 1 << UInt64(change.reason)
        else { return false }
        let bit = Int(change.reason)
        if bit == 0 || inhibitNames.certainName(bit: bit) == "ABSENT" { return true }
        return inhibitNames.mayBeAbsent(bit: bit) && threads[thread].vcpu == nil
    }

    /// The kernel's order of bits shows where a VM is created: what a thread sets first and clears when it makes the
    /// irqchip is ABSENT. NESTED, which has its number in another order, is never cleared, and IRQWIN is cleared by a
    /// vCPU's thread.
    private mutating func settleNames(_ change: KVMEvent) {
        guard case .apicvInhibitChanged(let change) = change, (0..<64).contains(change.reason),
            inhibitNames.mayBeAbsent(bit: Int(change.reason)), inhibitNames.certainName(bit: Int(change.reason)) == nil
        else { return }
        let tid = threads[thread].tid
        let before = creations.firstIndex { $0.tid == tid }
        if change.set {
            if before == nil, threads[thread].vcpu == nil {
                if creations.count == VMGrouping.capacity { creations.removeFirst() }
                creations.append((tid, change.inhibits == 1 << UInt64(change.reason) ? change.reason : -1))
            }
        } else if let before, creations[before].bit == change.reason, threads[thread].vcpu == nil,
            change.inhibits >> UInt64(change.reason) & 1 == 0
        {
            inhibitNames.settle(absent: Int(change.reason))
        }
    }

    mutating func apicvAcceptIRQ(
        _ accept: KVMEvent.APICAcceptIRQ, _ observer: inout some Observer
    ) {
        guard let vcpu = target(of: accept, from: thread) else { return }
        // A disabled APIC takes nothing (__apic_accept_irq, arch/x86/kvm/lapic.c).
        vcpus[vcpu].isSoftwareDisabled = false
        showedActive(vcpus[vcpu].vm, vcpu, &observer)
    }

    mutating func avicUnacceleratedAccess(
        _ access: KVMEvent.AVICUnacceleratedAccess, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        guard vcpus[vcpu].actingLevel != .l2 else { return }
        accessedByL1(
            vcpu, .init(register: APICRegister(offset: access.offset), isWrite: access.isWrite), &observer)
    }

    /// A device's interrupts go to the vCPU without KVM from now on: none of them leaves an event.
    mutating func piIRTEUpdate(_ update: KVMEvent.PIIRTEUpdate) {
        guard update.set, let vm = worksFor(thread) else { return }
        vms[vm].hasPostedDevices = true
    }

    /// Something that happens with APICv in use only.
    mutating func showedActive(
        _ vm: VMIndex, _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        vms[vm].usesAPICv = true
        guard vms[vm].apicv.state != .active, vms[vm].isa != .svm || vms[vm].apicv.state == .unknown,
            vms[vm].apicv.showedActive(since: vcpus[vcpu].enteredAt, at: stamp)
        else { return }
        settleAccesses(ofVM: vm)
        observer.observe(.inhibitsChanged, of: vcpu, at: stamp, in: self)
    }

    /// Something that happens on VMX with APICv switched off only, as far as one event can tell.
    mutating func showedInactive(
        _ vm: VMIndex, _ vcpu: VCPUIndex, _ sign: APICvTimeline.InactiveSign,
        _ observer: inout some Observer
    ) {
        // Where nothing tells the levels apart, it may be L2 that it happens to, as with APICv on.
        guard vms[vm].isa == .vmx, vms[vm].apicv.state != .inhibited,
            consistency.tellsLevels || !vcpus[vcpu].hasNested,
            vms[vm].apicv.showedInactive(
                sign, settles: consistency.tellsLevels || vms[vm].apicv.isSeenFromCreation,
                since: vcpus[vcpu].enteredAt, at: stamp)
        else { return }
        settleAccesses(ofVM: vm)
        observer.observe(.inhibitsChanged, of: vcpu, at: stamp, in: self)
    }

    /// KVM's local APIC does something, which it can't while ABSENT is set: the event that cleared it is not in the trace.
    mutating func showedLocalAPIC(
        _ vm: VMIndex, _ vcpu: VCPUIndex, at stamp: EventStamp, _ observer: inout some Observer
    ) {
        guard vms[vm].apicv.state == .inhibited, inhibitNames.isAbsent(mask: vms[vm].apicv.current.mask),
            vms[vm].apicv.showedUnknown(since: vcpus[vcpu].enteredAt, at: stamp)
        else { return }
        observer.observe(.inhibitsChanged, of: vcpu, at: stamp, in: self)
    }

    mutating func settleAccesses(ofVM vm: VMIndex) {
        guard vms[vm].apicv.contradictions == 0 else { return }
        for vcpu in vms[vm].vcpus { vcpus[vcpu].accessesDirect.settle(vms[vm].apicv.initial) }
    }
}
