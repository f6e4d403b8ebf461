// SPDX-License-Identifier: Apache-2.0

/// Entries, exits and what ends a wait: which level runs.
extension Machine {
    @inline(__always)
    public mutating func exit(_ exit: KVMEvent.Exit, at stamp: EventStamp, observer: inout some Observer) {
        guard let vcpu = attribute(stamp, vcpu: exit.vcpu, &observer) else { return }
        consistency.exit(afterExit: vcpus[vcpu].bracket.isOpen)
        if vcpus[vcpu].unlevelled.count > 0 { acceptHeld(vcpu, level: vcpus[vcpu].bracket.level, &observer) }
        let before = vcpus[vcpu].mode
        vcpus[vcpu].exited(exit, presuming: presumption, at: stamp)
        if observer.watchesExits(of: vcpu) {
            let (reason, level) = (vcpus[vcpu].bracket.reason, vcpus[vcpu].bracket.level)
            observer.observe(.exited(reason, level: level), of: vcpu, at: stamp, in: self)
        }
        let vm = vcpus[vcpu].vm
        if vms[vm].isa != vcpus[vcpu].bracket.reason.isa { firstExit(of: vm, vcpus[vcpu].bracket.reason.isa) }
        if !vcpus[vcpu].bracket.isPlain { exitTells(vcpu, before: before, at: stamp, &observer) }
    }

    /// What an exit's reason says beside that it happened.
    @inline(never)
    private mutating func exitTells(
        _ vcpu: VCPUIndex, before: Level, at stamp: EventStamp, _ observer: inout some Observer
    ) {
        self.stamp = stamp
        let (reason, level) = (vcpus[vcpu].bracket.reason, vcpus[vcpu].bracket.level)
        if reason.startsL2 {
            vcpus[vcpu].hasNested = true
            vcpus[vcpu].hasLaunched = true
        }
        guard reason.isa == .vmx else { return }
        switch reason {
        case .apicWrite, .eoiInduced:
            // An L2 that L1 gives APICv to has them too, whatever APICv is to L1.
            if before != .l2 { showedActive(vcpus[vcpu].vm, vcpu, &observer) }
            if reason == .apicWrite, level != .l2 {
                accessedByL1(vcpu, vcpus[vcpu].bracket.virtualizedAccess, &observer)
            }
        case .apicAccess:
            if before != .l2 { vms[vcpus[vcpu].vm].hasAPICAccessPage = true }
            if level != .l2 { accessedByL1(vcpu, vcpus[vcpu].bracket.virtualizedAccess, &observer) }
        case .eptViolation:
            consistency.eptViolation()
        case .msrRead, .msrWrite:
            if before == .l1 { consistency.msrExitOfL1() }
        case .vmlaunch, .vmresume:
            if before == .l2 { consistency.returnWithoutInject() }
        case .crAccess:
            // kvm_cr tells the value, where it is on and the access is KVM's to carry out.
            if vcpus[vcpu].bracket.writesCR8 { vcpus[vcpu].shownTPR = nil }
        case .interruptWindow:
            if level == .l2 { observer.observe(.interruptWindow, of: vcpu, at: stamp, in: self) }
        default:
            break
        }
    }

    /// The first exit of a VM names the host's ISA, and ends the time before the VM ran.
    @inline(never)
    private mutating func firstExit(of vm: VMIndex, _ isa: ISA) {
        vms[vm].isa = isa
        vms[vm].apicv.vcpuRan()
    }

    @inline(__always)
    public mutating func entry(_ entry: KVMEvent.Entry, at stamp: EventStamp, observer: inout some Observer) {
        guard let vcpu = attribute(stamp, vcpu: entry.vcpu, &observer) else { return }
        consistency.entry(afterEntry: !vcpus[vcpu].bracket.isOpen && vcpus[vcpu].enteredAt != 0)
        let word = InterruptionInfo(entry.intrInfo ?? 0)
        if vcpus[vcpu].bracket.endsPlainly, vcpus[vcpu].enteredAt != 0, entry.rip != Self.resetVector, !word.isValid {
            if entry.intrInfo != nil { vcpus[vcpu].isInjecting = false }
        } else {
            entryTells(entry, vcpu, at: stamp, &observer)
        }
        if vcpus[vcpu].entered(at: stamp.time) { finishExit(vcpu, at: stamp, &observer) }
        if observer.watchesEntries(of: vcpu) {
            observer.entered(vcpus[vcpu].mode, of: vcpu, at: stamp, in: self)
        }
    }

    /// What an entry says of the exit before it, and of what is injected.
    @inline(never)
    private mutating func entryTells(
        _ entry: KVMEvent.Entry, _ vcpu: VCPUIndex, at stamp: EventStamp, _ observer: inout some Observer
    ) {
        self.stamp = stamp
        if vcpus[vcpu].enteredAt == 0, vcpus[vcpu].bracket.isOpen { ranBefore(vcpu) }
        endWait(vcpu, &observer)
        if entry.rip == Self.resetVector { enteredAtResetVector(vcpu, &observer) }
        if vcpus[vcpu].bracket.mayChangeLevel { settleLevel(vcpu, &observer) }
        if let info = entry.intrInfo { entering(vcpu, InterruptionInfo(info), &observer) }
    }

    /// What the exit has shown of the APIC page holds from here on, and so does what waits for L1.
    @inline(never)
    private mutating func finishExit(_ vcpu: VCPUIndex, at stamp: EventStamp, _ observer: inout some Observer) {
        if vcpus[vcpu].mode != .l2, deliversSilently(vcpus[vcpu].vm) { vcpus[vcpu].ledger.markSilentDelivery() }
        _ = vcpus[vcpu].pageOfL2.exitHandled()
        guard vcpus[vcpu].pageOfL1.exitHandled() else { return }
        observer.observe(.pageChanged(.l1), of: vcpu, at: stamp, in: self)
    }

    /// Where a processor begins after a reset (SDM 10.1.4).
    private static let resetVector: UInt64 = 0xfff0

    /// Nothing that KVM does for a guest between an exit and an entry takes it there from elsewhere, but for L1's own start
    /// of an L2: the VMM has reset the VM (KVM_SET_REGS, KVM_SET_LAPIC), which leaves no event.
    @inline(never)
    private mutating func enteredAtResetVector(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        let bracket = vcpus[vcpu].bracket
        // An instruction that is skipped has 15 bytes at most.
        guard bracket.isOpen, !bracket.reason.startsL2, !bracket.isForwarded,
            Self.resetVector &- vcpus[vcpu].standstill.current.rip > 15
        else { return }
        wasReset(vcpu, &observer)
    }

    /// The vCPU ran L2, and now L1, which nobody handed an exit to, once INIT and SIPI had been offered to it: the VM was
    /// reset in between (vmx_leave_nested tells nothing, arch/x86/kvm/vmx/nested.c), and its firmware starts its processors.
    private mutating func wasReset(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        vcpus[vcpu].resetAPIC()
        vcpus[vcpu].mode = .l1
        observer.observe(.reset, of: vcpu, at: stamp, in: self)
    }

    /// The vCPU's first event was the exit of an entry that came before the trace: the VM that a thread created in the trace,
    /// and that this vCPU was taken for a part of, is another one.
    @inline(never)
    private mutating func ranBefore(_ vcpu: VCPUIndex) {
        let vm = vcpus[vcpu].vm
        guard vcpus[vcpu].ledger.gaps == 0, grouping.releaseCreator(of: vm) else { return }
        vms[vm].apicv.ranBefore()
    }

    /// The exit is handled, and what no `kvm_nested_vmexit` and no `kvm_nested_vmenter` has told by now they won't tell.
    @inline(never)
    private mutating func settleLevel(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        let bracket = vcpus[vcpu].bracket
        if bracket.followsL2, bracket.isLevelPresumed, bracket.level != .l2 {
            consistency.exitOfL2WithoutNestedVMExit()
            if vcpus[vcpu].wakeup == .sipiOffered { wasReset(vcpu, &observer) }
            if consistency.lacksNestedVMExit { presumption = .nothing }
        }
        if vcpus[vcpu].unlevelled.count > 0 { acceptHeld(vcpu, level: bracket.level, &observer) }
        guard bracket.reason.startsL2, bracket.level != .l2, vcpus[vcpu].mode != .l2, !bracket.hasFailedEntry else {
            return
        }
        consistency.launch(answered: false)
        // Up to 5.19 VMX has no event for it, and a recording may lack it: L2 runs, unless L1's VMCS was refused.
        if !consistency.hasSeenNestedVMEnter { enterL2(vcpu, &observer) }
    }

    /// What `kvm_entry` tells of the event to inject, 6.14 and later.
    private mutating func entering(
        _ vcpu: VCPUIndex, _ info: InterruptionInfo, _ observer: inout some Observer
    ) {
        vcpus[vcpu].isInjecting = info.isValid
        // kvm_inj_virq has told of it, or it is what L1 injects into L2, which is no business of L1's APIC.
        guard let vector = info.externalVector, vcpus[vcpu].bracket.injected != vector,
            vcpus[vcpu].injectionOfL1 != vector
        else { return }
        // Without kvm_nested_vmenter the first entry of L2 may repeat what L1 injects.
        guard !(vcpus[vcpu].bracket.reason.startsL2 && vcpus[vcpu].bracket.isOpen) else {
            return observer.observe(.enteringL2(injecting: vector), of: vcpu, at: stamp, in: self)
        }
        if vcpus[vcpu].bracket.isOpen, vcpus[vcpu].bracket.interruptedVector != vector {
            consistency.injectionWithoutInjVIRQ()
        }
        inject(vector, isAgain: nil, by: .injectedAtEntry, vcpu, &observer)
    }

    mutating func vcpuWakeup(
        _ wakeup: KVMEvent.VCPUWakeup, _ observer: inout some Observer
    ) {
        endWait(vcpu(of: thread), &observer)
    }

    /// A HLT that L0 handles blocks the vCPU's thread inside its bracket until something wakes it.
    @inline(__always)
    private mutating func endWait(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        guard vcpus[vcpu].bracket.isBlocked else { return }
        observer.observe(.woke, of: vcpu, at: stamp, in: self)
        vcpus[vcpu].bracket.hasWoken = true
    }

    mutating func userspaceExit(
        _ exit: KVMEvent.UserspaceExit, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        // KVM_EXIT_IOAPIC_EOI: the IOAPIC is the VMM's (KVM_CAP_SPLIT_IRQCHIP).
        if exit.reason == 26 { observer.observe(.toldIOAPIC, of: vcpu, at: stamp, in: self) }
    }

    /// CR8 holds bits 7:4 of the task priority (SDM 11.8.6).
    mutating func cr(_ access: KVMEvent.CRAccess) {
        let vcpu = vcpu(of: thread)
        guard access.isWrite, access.register == 8 else { return }
        vcpus[vcpu].shown(.tpr, access.value << 4)
    }

    mutating func smmTransition(_ transition: KVMEvent.SMMTransition) {
        let vcpu = vcpu(of: thread, id: transition.vcpu)
        // SMM runs outside guest mode; what RSM returns to shows at the next exit, unless it can only be L1.
        vcpus[vcpu].mode = transition.entering || vcpus[vcpu].isKnownNotToNest ? .l1 : .unknown
    }
}
