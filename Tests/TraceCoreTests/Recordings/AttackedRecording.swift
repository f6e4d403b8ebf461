// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// A recording made to break the verdict, below Fixtures/attack, and the honest answers to it.
///
/// `real-` ones hold records of real guests, cut, filtered, spliced or rewritten; the others were written by hand over format
/// texts of 5.10, 6.1 and 6.12. They are compressed: most of such a file is format text.
struct AttackedRecording: CustomTestStringConvertible, Sendable {
    var name: String
    var atLeast: Grade
    var atMost: Grade
    /// Vectors that findings of hazard and above must, or must not, have.
    var names: Set<String>
    var namesNot: Set<String>
    /// What behaviour doesn't show of the kernel's fix.
    var fixIsNot: FixState.State?
    /// Accepts by vector that the ledger must hold, at any level and of L2.
    var accepts: [String: UInt64]
    var acceptsInL2: [String: UInt64]
    /// Words that the report's text must, or must not, have.
    var tells: [String]
    var tellsNot: [String]
    /// Why these are the bounds.
    var because: String

    var testDescription: String { name }
    var path: String { TestFile.fixture("attack/\(name).dat.zst") }

    init(
        _ name: String, atLeast: Grade = .clean, atMost: Grade = .confirmed, names: Set<String> = [],
        namesNot: Set<String> = [], fixIsNot: FixState.State? = nil, accepts: [String: UInt64] = [:],
        acceptsInL2: [String: UInt64] = [:], tells: [String] = [], tellsNot: [String] = [], because: String
    ) {
        self.name = name
        self.atLeast = atLeast
        self.atMost = atMost
        self.names = names
        self.namesNot = namesNot
        self.fixIsNot = fixIsNot
        self.accepts = accepts
        self.acceptsInL2 = acceptsInL2
        self.tells = tells
        self.tellsNot = tellsNot
        self.because = because
    }

    static let all = [
        AttackedRecording(
            "extract-four-nofix-passthrough", atLeast: .inconclusive, atMost: .exposed,
            because: """
                all formats in the file (as trace-cmd extract writes), four kinds of record: VMLAUNCH and VMRESUME exits \
                without kvm_nested_vmenter, kvm_exit without kvm_entry show that those events were not on
                """),
        AttackedRecording(
            "f1-pic-then-level-eoi", atMost: .exposed, fixIsNot: .absent,
            because: "EOI_INDUCED of a level vector in L1 while a PIC vector is 'in service': healthy"),
        AttackedRecording(
            "f10-s4-if0-25ms-unknown", atMost: .hazard,
            because: "L2 with interrupts off for 25 ms: healthy hypervisors do this for 574 ms"),
        AttackedRecording(
            "f11-nested-pi-nv-cpu-pm", atMost: .hazard,
            because: """
                one accept of L1's notification vector for nested posted interrupts, taken by KVM and never in IRR, a \
                wakeup, then entries of L2 without it: a single accept that never repeats is no loss that can be proven
                """),
        AttackedRecording(
            "f13-inhibit-not-recorded", atMost: .inconclusive,
            because: "APICv shown off: kvm_inj_virq of accepted vectors into L1, accepts without kvm_apicv_accept_irq"),
        AttackedRecording(
            "f2-x2apic-hooked-level-eoi", atMost: .exposed, fixIsNot: .absent,
            because: "the higher vector's EOI was an MSR exit forwarded to L1: healthy"),
        AttackedRecording(
            "f3b-throttled-wake-60ms", atMost: .hazard,
            because: "overloaded host: kvm_vcpu_wakeup after 60 ms, delivered at once"),
        AttackedRecording(
            "f4-if0-6ms-then-cpuid", atMost: .hazard,
            because: "interrupts off for 8 ms, one CPUID exit to L1, window, delivered"),
        AttackedRecording(
            "f5-cr8-masks", atMost: .hazard,
            because: "TPR raised by MOV CR8 (exit 28, kvm_cr): masked on purpose; Windows as L2 does nothing else"),
        AttackedRecording(
            "f6-other-vms-irq-in-hardirq", atMost: .hazard,
            because: "an interrupt of VM B accepted in hard interrupt context of VM A's thread (common_flags): not A's"),
        AttackedRecording(
            "f7-init-sipi-after-reboot", atMost: .exposed,
            because: "INIT and SIPI of the firmware, then a reboot: two stories, not one"),
        AttackedRecording(
            "f8-migrated-in", atMost: .exposed,
            because: """
                incoming migration: L2 runs before any VMLAUNCH or VMRESUME in a VM that is seen from its creation, so \
                its state was loaded, ISR with it (KVM_SET_LAPIC leaves no event)
                """),
        AttackedRecording(
            "g1-other-vms-inhibit", atLeast: .hazard,
            because: """
                another VM's VMM thread sets an inhibit before that VM's vCPU is seen: not this VM's; \
                kvm_apicv_accept_irq goes on to show APICv active
                """),
        AttackedRecording(
            "g5-ack-on-exit-fix-present", atLeast: .hazard, fixIsNot: .present,
            because: """
                L1 acknowledges on exit: KVM picks the vector by ISR and loads SVI itself, fix or no fix; symbols say \
                absent
                """),
        AttackedRecording(
            "h1-svm-400-accepts-undelivered", atLeast: .hazard,
            because: "SVM: 0x41 accepted 400 times in L2 over 2 s, never injected"),
        AttackedRecording(
            "m1-spiv-reenabled-by-apicwrite", atLeast: .hazard, accepts: ["0xec": 1, "0x30": 20],
            because: """
                L2 disables the APIC, firmware in L1 enables it again by APIC_WRITE (exit 56, kvm_apic 0xf0 0x1ff): \
                accepts after that are not refused
                """),
        AttackedRecording(
            "m10-5.10-hooked-loss", atLeast: .inconclusive,
            because: """
                VMX up to 5.19 has no kvm_nested_vmenter (its kvm_nested_vmrun is SVM's): 0x51 injected, its EOI hooked, \
                0x41 accepted and 400 entries in 400 ms without it
                """),
        AttackedRecording(
            "m2-x2apic-then-reset", atLeast: .exposed,
            because: """
                x2APIC in a first life, system reset without an event, xAPIC in the second: kvm_mmio and kvm_apic show \
                direct accesses of L2
                """),
        AttackedRecording(
            "m3-x2apic-hooked-eoi-loss", atLeast: .inconclusive,
            because: """
                L1 intercepts L2's x2APIC EOI: the EOI is unseen by address; 0x41 accepted, 200 entries and 200 ms \
                without it; symbols say absent
                """),
        AttackedRecording(
            "m4-accept-before-nested-vmexit", atLeast: .hazard, acceptsInL2: ["0x41": 1],
            because: "an accept between kvm_exit and kvm_nested_vmexit belongs to the level that exited"),
        AttackedRecording(
            "n1-pic-vector-blinds-s1", atLeast: .hazard, names: ["0x41"], namesNot: ["0x76"],
            because: """
                an ExtINT injected into L2 is ended at port 0xa0, not in the APIC: it masks nothing and is not the \
                victim
                """),
        AttackedRecording(
            "n7-silent-repair-then-loss", atLeast: .hazard,
            because: """
                IOMMU-posted interrupts reach L1 with no accept; L1's EOI loads SVI anew; the next delivery proves \
                nothing, and the loss after it stands
                """),
        AttackedRecording(
            "real-bitvisor-undone-clean-window", atLeast: .inconclusive,
            because: """
                the recording begins after the hang: 0x30 accepted 92 times in 0.37 s, 620 exits of L2, delivered never; \
                the VM ran before the trace, so a crossing before it can't be excluded. Better than inconclusive: a \
                finding that needs no crossing
                """),
        AttackedRecording(
            "real-bitvisor-undone-small-pic-splice", atLeast: .hazard, names: ["0x30"],
            because: """
                the same with the recording's own PIC interrupt of the same number (kvm_inj_virq 0x30 in L1 = ExtINT) in \
                the middle: that delivery proves nothing about SVI
                """),
        AttackedRecording(
            "real-bitvisor-undone-small", atLeast: .hazard, names: ["0x30"],
            because: """
                a cut of 0.22 s of BitVisor's loss of the 2023 report: the crossing and 56 accepts of 0x30 without a \
                delivery; a healthy guest waited 574 ms with interrupts off, so that the wait alone is no more than \
                hazard, and no less
                """),
        AttackedRecording(
            "real-linux-l1-7.2-no-injvirq", atMost: .exposed, fixIsNot: .present,
            because: """
                ordinary Linux L1 (healthy), kvm_inj_virq not recorded, kvm_entry has intr_info: an entry of L2 only \
                repeats vmcs12's event_inj, which is L1's KVM injecting L2's own vector; L2's EOI at fee000b0 goes to \
                L2's own APIC that L1 virtualises, not to L1's
                """),
        AttackedRecording(
            "real-nofix-hooked-only-6.12.107-hook-msr-no-eoi0", atLeast: .inconclusive,
            because: "a real loss, its hook rewritten to MSR exits"),
        AttackedRecording(
            "real-nofix-hooked-only-attached-late", atLeast: .inconclusive,
            because:
                "starts 1 ns after the crossing; 0x41 accepted 6 times in L2, never injected, the guest timed out 6 times"
        ),
        AttackedRecording(
            "G3-inhibits-backport", tells: ["ABSENT"], tellsNot: ["NESTED", "IRQWIN"],
            because: """
                a backport to 5.14: the VM is created in the trace, its first inhibit, cleared as the irqchip is made, \
                is ABSENT; so the numbers are those of 5.19 and later, and 0x8 is BLOCKIRQ or a bare bit
                """),
        AttackedRecording(
            "G4-inhibits-only", atMost: .inconclusive, tells: ["ABSENT", "IRQWIN", "PIT_REINJ"],
            because: "who asks why AVIC is off records just this event: the mask over time is told without any vCPU"),
        AttackedRecording(
            "G5-init-sipi-never-runs", atMost: .exposed, tells: ["INIT", "SIPI", "vCPU 1"],
            because:
                "vCPU 1 is offered INIT and two SIPIs and never runs in the 9 s that are left: said, whatever the grade"
        ),
        AttackedRecording(
            "G6-level-storm-nested", atMost: .exposed, tells: ["0x81", "80"],
            because: """
                no loss: a level interrupt that is accepted and ended 80 times in 4.4 ms, and passed on to L2 10 times, \
                is a storm of an irqchip in user space
                """),
        AttackedRecording(
            "G8-no-progress-ept", atMost: .exposed, tells: ["0xd1", "2000"],
            because: """
                no loss between levels: vCPU 0 exits 2000 times at one instruction and address while 0xd1 is injected \
                again each time
                """),
        AttackedRecording(
            "G9-blockirq-backport", atMost: .clean,
            because: "BLOCKIRQ holds 0x41 back on purpose; only the release is another than in the healthy twin of 6.1"),
        AttackedRecording(
            "G10-lost-accept-no-crossing", atLeast: .hazard, atMost: .hazard, names: ["0x41"],
            tellsNot: ["crossed levels"],
            because: "a wait without a crossing: nothing crossed levels, and the headline must not say so"),
    ]
}
