// SPDX-License-Identifier: Apache-2.0

extension Explanation {
    static let l2APICDirect = Explanation(
        title: "L2 reaches L1's local APIC by MMIO, by itself, while APICv is active",
        summary: """
            L2 reads or writes L1's local APIC directly while APICv is active. KVM emulates that correctly and nothing is \
            lost by it alone; but it is how an interrupt gets acknowledged at one level and ended at the other, and that \
            loses interrupts on a kernel without the stale-SVI fix.
            """,
        mechanism: """
            L1 maps the APIC page (0xfee00000) into L2, or stops hooking it, as BitVisor does once the INIT it waits for \
            has come. KVM never maps L1's APIC-access page into L2: while a vCPU is in guest mode its fault-in code \
            treats that page as no memory at all, whatever APICv's state. It installs an MMIO SPTE and emulates every \
            access on L1's local APIC. That is by intent, as a comment in the fault-in function says from 6.12 on.

            The first access is an EPT_VIOLATION, emulated in the same exit (it is not retried). Every later one is an \
            EPT_MISCONFIG; with kvm.mmio_caching=N all are EPT_VIOLATIONs. An EPT_MISCONFIG alone says little: virtio \
            and other emulated devices cause them too, and with APICv off the same pattern is harmless.

            On SVM each access is a nested page fault, and KVM switches AVIC off for a vCPU while it runs L2. Such \
            accesses are counted, not graded as exposed.
            """,
        signature: """
             hooked  kvm_exit(EPT_VIOLATION) kvm_nested_vmexit kvm_page_fault(0xfee00xxx)
                     kvm_nested_vmexit_inject
             first   kvm_exit(EPT_VIOLATION) kvm_nested_vmexit kvm_page_fault(0xfee00xxx)
                     mark_mmio_spte(fee00) kvm_mmio(0xfee00xxx) kvm_apic
             later   kvm_exit(EPT_MISCONFIG) kvm_nested_vmexit handle_mmio_page_fault
                     kvm_mmio(0xfee00xxx) kvm_apic

            Direct are those without kvm_nested_vmexit_inject. They count as exposed while the inhibit mask is 0. Of a \
            trace with kvm_exit, kvm_page_fault, kvm_apicv_inhibit_changed and kvm_apic_ipi only, no more can be said \
            than that: a kvm_apic_ipi inside an EPT_MISCONFIG exit while the mask is 0.
            """,
        affected: "Every kernel: this is how KVM is meant to treat L1's APIC in L2.",
        fix: """
            None is needed for the access itself. A request to inhibit APICv on it (the first reference) was not merged; \
            no kernel up to 7.3 has such an inhibit. What loses interrupts is fixed: see stale-svi.
            """,
        advice: """
            Make sure that the host's kernel has the stale-SVI fix (apictrace explain stale-svi tells how). Record \
            kvm_eoi, kvm_inj_virq and the accepts as well, so that a crossing would show.
            """,
        requiredEvents: EventKindSet(
            .entry, .exit, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter, .pageFault, .mmio, .apic,
            .apicvAcceptIRQ, .apicvInhibitChanged),
        references: [seedThread, staleSVIPatch])

    static let l2APICDirectX2APIC = Explanation(
        title: "L2 reaches L1's local APIC by x2APIC MSRs, by itself, while APICv is active",
        summary: """
            L2 reads or writes L1's x2APIC MSRs directly while APICv is active. KVM emulates that and nothing is lost by \
            it alone; but it crosses levels just as direct MMIO does, and there is no EPT event to see it by.
            """,
        mechanism: """
            L1 does not intercept MSRs 0x800 to 0x83f. L0 still does, for it cannot let L2 reach the hardware's, and \
            emulates the access on L1's local APIC: an EOI (0x80b) ends an interrupt of L1, an ICR write (0x830) sends \
            an IPI in L1's name. The reporter of the first reference saw it fail so as well: with \
            APICv on, kvm-unit-tests' apic.efi as L2 passed the xAPIC self-IPI and failed the x2APIC one.
            """,
        signature: """
             kvm_exit(MSR_WRITE) kvm_nested_vmexit kvm_apic kvm_msr(0x8xx) kvm_entry

            In an L2 bracket, without kvm_nested_vmexit_inject, while the inhibit mask is 0. kvm_apic gives the register \
            by its xAPIC offset. A tool that looks at EPT_MISCONFIG only misses this.
            """,
        affected: "Every kernel, where L1 lets L2 use its x2APIC.",
        fix: "None is needed for the access itself. What loses interrupts is fixed: see stale-svi.",
        advice: """
            Make sure that the host's kernel has the stale-SVI fix (apictrace explain stale-svi tells how). Record \
            kvm_eoi, kvm_inj_virq and the accepts as well, so that a crossing would show.
            """,
        requiredEvents: EventKindSet(
            .entry, .exit, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter, .apic, .msr, .apicvAcceptIRQ,
            .apicvInhibitChanged),
        references: [seedX2APICReport, seedThread, staleSVIPatch])

    static let seedThread = "https://lore.kernel.org/kvm/20230807062611.12596-1-ake@igel.co.jp/"
    private static let seedX2APICReport =
        "https://lore.kernel.org/kvm/CV1BMBF456FC.2DQLVV84L6TAP@localhost.localdomain/"
    static let staleSVIPatch = "https://lore.kernel.org/kvm/20241128000010.4051275-3-seanjc@google.com/"
}
