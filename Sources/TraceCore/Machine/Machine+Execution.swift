// SPDX-License-Identifier: Apache-2.0

/// Entries, exits and what ends a wait: which level runs.
extension Machine {
    @inline(__always)
    public mutating func exit<Observer: MachineObserver>(
        _ exit: KVMEvent.Exit, at stamp: EventStamp, observer: inout Observer
    ) {
        guard let thread = located(at: stamp, &observer) else { return }
        let vcpu = vcpu(of: thread, id: exit.vcpu)
        let before = vcpus[vcpu].mode
        let (reason, level) = vcpus[vcpu].exited(exit, presuming: presumption, at: stamp)
        let vm = vcpus[vcpu].vm
        if vms[vm].isa != reason.isa { began(vm, reason.isa) }
        guard reason.isa == .vmx else { return }
        switch reason {
        case .apicWrite, .eoiInduced:
            // An L2 that L1 gives APICv to has them too, whatever APICv is to L1.
            if before != .l2 { showedActive(vm, vcpu, stamp, &observer) }
            if reason == .apicWrite, level != .l2 { accessedByL1(vcpu, offset: exit.info1, isWrite: true) }
        case .apicAccess:
            if before != .l2 { vms[vm].hasAPICAccessPage = true }
            // Bits 11:0 offset, bits 15:12 type: 0 linear read, 1 linear write (SDM 29.4, "APIC-access exits").
            if level != .l2, exit.info1 >> 12 & 0xf <= 1 {
                accessedByL1(vcpu, offset: exit.info1, isWrite: exit.info1 >> 12 & 0xf == 1)
            }
        case .interruptWindow:
            if level == .l2 { observer.observe(.interruptWindow, of: vcpu, at: stamp, in: self) }
        default:
            break
        }
    }

    /// The first exit of a VM names the host's ISA, and ends the time before the VM ran.
    @inline(never)
    private mutating func began(_ vm: Int, _ isa: ISA) {
        vms[vm].isa = isa
        vms[vm].apicv.vcpuRan()
    }

    @inline(__always)
    public mutating func entry<Observer: MachineObserver>(
        _ entry: KVMEvent.Entry, at stamp: EventStamp, observer: inout Observer
    ) {
        guard let thread = located(at: stamp, &observer) else { return }
        let vcpu = vcpu(of: thread, id: entry.vcpu)
        endWait(vcpu, stamp, &observer)
        let (mode, mapped) = vcpus[vcpu].entered(at: stamp.time, silently: deliversSilently(vcpus[vcpu].vm))
        if mapped { observer.observe(.pageChanged(.l1), of: vcpu, at: stamp, in: self) }
        if let info = entry.intrInfo { vcpus[vcpu].isInjecting = InterruptionInfo(info).isValid }
        if let vector = InterruptionInfo(entry.intrInfo ?? 0).externalVector, !info.recordedKinds.contains(.injVIRQ) {
            inject(vector, isAgain: nil, vcpu, stamp, &observer)
        }
        if observer.watchesEntries(of: vcpu) { observer.observe(.entered(mode), of: vcpu, at: stamp, in: self) }
    }

    mutating func vcpuWakeup<Observer: MachineObserver>(
        _ wakeup: KVMEvent.VCPUWakeup, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        endWait(vcpu(of: thread), stamp, &observer)
    }

    /// A HLT that L0 handles blocks the vCPU's thread inside its bracket until something wakes it.
    @inline(__always)
    private mutating func endWait<Observer: MachineObserver>(
        _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        guard vcpus[vcpu].bracket.isBlocked else { return }
        observer.observe(.woke, of: vcpu, at: stamp, in: self)
        vcpus[vcpu].bracket.hasWoken = true
    }

    mutating func userspaceExit<Observer: MachineObserver>(
        _ exit: KVMEvent.UserspaceExit, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        let vcpu = vcpu(of: thread)
        // KVM_EXIT_IOAPIC_EOI: the IOAPIC is the VMM's (KVM_CAP_SPLIT_IRQCHIP).
        if exit.reason == 26 { observer.observe(.toldIOAPIC, of: vcpu, at: stamp, in: self) }
    }

    mutating func smmTransition(_ transition: KVMEvent.SMMTransition, _ thread: Int, _ stamp: EventStamp) {
        let vcpu = vcpu(of: thread, id: transition.vcpu)
        // SMM runs outside guest mode; what RSM returns to shows at the next exit, unless it can only be L1.
        vcpus[vcpu].mode = transition.entering || vcpus[vcpu].isKnownNotToNest ? .l1 : .unknown
    }
}
