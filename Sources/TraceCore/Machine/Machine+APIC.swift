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
        if access.index == 0x1b, access.isWrite { vcpus[vcpu].apicBase = access.value & 0xf_ffff_ffff_f000 }
        guard let register = APICRegister(msr: access.index), !vcpus[vcpu].bracket.isForwarded else { return }
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
                observer.observe(.offered(mode, vector: accept.vector), of: vcpu, at: stamp, in: self)
            }
            return
        }
        let level = vcpus[vcpu].mode
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
        // 5.10 to 5.19 don't mark a reinjection: it repeats the vector whose delivery the exit interrupted.
        if injection.reinjected ?? (vcpus[vcpu].bracket.interruptedVector == vector) {
            vcpus[vcpu].ledger.reinjected(vector)
            return
        }
        inject(vector, vcpu, stamp, &observer)
    }

    mutating func inject<Observer: MachineObserver>(
        _ vector: UInt8, _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
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
            vcpus[vcpu].ledger[stuck].inService?.level == .l2
        {
            missedEOI(of: stuck, told: end.vector, vcpu, stamp, &observer)
        }
        guard let vector = UInt8(exactly: end.vector) else { return }
        let silent = deliversSilently(vcpus[vcpu].vm) && vms[vcpus[vcpu].vm].isa == .vmx
        let crossing = vcpus[vcpu].ledger.ended(vector, level: level, silentAcknowledge: silent, at: stamp)
        observer.observe(.ended(vector, level: level), of: vcpu, at: stamp, in: self)
        if let crossing { observer.observe(.crossed(crossing), of: vcpu, at: stamp, in: self) }
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
        eoi(end, thread, stamp, &observer)
    }
}
