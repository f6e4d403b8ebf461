// SPDX-License-Identifier: Apache-2.0

/// Registers, interrupts offered, injected and ended.
extension Machine {
    /// A register that KVM itself read or wrote: of an access that `kvm_mmio` or `kvm_msr` tell too, or that hardware
    /// finished and reported (APIC_WRITE). It shows that the APIC answers at that address.
    mutating func apic(
        _ access: KVMEvent.APICAccess, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        let register = APICRegister(offset: access.register)
        let reason = vcpus[vcpu].bracket.reason
        showedLocalAPIC(vcpus[vcpu].vm, vcpu, at: stamp, &observer)
        consistency.register(
            inEPTExit: vcpus[vcpu].bracket.isOpen && reason == .eptMisconfig,
            isEOI: register == .eoi && access.isWrite && reason != .apicWrite)
        if access.isWrite { vcpus[vcpu].shown(register, access.value) }
        vcpus[vcpu].latestAPICRead = access.isWrite ? nil : register
        guard let (unproven, value, written) = vcpus[vcpu].unprovenMMIO else { return }
        vcpus[vcpu].unprovenMMIO = nil
        if access.isWrite, unproven.register == register {
            provedXAPIC(unproven, value, vcpu, written, &observer)
        }
    }

    mutating func msr(
        _ access: KVMEvent.MSRAccess, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        guard !access.exception else { return }
        if access.index == 0x1b, access.isWrite { vcpus[vcpu].apicBaseWritten(access.value) }
        if vcpus[vcpu].hasEndedByMSR {
            vcpus[vcpu].hasEndedByMSR = false
            if access.isWrite, APICRegister(msr: access.index) == .eoi, vcpus[vcpu].bracket.isOpen {
                showedInactive(vcpus[vcpu].vm, vcpu, .eoiByExit, &observer)
            }
        }
        guard let register = APICRegister(msr: access.index), !vcpus[vcpu].bracket.isForwarded else { return }
        vcpus[vcpu].shown(register, access.value)
        switch vcpus[vcpu].actingLevel {
        case .l2: accessedDirectly(vcpu, register, isWrite: access.isWrite, .x2apic, stamp, &observer)
        case .l1: accessed(vcpu, register, isWrite: access.isWrite, .l1, stamp, &observer)
        case .unknown: accessed(vcpu, register, isWrite: access.isWrite, .unknown, stamp, &observer)
        }
    }

    mutating func apicIPI(
        _ ipi: KVMEvent.APICIPI, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].ipis.sent(ipi)
        if observer.watchesExits(of: vcpu) {
            let (vector, mode) = (UInt8(ipi.icrLow & 0xff), DeliveryMode(icrLow: ipi.icrLow))
            observer.observe(.sentIPI(vector, mode), of: vcpu, at: stamp, in: self)
        }
        if vcpus[vcpu].bracket.isOpen, vcpus[vcpu].bracket.reason == .eptMisconfig {
            observer.observe(.sentIPIInMisconfig, of: vcpu, at: stamp, in: self)
        }
    }

    mutating func apicAcceptIRQ(
        _ accept: KVMEvent.APICAcceptIRQ, _ observer: inout some Observer
    ) {
        let mode = DeliveryMode(icrLow: UInt32(accept.deliveryMode))
        guard let vcpu = target(of: accept, from: thread) else {
            if mode.hasVector, let id = Int32(exactly: accept.vcpu) {
                homeless.add(.init(vcpu: id, vector: accept.vector, stamp: stamp))
            }
            return
        }
        guard mode.hasVector else {
            if mode == .`init` || mode == .sipi {
                // In VMX operation an INIT is L1's to know of, and resets nothing.
                if mode == .`init`, !vcpus[vcpu].hasNested { vcpus[vcpu].resetAPIC() }
                if vcpus[vcpu].hasNested { vcpus[vcpu].offeredWakeup(mode) }
                observer.observe(.offered(mode, vector: accept.vector), of: vcpu, at: stamp, in: self)
            }
            return
        }
        vcpus[vcpu].ledger.targeted(accept.vector, isCertain: !accept.inHardIRQ)
        let bracket = vcpus[vcpu].bracket
        // The exit may yet turn out to be L2's.
        if bracket.isOpen, bracket.isLevelPresumed, bracket.followsL2, bracket.level == .l1,
            !vcpus[vcpu].unlevelled.isFull
        {
            vcpus[vcpu].unlevelled.add(accept.vector, at: stamp)
        } else {
            self.accept(accept.vector, vcpu, level: vcpus[vcpu].mode, at: stamp, &observer)
        }
    }

    /// Interrupts that were accepted before the level of the exit was known.
    @inline(never)
    mutating func acceptHeld(_ vcpu: VCPUIndex, level: Level, _ observer: inout some Observer) {
        let held = vcpus[vcpu].unlevelled
        vcpus[vcpu].unlevelled.clear()
        for index in 0..<held.count {
            guard let accept = held[index] else { continue }
            self.accept(accept.vector, vcpu, level: level, at: accept.stamp, &observer)
        }
    }

    private mutating func accept(
        _ vector: UInt8, _ vcpu: VCPUIndex, level: Level, at stamp: EventStamp, _ observer: inout some Observer
    ) {
        showedLocalAPIC(vcpus[vcpu].vm, vcpu, at: stamp, &observer)
        guard !vcpus[vcpu].isSoftwareDisabled else {
            vcpus[vcpu].ledger.refused(vector, level: level)
            if observer.watchesExits(of: vcpu) {
                observer.observe(.refused(vector, level: level), of: vcpu, at: stamp, in: self)
            }
            return
        }
        // No hardware delivers anything to a vCPU that doesn't run.
        let sleeps = vcpus[vcpu].tid == nil || vcpus[vcpu].bracket.isBlocked
        let silent = level != .l2 && !sleeps && deliversSilently(vcpus[vcpu].vm)
        vcpus[vcpu].ledger.accepted(vector, level: level, silent: silent, at: stamp)
        observer.observe(.accepted(vector, level: level, silent: silent), of: vcpu, at: stamp, in: self)
    }

    mutating func injVIRQ(
        _ injection: KVMEvent.InjVIRQ, _ observer: inout some Observer
    ) {
        guard injection.soft != true, let vector = UInt8(exactly: injection.vector) else { return }
        let vcpu = vcpu(of: thread)
        consistency.injection()
        vcpus[vcpu].isInjecting = true
        vcpus[vcpu].bracket.injected = vector
        if vcpus[vcpu].unlevelled.count > 0 { acceptHeld(vcpu, level: vcpus[vcpu].bracket.level, &observer) }
        inject(vector, isAgain: injection.reinjected, by: .injected, vcpu, &observer)
    }

    /// - Parameter isAgain: nil where the event doesn't tell, as in 5.10 to 5.19 and in `kvm_entry`: then it is again
    ///   what repeats the vector whose delivery the exit interrupted.
    mutating func inject(
        _ vector: UInt8, isAgain: Bool?, by how: Acknowledgement, _ vcpu: VCPUIndex,
        _ observer: inout some Observer
    ) {
        if isAgain ?? (vcpus[vcpu].bracket.interruptedVector == vector) {
            vcpus[vcpu].bracket.injectedAgain()
            vcpus[vcpu].ledger.reinjected(vector)
            if vcpus[vcpu].bracket.isOpen, !vcpus[vcpu].isKnownNotToNest {
                vcpus[vcpu].standstill.reinjected(
                    vector, vcpus[vcpu].bracket.reason, time: stamp.time, measuresTime: measuresTime)
            }
            return
        }
        let (level, vm) = (vcpus[vcpu].mode, vcpus[vcpu].vm)
        if level == .l1, vms[vm].isa == .vmx {
            // With APICv in use only ExtINT (the PIC) is injected into L1: not the local APIC's business.
            vcpus[vcpu].picVectorOfL1 = vector
            if vcpus[vcpu].ledger[vector].pending != nil {
                showedInactive(vm, vcpu, .injectionOfAccepted, &observer)
            }
            guard vms[vm].apicv.state != .active else { return }
        }
        acknowledge(vector, level, by: how, vcpu, &observer)
        guard level == .l2 else { return }
        // L1 doesn't intercept external interrupts: those that reach it reach L2.
        vms[vm].apicOfL2.sharesL1s()
        if vcpus[vcpu].ledger[vector].inService?.isSure ?? false { vcpus[vcpu].delivers(vector) }
    }

    mutating func acknowledge(
        _ vector: UInt8, _ level: Level, by how: Acknowledgement, _ vcpu: VCPUIndex,
        _ observer: inout some Observer
    ) {
        claimHomeless(vector, vcpu, level, &observer)
        vcpus[vcpu].ledger.acknowledged(vector, level: level, by: how, at: stamp)
        if how == .passedOn { vms[vcpus[vcpu].vm].apicOfL2.sharesL1s() }
        observer.observe(.acknowledged(vector, level: level, by: how), of: vcpu, at: stamp, in: self)
    }

    /// What is taken had been accepted: by this vCPU, where nobody could tell by which.
    private mutating func claimHomeless(
        _ vector: UInt8, _ vcpu: VCPUIndex, _ level: Level, _ observer: inout some Observer
    ) {
        guard !homeless.isEmpty, vcpus[vcpu].ledger[vector].pending == nil, let id = vcpus[vcpu].id,
            let stamp = homeless.claim(vector, by: id)
        else { return }
        vcpus[vcpu].ledger.accepted(vector, level: level, silent: false, at: stamp)
        if observer.watchesExits(of: vcpu) {
            observer.observe(.placed(vector, level: level), of: vcpu, at: stamp, in: self)
        }
    }

    mutating func eoi(
        _ end: KVMEvent.EOI, _ observer: inout some Observer
    ) {
        let acting = vcpu(of: thread)
        if vcpus[acting].id == nil { _ = vcpu(of: thread, id: Int32(exactly: end.vcpu)) }
        guard let vcpu = target(end.vcpu, of: thread) else { return }
        showedLocalAPIC(vcpus[vcpu].vm, vcpu, at: stamp, &observer)
        consistency.eoi(inExit: vcpus[vcpu].bracket.isOpen || vms[vcpus[vcpu].vm].isa != .vmx)
        if vcpus[vcpu].unlevelled.count > 0 { acceptHeld(vcpu, level: vcpus[vcpu].bracket.level, &observer) }
        let level = vcpus[vcpu].actingLevel
        let isInduced = vcpus[vcpu].bracket.isOpen && vcpus[vcpu].bracket.reason == .eoiInduced
        // A VM that was created before our eyes began with nothing in service, unless its state was loaded.
        if vms[vcpus[vcpu].vm].apicv.isSeenFromCreation, vcpus[vcpu].ledger.gaps == 0, !vcpus[vcpu].hasRunL2Unlaunched {
            vcpus[vcpu].ledger.clearUnseen()
        }
        if level == .l1 {
            showsInactive(byEOIOn: vcpu, &observer)
            if isInduced { inducedEOI(end.vector, vcpu, &observer) }
            // L1 ends on L2's behalf, and this time KVM is notified of what.
            vcpus[vcpu].hookedEOI = nil
            vcpus[vcpu].mayHaveHookedEOI = false
        }
        guard let vector = UInt8(exactly: end.vector) else {
            vcpus[vcpu].ledger.clearUnseen()
            return
        }
        // Loaded state may come again, and what was in service with it.
        let silent =
            seesInjections && deliversSilently(vcpus[vcpu].vm) && vms[vcpus[vcpu].vm].isa == .vmx
            && !hadStateLoaded(vcpu)
        vcpus[vcpu].isSoftwareDisabled = false
        if level == .l2 {
            claimHomeless(vector, vcpu, .unknown, &observer)
            endsDirectly(vcpu, &observer)
        }
        let crossing = vcpus[vcpu].ledger.ended(vector, level: level, silentAcknowledge: silent, at: stamp)
        observer.observe(.ended(vector, level: level), of: vcpu, at: stamp, in: self)
        if let crossing { observer.observe(.crossed(crossing), of: vcpu, at: stamp, in: self) }
    }

    /// The EOI itself says that L2 reached L1's APIC, where the access is not reported.
    private mutating func endsDirectly(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        guard vcpus[vcpu].bracket.isOpen, !vcpus[vcpu].bracket.isForwarded else { return }
        if let (unproven, value, written) = vcpus[vcpu].unprovenMMIO, unproven.register == .eoi {
            vcpus[vcpu].unprovenMMIO = nil
            provedXAPIC(unproven, value, vcpu, written, &observer)
        } else if vcpus[vcpu].bracket.reason == .msrWrite, !consistency.seen.contains(.msr) {
            consistency.eoiInMSRExit()
        }
    }

    /// The vCPU's VM was created in the trace, and yet L2 ran on it that nobody had launched: it was migrated or restored.
    private func hadStateLoaded(_ vcpu: VCPUIndex) -> Bool {
        vcpus[vcpu].hasRunL2Unlaunched && vms[vcpus[vcpu].vm].apicv.isSeenFromCreation
    }

    /// With APICv in use L1's EOI is carried out by hardware; KVM hears of it by EOI_INDUCED, or by APIC_ACCESS and
    /// APIC_WRITE where registers aren't virtualised. Any other exit that ends an interrupt of L1 says that APICv is off.
    private mutating func showsInactive(
        byEOIOn vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        let bracket = vcpus[vcpu].bracket
        guard bracket.isOpen, !bracket.isForwarded else { return }
        switch bracket.reason {
        // By the x2APIC's register; Hyper-V's EOI MSR is always KVM's to carry out (kvm_hv_set_msr, arch/x86/kvm/hyperv.c).
        case .msrWrite: vcpus[vcpu].hasEndedByMSR = true
        case .eptMisconfig, .eptViolation: showedInactive(vcpus[vcpu].vm, vcpu, .eoiByExit, &observer)
        default: break
        }
    }

    /// Sign S3: L1 writes the EOI of what was injected into L2, and hardware ends what its SVI says instead.
    private mutating func inducedEOI(
        _ reported: Int32, _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        if vcpus[vcpu].ledger.endedNext == nil, reported < 16 { vcpus[vcpu].endsNothing = true }
        // L1's EOI may be for the PIC's interrupt, which is in no service.
        guard vcpus[vcpu].picVectorOfL1 == nil, let stuck = vcpus[vcpu].ledger.endedNext, Int32(stuck) > reported,
            let open = vcpus[vcpu].ledger[stuck].inService, open.level == .l2, !open.mayHaveEnded
        else { return }
        let isOfL2 = vcpus[vcpu].hookedEOI != nil
        // Vectors below 16 are never delivered (SDM 11.5.2): SVI was of nobody's. Any other may be one of L1's that nobody
        // saw come, unless L1 writes an EOI for L2 just now.
        guard
            (0..<16).contains(reported)
                ? !vcpus[vcpu].endsNothing && (open.isSure || isOfL2)
                : open.isSure && isOfL2 && !mayBeOfL1(reported, vcpu)
        else {
            return
        }
        if let crossing = vcpus[vcpu].ledger.missedEOI(of: stuck, at: stamp) {
            observer.observe(.crossed(crossing), of: vcpu, at: stamp, in: self)
        }
        observer.observe(.missedEOI(stuck: stuck, reported: reported), of: vcpu, at: stamp, in: self)
    }

    /// The vector may be in service by right, and L1 ends it: then it has ended what was above it before, in silence.
    private func mayBeOfL1(_ vector: Int32, _ vcpu: VCPUIndex) -> Bool {
        guard let vector = UInt8(exactly: vector) else { return false }
        if homeless.contains(vector) { return true }
        let account = vcpus[vcpu].ledger[vector]
        // It came unseen before.
        if account.ended.l1 > 0, account.accepted.total == 0, account.acknowledged.total == 0 { return true }
        return account.pending != nil || account.inService != nil || vcpus[vcpu].ledger.mayBeUnseen(vector)
    }

    mutating func pvEOI(
        _ end: KVMEvent.EOI, _ observer: inout some Observer
    ) {
        // apic_set_eoi has told of it as kvm_eoi before (apic_sync_pv_eoi_from_guest, arch/x86/kvm/lapic.c).
        if !consistency.seen.contains(.eoi) { eoi(end, &observer) }
    }
}
