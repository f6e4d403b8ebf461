// SPDX-License-Identifier: Apache-2.0

/// Registers, interrupts offered, injected and ended.
extension Machine {
    mutating func apic(_ access: KVMEvent.APICAccess, _ thread: Int, _ stamp: EventStamp) {
        // The access itself is counted by the exit, kvm_mmio or kvm_msr; this names the thread as a vCPU's.
        _ = vcpu(of: thread)
    }

    mutating func msr<Observer: MachineObserver>(
        _ access: KVMEvent.MSRAccess, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        let vcpu = vcpu(of: thread)
        guard !access.exception else { return }
        if access.index == 0x1b, access.isWrite { vcpus[vcpu].apicBaseWritten(access.value) }
        guard let register = APICRegister(msr: access.index), !vcpus[vcpu].bracket.isForwarded else { return }
        vcpus[vcpu].shown(register, access.value)
        switch vcpus[vcpu].actingLevel {
        case .l2: accessedDirectly(vcpu, register, isWrite: access.isWrite, .x2apic, stamp, &observer)
        case .l1: vcpus[vcpu].accessesByL1.accessed(register, isWrite: access.isWrite)
        case .unknown: vcpus[vcpu].accessesUnbracketed.accessed(register, isWrite: access.isWrite)
        }
    }

    mutating func apicIPI<Observer: MachineObserver>(
        _ ipi: KVMEvent.APICIPI, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].ipis.sent(ipi)
        if vcpus[vcpu].bracket.isOpen, vcpus[vcpu].bracket.reason == .eptMisconfig {
            observer.observe(.sentIPIInMisconfig, of: vcpu, at: stamp, in: self)
        }
    }

    mutating func apicAcceptIRQ<Observer: MachineObserver>(
        _ accept: KVMEvent.APICAcceptIRQ, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        guard let vcpu = target(accept.vcpu, of: thread) else { return }
        let mode = DeliveryMode(icrLow: UInt32(accept.deliveryMode))
        guard mode.hasVector else {
            if mode == .`init` || mode == .sipi {
                // In VMX operation an INIT is L1's to know of, and resets nothing.
                if mode == .`init`, !vcpus[vcpu].hasNested { vcpus[vcpu].ledger.reset() }
                observer.observe(.offered(mode, vector: accept.vector), of: vcpu, at: stamp, in: self)
            }
            return
        }
        let level = vcpus[vcpu].mode
        guard !vcpus[vcpu].isSoftwareDisabled else {
            vcpus[vcpu].ledger.refused(accept.vector, level: level)
            return
        }
        let silent = level != .l2 && deliversSilently(vcpus[vcpu].vm)
        vcpus[vcpu].ledger.accepted(accept.vector, level: level, silent: silent, at: stamp)
        observer.observe(.accepted(accept.vector, level: level, silent: silent), of: vcpu, at: stamp, in: self)
    }

    mutating func injVIRQ<Observer: MachineObserver>(
        _ injection: KVMEvent.InjVIRQ, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        guard injection.soft != true, let vector = UInt8(exactly: injection.vector) else { return }
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].isInjecting = true
        inject(vector, isAgain: injection.reinjected, vcpu, stamp, &observer)
    }

    /// - Parameter isAgain: nil where the event doesn't tell, as in 5.10 to 5.19 and in `kvm_entry`: then it is again
    ///   what repeats the vector whose delivery the exit interrupted.
    mutating func inject<Observer: MachineObserver>(
        _ vector: UInt8, isAgain: Bool?, _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        if isAgain ?? (vcpus[vcpu].bracket.interruptedVector == vector) {
            vcpus[vcpu].bracket.interruptedVector = nil
            vcpus[vcpu].ledger.reinjected(vector)
            if vcpus[vcpu].bracket.isOpen, !vcpus[vcpu].isKnownNotToNest {
                vcpus[vcpu].standstill.reinjected(
                    vector, vcpus[vcpu].bracket.reason, time: stamp.time, measuresTime: measuresTime)
            }
            return
        }
        let level = vcpus[vcpu].mode
        // With APICv in use only ExtINT (the PIC) is injected into L1: not the local APIC's business.
        if level == .l1, vms[vcpus[vcpu].vm].apicv.state == .active, vms[vcpus[vcpu].vm].isa == .vmx { return }
        acknowledge(vector, level, vcpu, stamp, &observer)
    }

    mutating func acknowledge<Observer: MachineObserver>(
        _ vector: UInt8, _ level: Level, _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        vcpus[vcpu].ledger.acknowledged(vector, level: level, at: stamp)
        observer.observe(.acknowledged(vector, level: level), of: vcpu, at: stamp, in: self)
    }

    mutating func eoi<Observer: MachineObserver>(
        _ end: KVMEvent.EOI, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        let acting = vcpu(of: thread)
        if vcpus[acting].id == nil { _ = vcpu(of: thread, id: Int32(exactly: end.vcpu)) }
        guard let vcpu = target(end.vcpu, of: thread) else { return }
        let level = vcpus[vcpu].actingLevel
        let isInduced = vcpus[vcpu].bracket.isOpen && vcpus[vcpu].bracket.reason == .eoiInduced
        if level == .l1, vcpus[vcpu].hookedEOI != nil {
            // L1 ends on L2's behalf, and this time KVM is told of what.
            vcpus[vcpu].hookedEOI = nil
        }
        // What L1 itself acknowledged it may have ended in silence; what was injected into L2 it has not.
        if isInduced, level == .l1, let stuck = vcpus[vcpu].ledger.highestInService, Int32(stuck) > end.vector,
            vcpus[vcpu].ledger[stuck].inService?.level == .l2, !mayBeOfL1(end.vector, vcpu)
        {
            missedEOI(of: stuck, told: end.vector, vcpu, stamp, &observer)
        }
        guard let vector = UInt8(exactly: end.vector) else {
            vcpus[vcpu].ledger.hasNothingUnseen()
            return
        }
        let silent = seesInjections && deliversSilently(vcpus[vcpu].vm) && vms[vcpus[vcpu].vm].isa == .vmx
        // A VM that was created before our eyes began with nothing in service.
        if vms[vcpus[vcpu].vm].apicv.isSeenFromCreation, vcpus[vcpu].ledger.gaps == 0 {
            vcpus[vcpu].ledger.hasNothingUnseen()
        }
        let crossing = vcpus[vcpu].ledger.ended(vector, level: level, silentAcknowledge: silent, at: stamp)
        observer.observe(.ended(vector, level: level), of: vcpu, at: stamp, in: self)
        if let crossing { observer.observe(.crossed(crossing), of: vcpu, at: stamp, in: self) }
    }

    /// L1 may have taken this vector by itself and now ends it: then it has ended what was above it before, in silence.
    private func mayBeOfL1(_ vector: Int32, _ vcpu: Int) -> Bool {
        guard let vector = UInt8(exactly: vector) else { return false }
        let account = vcpus[vcpu].ledger[vector]
        return account.pending?.maybeSilent ?? false || account.inService?.level == .l1
    }

    private mutating func missedEOI<Observer: MachineObserver>(
        of stuck: UInt8, told: Int32, _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        if let crossing = vcpus[vcpu].ledger.missedEOI(of: stuck, at: stamp) {
            observer.observe(.crossed(crossing), of: vcpu, at: stamp, in: self)
        }
        observer.observe(.missedEOI(stuck: stuck, told: told), of: vcpu, at: stamp, in: self)
    }

    mutating func pvEOI<Observer: MachineObserver>(
        _ end: KVMEvent.EOI, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        // apic_set_eoi has told of it as kvm_eoi before (apic_sync_pv_eoi_from_guest, arch/x86/kvm/lapic.c).
        if !info.recordedKinds.contains(.eoi) { eoi(end, thread, stamp, &observer) }
    }
}
