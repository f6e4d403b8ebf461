// SPDX-License-Identifier: Apache-2.0

extension Explanation {
    static let inhibitFlapping = Explanation(
        title: "APICv goes on and off again and again while the guest runs",
        summary: """
            The VM's inhibit mask changes between zero and non-zero many times. Each change kicks every vCPU, and each is \
            a chance for the bugs that live in switching APICv.
            """,
        mechanism: """
            APICv is active while the VM's inhibit mask is 0. A change to or from 0 asks all vCPUs to switch, and \
            an inhibit zaps the APIC page's SPTE. Reasons that come and go by themselves: IRQWIN (AVIC: KVM waits for an \
            ExtINT window), BLOCKIRQ (a debugger), APIC_ID_MODIFIED and the ALIASED ones (the guest writes its APIC \
            ids), HYPERV (AutoEOI). Switching on with a vector in service, or while L2 is active, went wrong in several \
            kernels.

            kvm_apicv_inhibit_changed fires also where nothing changes (6.12 and later do so often) and names no VM. \
            Only changes of `inhibits` between 0 and not 0 count here.
            """,
        signature: """
             kvm_apicv_inhibit_changed(inhibits=0x8), kvm_apicv_inhibit_changed(inhibits=0x0), and again
             kvm_apicv_update_request(activate) on 5.10 and 5.15
            """,
        affected: """
            Thrash by IRQWIN with several vCPUs: SVM before 7.2. Switching on with a vector in service: VMX before \
            6.19 and 6.12.94. Switching while L2 is active: before 6.19, 6.12.64 and 6.1.160.
            """,
        fix: """
            b2849bec936b "KVM: VMX: Update SVI during runtime APICv activation" (6.19; 6.12.94); 297631388309 "KVM: nVMX: \
            Immediately refresh APICv controls as needed on nested VM-Exit" (6.19; 6.12.64, 6.1.160); "KVM: SVM: \
            Fix IRQ window inhibit handling across multiple vCPUs" (7.2). 7.0 updates vmcs01 on the spot.
            """,
        advice: """
            The inhibit's name tells who to ask: the VMM or a debugger for BLOCKIRQ, PIT_REINJ and HYPERV, the \
            guest for APIC ids and base, KVM itself for IRQWIN. If it can't be helped, switch APICv off for good \
            (kvm_intel enable_apicv=0, kvm_amd avic=0).
            """,
        requiredEvents: EventKindSet(.entry, .exit, .apicvInhibitChanged),
        references: ["https://git.kernel.org/linus/b2849bec936b", "https://git.kernel.org/linus/297631388309"])
}
