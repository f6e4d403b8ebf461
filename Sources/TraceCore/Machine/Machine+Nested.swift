// SPDX-License-Identifier: Apache-2.0

/// The switches between L1 and L2.
extension Machine {
    @inline(__always)
    public mutating func nestedVMExit<Observer: MachineObserver>(
        _ exit: KVMEvent.Exit, at stamp: EventStamp, observer: inout Observer
    ) {
        guard let thread = located(at: stamp, &observer) else { return }
        let vcpu = vcpu(of: thread, id: exit.vcpu)
        guard vcpus[vcpu].nestedVMExit(at: stamp.time), vcpus[vcpu].bracket.reason.isInterruptWindow else { return }
        observer.observe(.interruptWindow, of: vcpu, at: stamp, in: self)
    }

    mutating func nestedVMExitInject<Observer: MachineObserver>(
        _ inject: KVMEvent.NestedVMExitInject, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].hasNested = true
        vcpus[vcpu].mode = .l1
        let fault = vcpus[vcpu].bracket.apicFault
        vcpus[vcpu].bracket.isForwarded = true
        vcpus[vcpu].bracket.apicFault = nil
        let reason = ExitReason(isa: ISA(recorded: inject.isa), recorded: UInt32(truncatingIfNeeded: inject.exitCode))
        if reason.isExternalInterrupt {
            if let vector = InterruptionInfo(inject.intInfo).externalVector {
                // Acknowledge-on-exit: L1 is handed the vector with the exit.
                acknowledge(vector, .l1, vcpu, stamp, &observer)
            } else {
                vcpus[vcpu].hasOpenReflection = true
                observer.observe(.reflectedInterrupt, of: vcpu, at: stamp, in: self)
            }
        } else if reason.isInterruptWindow, !vcpus[vcpu].bracket.isWindowOfL2 {
            observer.observe(.interruptWindow, of: vcpu, at: stamp, in: self)
        } else if reason == .initSignal || reason == .svmINIT {
            observer.observe(.initTaken, of: vcpu, at: stamp, in: self)
        } else if reason == .sipiSignal {
            observer.observe(.sipiTaken, of: vcpu, at: stamp, in: self)
        } else if reason.isPageFault || reason == .eptMisconfig, let fault {
            hooked(fault, vcpu, stamp, &observer)
        }
    }

    /// L1 hides the page from L2 and carries the access out itself.
    private mutating func hooked<Observer: MachineObserver>(
        _ fault: ExitBracket.APICFault, _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        vcpus[vcpu].accessesHooked.accessed(fault.register, isWrite: fault.isWrite)
        if vcpus[vcpu].pageOfL2.forwarded(at: stamp.time) {
            observer.observe(.pageChanged(.l2), of: vcpu, at: stamp, in: self)
        }
        observer.observe(.accessHooked(fault.register, isWrite: fault.isWrite), of: vcpu, at: stamp, in: self)
        if fault.register == .eoi, fault.isWrite { vcpus[vcpu].hookedEOI = stamp }
    }

    mutating func nestedVMEnter<Observer: MachineObserver>(
        _ enter: KVMEvent.NestedVMEnter, _ thread: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].hasNested = true
        finishHookedEOI(vcpu, stamp, &observer)
        let vector = InterruptionInfo(enter.eventInj).externalVector
        if let vector, vcpus[vcpu].hasOpenReflection, isOffered(vector, to: vcpu) {
            // L1 took it in silence after the reflected exit, and now passes it on.
            vcpus[vcpu].hasOpenReflection = false
            acknowledge(vector, .l1, vcpu, stamp, &observer)
        }
        vcpus[vcpu].mode = .l2
        observer.observe(.enteringL2(injecting: vector), of: vcpu, at: stamp, in: self)
    }

    /// Without it the vector is the PIC's, or of L1's own making.
    private func isOffered(_ vector: UInt8, to vcpu: Int) -> Bool {
        vcpus[vcpu].ledger[vector].pending != nil || !info.recordedKinds.contains(.apicAcceptIRQ)
    }

    mutating func nestedVMEnterFailed(_ thread: Int, _ stamp: EventStamp) {
        vcpus[vcpu(of: thread)].mode = .l1
    }

    /// L1 goes back to L2: an EOI that it owed has been written by now, and hardware said nothing.
    private mutating func finishHookedEOI<Observer: MachineObserver>(
        _ vcpu: Int, _ stamp: EventStamp, _ observer: inout Observer
    ) {
        guard let written = vcpus[vcpu].hookedEOI else { return }
        vcpus[vcpu].hookedEOI = nil
        let vector = vcpus[vcpu].ledger.highestInService
        let crossing = vcpus[vcpu].ledger.endedSilently(byL1At: written)
        if let vector { observer.observe(.ended(vector, level: .l1), of: vcpu, at: written, in: self) }
        if let crossing { observer.observe(.crossed(crossing), of: vcpu, at: written, in: self) }
    }
}
