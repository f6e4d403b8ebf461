// SPDX-License-Identifier: Apache-2.0

/// The switches between L1 and L2.
extension Machine {
    @inline(__always)
    public mutating func nestedVMExit(_ exit: KVMEvent.Exit, at stamp: EventStamp, observer: inout some Observer) {
        guard let vcpu = attribute(stamp, vcpu: exit.vcpu, &observer) else { return }
        consistency.nestedExit(inExit: vcpus[vcpu].bracket.isOpen)
        if presumption == .nothing { presumption = .l1UntilToldOtherwise }
        let isNew = vcpus[vcpu].nestedVMExit(at: stamp.time)
        if vcpus[vcpu].unlevelled.count > 0 { acceptHeld(vcpu, level: .l2, &observer) }
        if isNew,
            !vcpus[vcpu].bracket.isPlain || vcpus[vcpu].bracket.reason == .eptMisconfig
                || observer.watchesExits(of: vcpu)
        {
            exitOfL2Tells(vcpu, at: stamp, &observer)
        }
    }

    /// What an exit's reason says once it is known to be L2's.
    @inline(never)
    private mutating func exitOfL2Tells(_ vcpu: VCPUIndex, at stamp: EventStamp, _ observer: inout some Observer) {
        let reason = vcpus[vcpu].bracket.reason
        if observer.watchesExits(of: vcpu) {
            observer.observe(.exited(reason, level: .l2), of: vcpu, at: stamp, in: self)
        }
        if reason == .eoiInduced { givesL2APICv(vcpu) }
        if reason == .eptMisconfig { consistency.misconfigOfL2(isForwarded: false) }
        guard reason.isInterruptWindow else { return }
        observer.observe(.interruptWindow, of: vcpu, at: stamp, in: self)
    }

    mutating func nestedVMExitInject(
        _ inject: KVMEvent.NestedVMExitInject, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        // An exit that is handed to L1 is L2's, whether kvm_nested_vmexit said so or not.
        if vcpus[vcpu].unlevelled.count > 0 { acceptHeld(vcpu, level: .l2, &observer) }
        vcpus[vcpu].hasNested = true
        vcpus[vcpu].mode = .l1
        vcpus[vcpu].wakeup = .none
        vcpus[vcpu].picVectorOfL1 = nil
        if vcpus[vcpu].bracket.isOpen, vcpus[vcpu].bracket.reason == .eptMisconfig {
            consistency.misconfigOfL2(isForwarded: true)
        }
        let access = vcpus[vcpu].bracket.apicFault ?? vcpus[vcpu].bracket.virtualizedAccess
        vcpus[vcpu].bracket.isForwarded = true
        vcpus[vcpu].bracket.apicFault = nil
        let reason = ExitReason(isa: ISA(recorded: inject.isa), recorded: UInt32(truncatingIfNeeded: inject.exitCode))
        if reason.isExternalInterrupt {
            if let vector = InterruptionInfo(inject.intInfo).externalVector {
                // Acknowledge-on-exit: L1 is handed the vector with the exit.
                vcpus[vcpu].acknowledgesOnExit = true
                acknowledge(vector, .l1, by: .withExit, vcpu, &observer)
            } else {
                vcpus[vcpu].hasOpenReflection = true
                consistency.reflection()
                observer.observe(.reflectedInterrupt, of: vcpu, at: stamp, in: self)
            }
        } else if reason.isInterruptWindow, !vcpus[vcpu].bracket.isWindowOfL2 {
            observer.observe(.interruptWindow, of: vcpu, at: stamp, in: self)
        } else if reason == .initSignal || reason == .svmINIT {
            observer.observe(.initTaken, of: vcpu, at: stamp, in: self)
        } else if reason == .sipiSignal {
            observer.observe(.sipiTaken, of: vcpu, at: stamp, in: self)
        } else if reason == .msrWrite {
            // Which register isn't known: kvm_exit doesn't name the MSR. It may have been the x2APIC's EOI, or its TPR.
            vcpus[vcpu].mayHaveHookedEOI = true
            vcpus[vcpu].shownTPR = nil
        } else if let access, reason.isPageFault || reason.isAPICVirtualization || reason == .eptMisconfig {
            hooked(access, vcpu, &observer)
        }
    }

    /// L1 hides the page from L2 and carries the access out itself.
    private mutating func hooked(
        _ access: ExitBracket.APICFault, _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        vcpus[vcpu].accessesHooked.accessed(access.register, isWrite: access.isWrite)
        if vcpus[vcpu].pageOfL2.forwarded(at: stamp) {
            observer.observe(.pageChanged(.l2), of: vcpu, at: stamp, in: self)
        }
        observer.observe(.accessHooked(access.register, isWrite: access.isWrite), of: vcpu, at: stamp, in: self)
        // What L1 makes of it isn't known.
        if access.register == .tpr, access.isWrite { vcpus[vcpu].shownTPR = nil }
        guard access.register == .eoi, access.isWrite else { return }
        vcpus[vcpu].hookedEOI = stamp
        // What L2 ends had come from L1's APIC, where only one that waits for KVM can have.
        if vms[vcpus[vcpu].vm].apicOfL2.kind == .l1s, vcpus[vcpu].ledger.endedNext == nil,
            vcpus[vcpu].ledger.hasCertainPending
        {
            consistency.eoiOfUnseenInjection()
        }
    }

    mutating func nestedVMEnter(
        _ enter: KVMEvent.NestedVMEnter, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        if vcpus[vcpu].bracket.isOpen, vcpus[vcpu].bracket.reason.startsL2 { consistency.launch(answered: true) }
        let vector = InterruptionInfo(enter.eventInj).externalVector
        let isOfPIC = vector != nil && vector == vcpus[vcpu].picVectorOfL1
        enterL2(vcpu, &observer)
        vcpus[vcpu].injectionOfL1 = vector
        vcpus[vcpu].injectsForPIC = isOfPIC
        // What virtual-interrupt delivery holds for L2 (guest interrupt status), 6.1 and later on VMX.
        if enter.intCtl != 0, vms[vcpus[vcpu].vm].isa == .vmx { givesL2APICv(vcpu) }
        guard let vector else {
            observer.observe(.enteringL2(injecting: nil), of: vcpu, at: stamp, in: self)
            return
        }
        if !isOfPIC, vcpus[vcpu].hasOpenReflection, isOffered(vector, to: vcpu) {
            // L1 took it in silence after the reflected exit, and now passes it on.
            acknowledge(vector, .l1, by: .passedOn, vcpu, &observer)
        } else if !isOfPIC, vcpus[vcpu].ledger[vector].pending == nil {
            vms[vcpus[vcpu].vm].apicOfL2.injectedByL1(ofOwnMaking: !vcpus[vcpu].ledger[vector].isInServiceOfL1)
        }
        vcpus[vcpu].hasOpenReflection = false
        observer.observe(.enteringL2(injecting: vector), of: vcpu, at: stamp, in: self)
    }

    private mutating func givesL2APICv(_ vcpu: VCPUIndex) {
        vcpus[vcpu].givesL2APICv = true
        vms[vcpus[vcpu].vm].apicOfL2.givenVirtualInterruptDelivery()
    }

    /// L1 goes back to L2.
    mutating func enterL2(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        vcpus[vcpu].hasNested = true
        // KVM_SET_NESTED_STATE emits kvm_nested_vmenter too, outside any exit.
        if vcpus[vcpu].bracket.isOpen, vcpus[vcpu].bracket.reason.startsL2 {
            vcpus[vcpu].hasLaunched = true
        } else if !vcpus[vcpu].hasLaunched {
            vcpus[vcpu].hasRunL2Unlaunched = true
        }
        finishHookedEOI(vcpu, &observer)
        vcpus[vcpu].ledger.forgetServiceOfL1()
        vcpus[vcpu].injectionOfL1 = nil
        vcpus[vcpu].picVectorOfL1 = nil
        vcpus[vcpu].mode = .l2
    }

    /// Without it the vector is of L1's own making.
    private func isOffered(_ vector: UInt8, to vcpu: VCPUIndex) -> Bool {
        if vcpus[vcpu].ledger[vector].pending != nil { return true }
        return !consistency.hasSeenAccepts && !recordedKinds.contains(.apicAcceptIRQ)
    }

    mutating func nestedVMEnterFailed() {
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].mode = .l1
        vcpus[vcpu].bracket.hasFailedEntry = true
    }

    /// An EOI that L1 owed has been written by now, and hardware said nothing.
    private mutating func finishHookedEOI(
        _ vcpu: VCPUIndex, _ observer: inout some Observer
    ) {
        if vcpus[vcpu].mayHaveHookedEOI {
            vcpus[vcpu].mayHaveHookedEOI = false
            vcpus[vcpu].ledger.markMayHaveEnded()
        }
        guard let written = vcpus[vcpu].hookedEOI else { return }
        vcpus[vcpu].hookedEOI = nil
        let vector = vcpus[vcpu].ledger.endedNext
        let crossing = vcpus[vcpu].ledger.endedSilently(byL1At: written)
        if let vector { observer.observe(.ended(vector, level: .l1), of: vcpu, at: written, in: self) }
        if let crossing { observer.observe(.crossed(crossing), of: vcpu, at: written, in: self) }
    }
}
