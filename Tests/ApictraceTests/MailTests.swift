// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// `analyze --mail`, as a list gets it.
@Suite struct MailTests {
    @Test func `of a real BitVisor's loss it says all that a maintainer asks for`() throws {
        let recording = ExitStatusTableTests.fixture("bitvisor/6.1.192-svifix-undone-smp2/trace")
        let run = try ExitStatusTableTests.shell("cd \"$(dirname '\(recording)')\" && apictrace analyze --mail")
        #expect(run.status == 1)
        #expect(run.output == Self.bitvisor)
    }

    private static let bitvisor = """
        Interrupts are lost: vector 0x30, vCPU 0 of qemu-system-x86 (VM 0),
        since +42.247352 s (trace time 72.376161). Vector 0x30 was acknowledged
        in L1 and ended in L2. Afterwards 0x30 was accepted 400 times and not
        delivered.

        The events that show it (seconds since the trace began, thread, event):

          +42.243564  214  kvm_nested_vmenter
              0x30 acknowledged in L1, passed on to L2 in event_inj
          +42.243660  214  kvm_eoi
              0x30 ended by L2: the crossing
          +42.247352  207  kvm_apic_accept_irq
              0x30 accepted, and nothing delivers it from here on
          +42.331353  207  kvm_apic_accept_irq
              0x30 offered 20 times and more, L1 never got it to pass on
          +42.351592  214  kvm_entry
              L2 entered again and again since, 0x30 never injected

        What became of these vectors on vCPU 0 of qemu-system-x86 (VM 0):

          0x30 acknowledged in L1, ended in L2
          0x30: accepted 401 in L2; acknowledged 1 in L1, reinjected 5; ended 1
          in L2; coalesced 398; outstanding 1: unexplained

        Other findings:

          exposed: l2-apic-direct, vCPU 0 of qemu-system-x86 (VM 0), since
          +39.001547 s (trace time 69.130357)
          exposed: l2-apic-direct, vCPU 1 of qemu-system-x86 (VM 0), since
          +39.023062 s (trace time 69.151872)

        Host:

          Linux (none) 6.1.0-55-amd64 x86_64
          Host: VMX; KVM's fix for stale SVI unknown (format): a 6.1 with
          kvm_entry.immediate_exit is 6.1.149 or later: likely there, and no
          proof
          APICv of qemu-system-x86 (VM 0):
              +0.000000 to +48.062368 s: active, inferred

        Recording:

          trace.dat, trace.dat v7 zstd, 1121041 events in 48.062368 s, 1 CPU,
          clock local, Linux (none) 6.1.0-55-amd64 x86_64
          Events in it: handle_mmio_page_fault, kvm_apic, kvm_apic_accept_irq,
          kvm_apic_ipi, kvm_apicv_accept_irq, kvm_entry, kvm_eoi, kvm_exit,
          kvm_inj_virq, kvm_mmio, kvm_msr, kvm_nested_vmenter,
          kvm_nested_vmexit, kvm_nested_vmexit_inject, kvm_page_fault,
          mark_mmio_spte, and 3 of which the analysis has no use
          No event is known to be lost.
          Read by apictrace 0.1.0.

        To repeat this:

            apictrace analyze --mail trace.dat

        Not known:

          0x20 was accepted on vCPU 1 while L2 ran, and nothing shows that it
          was ever delivered; the VM ran before the trace, so that what blocks
          it may have come before. A recording that begins before the VM would
          tell.
          With APICv active hardware delivers and ends interrupts of L1 without
          any event.
          The file names no process: threads were tied to VMs, and a VM to its
          pid, by inference.

        """
}
