// SPDX-License-Identifier: Apache-2.0

/// Everything a vCPU's thread emits between `kvm_exit` and `kvm_entry` belongs to that exit: this is what it has
/// shown so far.
public struct ExitBracket: Equatable, Sendable {
    public var isOpen = false
    public var reason = ExitReason(isa: .unknown, recorded: 0)
    /// Which level the exit is of.
    public var level: Level = .unknown
    public var time: UInt64 = 0
    /// Where the exit was handled.
    public var cpu: Int32 = 0
    /// The vector whose delivery the exit interrupted: it will be injected again.
    public var interruptedVector: UInt8?
    /// L0 handed the exit to L1.
    public var isForwarded = false
    /// A HLT is over.
    public var hasWoken = false
    /// An access to the APIC page that faulted, not yet known to be emulated or forwarded.
    public var apicFault: APICFault?
    /// The APIC access of L1's that the exit reason itself told of, so that `kvm_mmio` doesn't count it again.
    public var countedAccess: APICFault?
    /// `kvm_nested_vmexit` may still follow and say that the exit is L2's.
    public var isLevelPresumed = true
    /// L2 ran before the exit.
    public var followsL2 = false
    /// L1's VMLAUNCH, VMRESUME or VMRUN was refused.
    public var hasFailedEntry = false
    /// What `kvm_inj_virq` told of since the exit.
    public var injected: UInt8?
    /// Where the guest was, and what of the exit tells the register that it reached for (bits 11:0 of APIC_ACCESS and
    /// APIC_WRITE exits).
    public var qualification: UInt64 = 0

    /// The next entry may be of another level than the exit, or the level is not settled.
    @inline(__always)
    public var mayChangeLevel: Bool { isOpen && (reason.startsL2 || followsL2 && isLevelPresumed) }

    /// MOV to CR8 (SDM 29.2.1: bits 3:0 of the qualification name the register, bits 5:4 are 0 for a move to it).
    var writesCR8: Bool { reason == .crAccess && qualification & 0x3f == 8 }

    /// In a HLT that L0 handles, and nothing has woken it yet.
    @inline(__always)
    public var isBlocked: Bool { isOpen && reason.isHLT && !isForwarded && !hasWoken }

    /// An interrupt-window exit of L2's, told of when its level became known.
    var isWindowOfL2: Bool { isOpen && level == .l2 && reason.isInterruptWindow }

    public struct APICFault: Equatable, Sendable {
        public var register: APICRegister
        public var isWrite: Bool
    }

    /// The register that an APIC_ACCESS or APIC_WRITE exit names (SDM 29.4: bits 11:0 offset; bits 15:12 of APIC_ACCESS
    /// type, 0 linear read, 1 linear write); nil for other exits, instruction fetches and event delivery.
    var virtualizedAccess: APICFault? {
        switch reason {
        case .apicWrite:
            return APICFault(register: .init(offset: UInt32(truncatingIfNeeded: qualification & 0xfff)), isWrite: true)
        case .apicAccess:
            let type = qualification >> 12 & 0xf
            guard type <= 1 else { return nil }
            return APICFault(
                register: .init(offset: UInt32(truncatingIfNeeded: qualification & 0xfff)), isWrite: type == 1)
        default:
            return nil
        }
    }

    public init() {}

    @inline(__always)
    init(_ exit: KVMEvent.Exit, level: Level, at stamp: EventStamp) {
        isOpen = true
        let isa = ISA(recorded: exit.isa)
        reason = ExitReason(isa: isa, recorded: exit.reason)
        self.level = level
        time = stamp.time
        cpu = stamp.cpu
        qualification = exit.info1
        // IDT-vectoring information and EXITINTINFO share their layout: bit 31 valid, bits 10:8 type, 0 external.
        let vectoring = isa == .svm ? exit.intrInfo : UInt32(truncatingIfNeeded: exit.info2)
        interruptedVector = InterruptionInfo(vectoring).interruptVector
    }
}
