// SPDX-License-Identifier: Apache-2.0

/// Faults and emulated accesses: how the APIC page is reached.
extension Machine {
    @inline(__always)
    mutating func pageFault(_ fault: KVMEvent.PageFault) {
        let vcpu = vcpu(of: thread, id: fault.vcpu)
        guard vcpus[vcpu].bracket.isOpen else { return }
        guard fault.address & ~0xfff == vcpus[vcpu].apicBase else {
            faultedElsewhere(fault, vcpu)
            return
        }
        // Bit 1 is the write in an exit qualification as well as in PFERR.
        vcpus[vcpu].bracket.apicFault = .init(
            register: APICRegister(offset: UInt32(truncatingIfNeeded: fault.address)), isWrite: fault.errorCode & 2 != 0
        )
        let isHit = fault.hitsMMIOSPTE(vcpus[vcpu].bracket.reason.isa)
        if vcpus[vcpu].bracket.level == .l2 {
            vcpus[vcpu].pageOfL2.pageFault(hitsMMIOSPTE: isHit, at: stamp)
        } else {
            vcpus[vcpu].pageOfL1.pageFault(hitsMMIOSPTE: isHit, at: stamp)
        }
    }

    private mutating func faultedElsewhere(_ fault: KVMEvent.PageFault, _ vcpu: VCPUIndex) {
        // PFERR_RSVD: an access to a device, which KVM carries out, at times without kvm_mmio (kvm_fast_mmio).
        guard !fault.hitsMMIOSPTE(vcpus[vcpu].bracket.reason.isa) else { return }
        vcpus[vcpu].standstill.faulted(
            at: fault.address, vcpus[vcpu].bracket.reason, time: stamp.time, measuresTime: measuresTime)
    }

    mutating func markMMIOSPTE(
        _ mark: KVMEvent.MarkMMIOSPTE, _ observer: inout some Observer
    ) {
        showsMMIOCaching = true
        guard mark.gfn == APICPage.gfn else { return }
        let vcpu = vcpu(of: thread)
        faultedIn(.installMMIOSPTEAndEmulate, vcpu, stamp, &observer)
        if vcpus[vcpu].bracket.level == .l2 {
            vcpus[vcpu].pageOfL2.markMMIOSPTE(at: stamp)
        } else {
            vcpus[vcpu].pageOfL1.markMMIOSPTE(at: stamp)
        }
    }

    mutating func handleMMIOPageFault(
        _ fault: KVMEvent.HandleMMIOPageFault, _ observer: inout some Observer
    ) {
        guard fault.gfn == APICPage.gfn else { return }
        consistency.apicPageHit()
        let vcpu = vcpu(of: thread)
        faultedIn(.installMMIOSPTEAndEmulate, vcpu, stamp, &observer)
        if vcpus[vcpu].bracket.level == .l2 {
            vcpus[vcpu].pageOfL2.faultedOnMMIOSPTE(at: stamp)
        } else {
            vcpus[vcpu].pageOfL1.faultedOnMMIOSPTE(at: stamp)
        }
    }

    @inline(__always)
    mutating func mmuSetSPTE(
        _ set: KVMEvent.MMUSetSPTE, _ observer: inout some Observer
    ) {
        guard set.gfn == APICPage.gfn else { return }
        let vcpu = vcpu(of: thread)
        faultedIn(.map, vcpu, stamp, &observer)
        if vcpus[vcpu].bracket.level != .l2 { vcpus[vcpu].pageOfL1.setSPTE(at: stamp) }
    }

    mutating func mmio(
        _ access: KVMEvent.MMIO, _ observer: inout some Observer
    ) {
        let vcpu = vcpu(of: thread)
        vcpus[vcpu].unprovenMMIO = nil
        // The instruction is emulated: the next exit at it is a new story.
        vcpus[vcpu].standstill.ends()
        // Type 0 is a read that nobody has answered yet: not the APIC's, which KVM answers itself.
        guard access.type != 0, access.gpa & ~0xfff == vcpus[vcpu].apicBase else { return }
        let register = APICRegister(offset: UInt32(truncatingIfNeeded: access.gpa))
        let mmio = ExitBracket.APICFault(register: register, isWrite: access.type == 2)
        if vcpus[vcpu].isXAPIC {
            emulated(mmio, access.value, vcpu, stamp, &observer)
        } else if mmio.isWrite {
            vcpus[vcpu].unprovenMMIO = (mmio, access.value, stamp)
        } else if vcpus[vcpu].latestAPICRead == register {
            provedXAPIC(mmio, access.value, vcpu, stamp, &observer)
        }
        vcpus[vcpu].latestAPICRead = nil
    }

    /// In x2APIC mode KVM answers at the page's address without looking at the APIC (apic_mmio_write and apic_mmio_read,
    /// arch/x86/kvm/lapic.c): an access with `kvm_apic` beside it says that the mode was left, as a reset does.
    mutating func provedXAPIC(
        _ access: ExitBracket.APICFault, _ value: UInt64, _ vcpu: VCPUIndex, _ stamp: EventStamp,
        _ observer: inout some Observer
    ) {
        vcpus[vcpu].isXAPIC = true
        emulated(access, value, vcpu, stamp, &observer)
    }

    private mutating func emulated(
        _ access: ExitBracket.APICFault, _ value: UInt64, _ vcpu: VCPUIndex, _ stamp: EventStamp,
        _ observer: inout some Observer
    ) {
        let (register, isWrite) = (access.register, access.isWrite)
        vcpus[vcpu].shown(register, value)
        showsHowEmulated(vcpu, stamp, &observer)
        switch vcpus[vcpu].actingLevel {
        case .l2:
            if vcpus[vcpu].pageOfL2.emulated(at: stamp, tellsInstalls: recordsMMIOSPTEs) {
                observer.observe(.pageChanged(.l2), of: vcpu, at: stamp, in: self)
            }
            accessedDirectly(vcpu, register, isWrite: isWrite, .mmio, stamp, &observer)
        case .l1:
            if vcpus[vcpu].pageOfL1.emulated(at: stamp, tellsInstalls: recordsMMIOSPTEs) {
                observer.observe(.pageChanged(.l1), of: vcpu, at: stamp, in: self)
            }
            if !vcpus[vcpu].bracket.isOpen || vcpus[vcpu].bracket.countedAccess == nil {
                accessed(vcpu, register, isWrite: isWrite, .l1, stamp, &observer)
            }
        case .unknown:
            accessed(vcpu, register, isWrite: isWrite, .unknown, stamp, &observer)
        }
    }

    /// How the access came to be emulated: by an MMIO SPTE, or without one.
    private mutating func showsHowEmulated(
        _ vcpu: VCPUIndex, _ stamp: EventStamp, _ observer: inout some Observer
    ) {
        let bracket = vcpus[vcpu].bracket
        let page = bracket.level == .l2 ? vcpus[vcpu].pageOfL2 : vcpus[vcpu].pageOfL1
        if bracket.reason == .eptMisconfig {
            faultedIn(.installMMIOSPTEAndEmulate, vcpu, stamp, &observer)
        } else if bracket.apicFault != nil, page.hasInstalledNothing, recordsMMIOSPTEs {
            faultedIn(.emulateOnly, vcpu, stamp, &observer)
        }
    }

    mutating func accessedDirectly(
        _ vcpu: VCPUIndex, _ register: APICRegister, isWrite: Bool, _ path: Transition.Path, _ stamp: EventStamp,
        _ observer: inout some Observer
    ) {
        vms[vcpus[vcpu].vm].apicOfL2.sharesL1s()
        let state = vms[vcpus[vcpu].vm].apicv.state
        vcpus[vcpu].accessesDirect.accessed(register, isWrite: isWrite, apicv: state)
        observer.observe(.accessedDirectly(register, isWrite: isWrite, path), of: vcpu, at: stamp, in: self)
    }

    /// The exit reason itself tells of L1's access.
    mutating func accessedByL1(
        _ vcpu: VCPUIndex, _ access: ExitBracket.APICFault?, _ observer: inout some Observer
    ) {
        guard let access else { return }
        // The value is not reported here: the APIC may be on again.
        if access.register == .spiv, access.isWrite { vcpus[vcpu].isSoftwareDisabled = false }
        vcpus[vcpu].bracket.countedAccess = access
        accessed(vcpu, access.register, isWrite: access.isWrite, .l1, stamp, &observer)
    }

    /// An access that is not L2's, or not known to be.
    mutating func accessed(
        _ vcpu: VCPUIndex, _ register: APICRegister, isWrite: Bool, _ level: Level, _ stamp: EventStamp,
        _ observer: inout some Observer
    ) {
        if level == .l1 {
            vcpus[vcpu].accessesByL1.accessed(register, isWrite: isWrite)
        } else {
            vcpus[vcpu].accessesUnbracketed.accessed(register, isWrite: isWrite)
        }
        if observer.watchesExits(of: vcpu) {
            observer.observe(.accessed(register, isWrite: isWrite, level: level), of: vcpu, at: stamp, in: self)
        }
    }
}

extension KVMEvent.PageFault {
    /// SVM: PFERR_RSVD says that an MMIO SPTE is there. On VMX that is another exit, EPT_MISCONFIG.
    fileprivate func hitsMMIOSPTE(_ isa: ISA) -> Bool {
        isa == .svm && errorCode & 8 != 0
    }
}
