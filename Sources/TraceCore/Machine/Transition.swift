// SPDX-License-Identifier: Apache-2.0

/// What an event meant for one vCPU: the machine's words to the rules.
public enum Transition: Equatable, Sendable {
    /// How L2 reached L1's APIC.
    public enum Path: String, Sendable {
        case mmio
        case x2apic
    }

    /// The guest was left. Its level is what is presumed until `kvm_nested_vmexit` tells: then it is reported again, with the same stamp
    /// or a later one.
    case exited(ExitReason, level: Level)
    /// The guest could take an interrupt, said an interrupt-window exit.
    case interruptWindow
    /// A HLT that L0 handled is over: the vCPU goes on.
    case woke
    /// An interrupt was offered. `silent`: hardware may deliver it without a trace.
    case accepted(UInt8, level: Level, silent: Bool)
    /// IRR to ISR, seen.
    case acknowledged(UInt8, level: Level, by: Acknowledgement)
    case ended(UInt8, level: Level)
    case crossed(Crossing)
    /// L1 ended an interrupt for L2, but KVM was notified of a lower one's end: `stuck` stays in service.
    case missedEOI(stuck: UInt8, reported: Int32)
    /// L0 handed an external-interrupt exit to L1.
    case reflectedInterrupt
    /// L1 enters L2, with an external interrupt to inject or without.
    case enteringL2(injecting: UInt8?)
    /// KVM carried out an access of L2's to L1's APIC.
    case accessedDirectly(APICRegister, isWrite: Bool, Path)
    /// L2's access faulted and was handed to L1.
    case accessHooked(APICRegister, isWrite: Bool)
    /// An IPI was sent while an EPT_MISCONFIG was handled.
    case sentIPIInMisconfig
    /// The state of the APIC page changed for one level.
    case pageChanged(Level)
    /// An INIT or SIPI was offered to the vCPU.
    case offered(DeliveryMode, vector: UInt8)
    /// The vCPU was reset while nobody looked: its APIC begins anew.
    case reset
    /// L1 was notified of an INIT or SIPI that its L2 had received.
    case initTaken
    case sipiTaken
    /// The VM's inhibit mask changed, or what it had been was settled. Told once, of the VM's first vCPU.
    case inhibitsChanged
    /// The VMM was notified of an EOI, since the IOAPIC is its own: the interrupt is level-triggered.
    case toldIOAPIC
    /// KVM did something else about a fault on the APIC page than ``FaultInTable`` says.
    case faultInDiffers(Level, did: FaultInTable.Decision, expected: FaultInTable.Decision)
    /// Events of this vCPU may have been lost here.
    case gap

    // Told to those alone that watch exits: others have no use for them, and some are as many.

    /// An interrupt was offered to a disabled APIC, which drops it.
    case refused(UInt8, level: Level)
    /// An interrupt that was offered before anybody could tell to which vCPU was this one's. The stamp is the offer's.
    case placed(UInt8, level: Level)
    /// L1 reached for its APIC, or whichever level ran.
    case accessed(APICRegister, isWrite: Bool, level: Level)
    /// An IPI was sent, one without a vector too.
    case sentIPI(UInt8, DeliveryMode)
}
