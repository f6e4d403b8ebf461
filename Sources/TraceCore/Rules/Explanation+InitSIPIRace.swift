// SPDX-License-Identifier: Apache-2.0

extension Explanation {
    static let initSIPIRace = Explanation(
        title: "A SIPI arrives while its target has not yet taken the INIT before it",
        summary: """
            A start-up IPI reached a vCPU that still had its INIT pending. KVM drops a SIPI whose target does not wait for \
            one, so that the CPU may never come up. This has nothing to do with APICv.
            """,
        mechanism: """
            INIT and SIPI are two pending bits of the target's local APIC, looked at when its thread next runs. While the \
            target is in VMX root mode or SMM (SVM: GIF=0), INIT waits and a SIPI is thrown away, since a CPU that has \
            taken an INIT cannot be there (kvm_apic_accept_events, arch/x86/kvm/lapic.c). In L2 on VMX \
            an INIT is an exit to L1, which has to put the vCPU into wait-for-SIPI itself.

            On modern CPUs Linux leaves no time between INIT and SIPI. When the target's thread is not scheduled in \
            between, both are pending together. The reporter of the first reference met it with APICv off and many vCPUs.
            """,
        signature: """
             kvm_apic_ipi(INIT) kvm_apic_accept_irq(INIT, vCPU n) ... kvm_apic_accept_irq(SIPI, vCPU n)

            with no event of vCPU n's thread in between. What matters is whether vCPU n runs afterwards: a guest may send \
            the SIPI twice. In a vCPU that nests, an INIT that L1 was told of (kvm_nested_vmexit_inject INIT_SIGNAL) and \
            no SIPI for 100 ms after it show that the SIPI was dropped: suspect. Without nesting a SIPI is dropped in \
            silence. There a vCPU that was offered both and does not run for 100 ms, up to the end of a trace without \
            losses, is told beside the findings (never-ran), without a grade: its VMM may have stopped it.
            """,
        affected: "Every kernel; seen where the target's thread is late: many vCPUs, a busy host, nesting.",
        fix: "None known.",
        advice: """
            See whether the target runs afterwards (kvm_entry of that vCPU). If not: fewer vCPUs than host CPUs, or a \
            delay after INIT in the guest (Linux: cpu_init_udelay=10000).
            """,
        requiredEvents: EventKindSet(
            .entry, .exit, .nestedVMExit, .nestedVMExitInject, .apicIPI, .apicAcceptIRQ),
        references: ["https://lore.kernel.org/kvm/20230809174241.36dd569d@ake-x260/", seedThread])
}
