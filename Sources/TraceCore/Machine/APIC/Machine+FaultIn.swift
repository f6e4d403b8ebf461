// SPDX-License-Identifier: Apache-2.0

/// What KVM did about a fault on the APIC page, held against ``FaultInTable``.
extension Machine {
    /// KVM did this about the APIC page in the exit that a vCPU handles. Told where the table has another decision for
    /// each state that the kernel, the VM and the page may be in.
    mutating func faultedIn(
        _ did: FaultInTable.Decision, _ vcpu: VCPUIndex, _ stamp: EventStamp, _ observer: inout some Observer
    ) {
        let bracket = vcpus[vcpu].bracket
        // Without kvm_nested_vmexit every exit passes for L1's.
        guard recordsNestedExits, bracket.isOpen, !bracket.isForwarded, bracket.level != .unknown,
            vcpus[vcpu].apicBase >> 12 == APICPage.gfn, bracket.level == .l2 || showsLevels(vcpu)
        else { return }
        let expected = contradiction(to: did, on: vcpu)
        if bracket.level == .l1, did == .map { vms[vcpus[vcpu].vm].hasAPICAccessPage = true }
        if bracket.level == .l1, did == .emulateOnly { vms[vcpus[vcpu].vm].emulatesWithoutSPTE = true }
        guard let expected else { return }
        observer.observe(.faultInDiffers(bracket.level, did: did, expected: expected), of: vcpu, at: stamp, in: self)
    }

    /// What the table decides, where that is never what KVM did: what isn't known may be either.
    private func contradiction(to did: FaultInTable.Decision, on vcpu: VCPUIndex) -> FaultInTable.Decision? {
        let inL2 = vcpus[vcpu].bracket.level == .l2
        let (slot, isActive) = (slot(of: vcpus[vcpu].vm), isAPICvActive(for: vcpu))
        var first: FaultInTable.Decision?
        for generation in faultInGenerations {
            for bits in 0..<8 {
                let decision = FaultInTable.decide(
                    .init(
                        slot: slot ?? (bits & 1 == 0 ? .apicAccessPage : .none), inL2: inL2,
                        apicvActivated: isActive ?? (bits & 2 == 0), mmioCaching: showsMMIOCaching || bits & 4 == 0),
                    in: generation)
                if decision == did { return nil }
                if first == nil { first = decision }
            }
        }
        return first
    }

    /// What is behind the APIC page: KVM's own page, or nothing (kvm_intel.flexpriority=0, kvm_amd.avic=0).
    private func slot(of vm: VMIndex) -> FaultInTable.Slot? {
        // DISABLED, which stays for the VM's life: avic_alloc_access_page, arch/x86/kvm/svm/avic.c, leaves the page out.
        // With AVIC, KVM takes the page away as soon as one vCPU is in x2APIC mode (kvm_inhibit_apic_access_page, 6.3).
        if vms[vm].isa == .svm { return vms[vm].apicv.current.mask & 1 != 0 ? FaultInTable.Slot.none : nil }
        // With nothing behind the page KVM would have made an MMIO SPTE, as it does elsewhere.
        let isShown = vms[vm].hasAPICAccessPage || vms[vm].emulatesWithoutSPTE && showsMMIOCaching
        return isShown ? .apicAccessPage : nil
    }

    /// Nil where the mask isn't known, or changed so lately that its event may have come before the change.
    private func isAPICvActive(for vcpu: VCPUIndex) -> Bool? {
        let current = vms[vcpus[vcpu].vm].apicv.current
        guard current.state != .unknown else { return nil }
        if let from = current.from {
            let start = vcpus[vcpu].bracket.time
            guard measuresTime, start > from, start - from > Self.settlingNanoseconds else { return nil }
        }
        return current.state == .active
    }

    /// kvm_apicv_inhibit_changed comes before KVM stores the mask and zaps the page, with the writer's CPU in between.
    private static var settlingNanoseconds: UInt64 { 1_000_000 }

    /// An exit that passes for L1's is L1's: nothing nests, or the exits of L2 are reported.
    private func showsLevels(_ vcpu: VCPUIndex) -> Bool {
        !vcpus[vcpu].hasNested || vcpus[vcpu].exits.total(.l2) > 0
    }
}

extension FaultInTable {
    /// The generations that a kernel may be of. kvm_apicv_inhibit_changed is younger than the first, whatever the
    /// release says; 6.9 to 6.11 lie between trees that were read.
    static func generations(of info: TraceInfo) -> [Generation] {
        let tellsMasks = info.recordedKinds.contains(.apicvInhibitChanged)
        let all: [Generation] = tellsMasks ? [.faultinPFN, .slotIDTest] : Generation.allCases
        guard let kernel = info.kernel, !KernelRelease.isFrozenBase(uname: kernel),
            let release = KernelRelease(uname: kernel)
        else { return all }
        switch release {
        case ..<KernelRelease(5, 11): return tellsMasks ? all : [.tryAsyncPF]
        case ..<KernelRelease(5, 15): return all
        case ..<KernelRelease(6, 9): return [.faultinPFN]
        case ..<KernelRelease(6, 12): return [.faultinPFN, .slotIDTest]
        default: return [.slotIDTest]
        }
    }
}
