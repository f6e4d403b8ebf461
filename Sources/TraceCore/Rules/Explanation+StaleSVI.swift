// SPDX-License-Identifier: Apache-2.0

extension Explanation {
    static let staleSVI = Explanation(
        title: "An interrupt acknowledged at one level and ended at the other blocks others",
        summary: """
            One level acknowledged an interrupt and the other ended it, with APICv active (a crossing). A kernel without \
            the stale-SVI fix then keeps a wrong in-service vector for L1, and interrupts of its class and below stay \
            blocked.
            """,
        mechanism: """
            With virtual-interrupt delivery the CPU delivers a vector only if its class is above VPPR, which it derives \
            from TPR and SVI, the VMCS's copy of the highest vector in service. When KVM itself acknowledges or ends an \
            interrupt of L1's vAPIC while L2 is active, an unfixed kernel writes SVI to the current VMCS. That is vmcs02, \
            L2's; vmcs01, L1's, keeps the old SVI. Once L1 runs again:

            Acknowledged in L1, ended in L2: vmcs01 believes the vector to be in service still. Its VPPR is too high, \
            and vectors of the same or a lower class are accepted and stay in IRR.

            Acknowledged in L2 (injected there), ended in L1: vmcs01 knows nothing of the vector. L1's EOI ends something \
            else, and the vector's ISR bit stays: see stuck-isr.

            It needs APICv, an L1 that shares its vAPIC with L2 (pKVM, BitVisor) and uses no virtual-interrupt delivery \
            for L2. An L1 that hooks the APIC page is not safe: it ends in L1 what KVM injected into L2.
            """,
        signature: """
             acknowledged  kvm_inj_virq in L2; in L1 silently, or shown by kvm_nested_vmenter with
                           event_inj 0x800000vv after a reflected EXTERNAL_INTERRUPT
             ended         kvm_eoi in L2 after kvm_mmio(write 0xfee000b0) or kvm_msr(write 0x80b);
                           kvm_exit(EOI_INDUCED) in L1; a write fault at 0xfee000b0 forwarded to L1
             lost          kvm_apic_accept_irq of the same or a lower class, then nothing but L2 entries or
                           empty reflections

            The crossing alone is a hazard. Delivery of such a vector afterwards shows that the kernel has the fix.
            """,
        affected: """
            VMX, kernels from c7c9c56ca26f (virtual-interrupt delivery, 3.9) without the fix, among them 5.10, 5.15, 6.2 \
            and 6.5.
            """,
        fix: """
            04bc93cf49d1 "KVM: nVMX: Defer SVI update to vmcs01 on EOI when L2 is active w/o VID": mainline 6.14, stable \
            6.12.17 and 6.1.149. From 7.0 on KVM loads vmcs01 on the spot instead (f0044429b257).

             grep kvm_apic_update_hwapic_isr /proc/kallsyms

            prints a line on 6.x kernels with the fix. No line means that it is absent only where other symbols of \
            [kvm] are shown and the kernel is older than 7.0.
            """,
        advice: """
            Run a host kernel with 04bc93cf49d1 (6.14, 6.12.17, 6.1.149 or later in their series). Until then load \
            kvm_intel with enable_apicv=0 on the host. Hooking the APIC page in L1 does not help.
            """,
        requiredEvents: ledger.union(EventKindSet(.mmio, .apic, .msr)),
        references: [staleSVIPatch, "https://git.kernel.org/linus/04bc93cf49d1", pKVMReport, seedThread])

    static let stuckISR = Explanation(
        title: "An EOI in L1 ends another vector than the one in service, which stays in ISR",
        summary: """
            L1 wrote an EOI while a higher vector, visibly injected, was in service, and a lower one was ended: the higher \
            one's ISR bit is stuck and blocks its class and all below.
            """,
        mechanism: """
            L1's EOI is carried out by the CPU, which clears the ISR bit of SVI. When SVI is stale (see stale-svi: the \
            vector was acknowledged while vmcs02 was loaded) it names another vector or none. The vector really in \
            service keeps its bit, and PPR stays at its class for good.

            The same picture arises without nesting when APICv is switched on while a vector is in service, on kernels \
            that do not load SVI then.
            """,
        signature: """
             kvm_inj_virq(v) in L2, later kvm_exit(EOI_INDUCED) and kvm_eoi(u) in L1, u below v, and no
             kvm_eoi(v) in between

            Afterwards v and vectors of its class and below are accepted again and again without an injection.
            """,
        affected: "As stale-svi. Without nesting: kernels that lack the second fix, after an inhibit is cleared.",
        fix: """
            04bc93cf49d1 (mainline 6.14, stable 6.12.17 and 6.1.149). For switching APICv on: b2849bec936b "KVM: VMX: \
            Update SVI during runtime APICv activation", mainline 6.19, stable 6.12.94.
            """,
        advice: """
            Run a host kernel with 04bc93cf49d1, and with b2849bec936b if APICv was switched on shortly before. Until then \
            load kvm_intel with enable_apicv=0 on the host.
            """,
        requiredEvents: ledger,
        references: [staleSVIPatch, "https://git.kernel.org/linus/b2849bec936b"])

    static let lostAccept = Explanation(
        title: "An interrupt is accepted and never delivered, with nothing to keep it back",
        summary: """
            The local APIC accepted an interrupt; entries, reflections or a halt followed that should have delivered it, \
            and none did.
            """,
        mechanism: """
            kvm_apic_accept_irq says that the local APIC was offered a vector. It then waits in PIR or IRR until its class \
            is above PPR. Repeated accepts of a waiting vector merge without a mark, so that more accepts than \
            EOIs are normal; so is an entry without an interrupt while the guest has IF=0 or a high TPR.

            Reported is what remains: an accept that nothing follows, over many consecutive chances and some time. \
            After a crossing the cause is most likely stale-svi. Without one, look at these (mainline; stable):

             d3ddef46f22e  Unconditionally set irr_pending when updating APICv state (6.12; 6.1.119)
             cda3960fbcc5  Explicitly update vPPR on successful nested VM-Enter (6.13)
             297631388309  Immediately refresh APICv controls on nested VM-Exit (6.19; 6.12.64, 6.1.160)
             27c4fa42b11a  Check for pending posted interrupts for nested events (6.11; 6.1.177)
             fdba608f15e2  Wake vCPU when delivering posted IRQ to itself (5.16; 5.15.12)
             5aede752a839  Process ICR on AVIC IPI delivery failure (SVM; 6.3, 6.1.16)
            """,
        signature: """
             kvm_apic_accept_irq(u), then L2 entries without kvm_inj_virq(u), window exit or entry of L1
             kvm_apic_accept_irq(u), then kvm_exit(HLT) and no kvm_vcpu_wakeup
             kvm_apic_accept_irq(u), then kvm_nested_vmexit_inject(EXTERNAL_INTERRUPT) and kvm_nested_vmenter
             without event_inj, over and over (an L1 that intercepts external interrupts)
            """,
        affected: "See the list. Virtual-interrupt delivery in L1 and AVIC leave no event: there nothing is claimed.",
        fix: "That of the cause: 04bc93cf49d1 after a crossing, else the commits above.",
        advice: """
            With a crossing of the vector's class or above: see stale-svi. Otherwise compare the host's kernel with the \
            commits that apictrace explain lost-accept lists, and try kvm_intel enable_apicv=0.
            """,
        requiredEvents: ledger.union(EventKindSet(.vcpuWakeup)),
        references: [staleSVIPatch, "https://lore.kernel.org/kvm/20240920080012.74405-1-mankku@gmail.com/"])

    private static let pKVMReport = "https://lore.kernel.org/kvm/20240920080012.74405-1-mankku@gmail.com/"

    /// What accepting, acknowledging and ending an interrupt shows by, at the level where it happens.
    private static let ledger = EventKindSet(
        .entry, .exit, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter, .apicAcceptIRQ, .apicvAcceptIRQ, .injVIRQ,
        .eoi, .pageFault, .apicvInhibitChanged)
}
