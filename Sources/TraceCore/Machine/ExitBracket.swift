// SPDX-License-Identifier: Apache-2.0

/// Everything a vCPU's thread emits between `kvm_exit` and `kvm_entry` belongs to that exit: this is what it has
/// shown so far.
public struct ExitBracket: Equatable, Sendable {
    public var isOpen: Bool
    /// Its reason tells nothing more (``ExitReason/isPlain``).
    let isPlain: Bool
    /// Which level the exit is of.
    public var level: Level
    /// `kvm_nested_vmexit` may still follow and say that the exit is L2's.
    public var isLevelPresumed: Bool
    /// L2 ran before the exit.
    public var followsL2: Bool
    /// L0 handed the exit to L1.
    public var isForwarded: Bool
    /// A HLT is over.
    public var hasWoken: Bool
    /// L1's VMLAUNCH, VMRESUME or VMRUN was refused.
    public var hasFailedEntry: Bool
    public var reason: ExitReason
    public var time: UInt64
    /// Where the exit was handled.
    public var cpu: Int32
    /// IDT-vectoring information or EXITINTINFO, which share their layout: the event whose delivery the exit interrupted.
    private var vectoring: InterruptionInfo
    /// What of the exit tells the register that the guest reached for (bits 11:0 of APIC_ACCESS and APIC_WRITE exits).
    public var qualification: UInt64
    /// An access to the APIC page that faulted, not yet known to be emulated or forwarded.
    public var apicFault: APICFault?
    /// The APIC access of L1's that the exit reason itself told of, so that `kvm_mmio` doesn't count it again.
    public var countedAccess: APICFault?
    /// What `kvm_inj_virq` told of since the exit.
    public var injected: UInt8?

    /// The vector whose delivery the exit interrupted: it will be injected again.
    public var interruptedVector: UInt8? { vectoring.interruptVector }

    mutating func injectedAgain() { vectoring = InterruptionInfo(0) }

    /// The entry that ends it changes nothing but who runs.
    @inline(__always)
    var endsPlainly: Bool { isOpen && isPlain && !(followsL2 && isLevelPresumed) }

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

    /// Before the first exit.
    public init() {
        self.init(
            KVMEvent.Exit(reason: 0, isa: 0, vcpu: nil), ExitReason(isa: .unknown, recorded: 0), level: .unknown,
            followsL2: false, at: EventStamp(time: 0, cpu: 0, tid: 0))
        isOpen = false
    }

    /// Each field is set once, in the order in which they lie, for this is done at each exit. The optional ones are nil.
    @inline(__always)
    init(_ exit: KVMEvent.Exit, _ reason: ExitReason, level: Level, followsL2: Bool, at stamp: EventStamp) {
        isOpen = true
        isPlain = reason.isPlain
        self.level = level
        isLevelPresumed = true
        self.followsL2 = followsL2
        isForwarded = false
        hasWoken = false
        hasFailedEntry = false
        self.reason = reason
        time = stamp.time
        cpu = stamp.cpu
        vectoring = InterruptionInfo(reason.isa == .svm ? exit.intrInfo : UInt32(truncatingIfNeeded: exit.info2))
        qualification = exit.info1
    }
}
