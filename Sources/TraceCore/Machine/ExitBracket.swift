// SPDX-License-Identifier: Apache-2.0

/// Everything a vCPU's thread emits between `kvm_exit` and `kvm_entry` belongs to that exit: this is what it has
/// shown so far.
public struct ExitBracket: Equatable, Sendable {
    public var isOpen = false
    public var reason = ExitReason(isa: .unknown, recorded: 0)
    /// Which level the exit is of.
    public var level: Level = .unknown
    public var time: UInt64 = 0
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

    /// In a HLT that L0 handles, and nothing has woken it yet.
    @inline(__always)
    public var isBlocked: Bool { isOpen && reason.isHLT && !isForwarded && !hasWoken }

    /// An interrupt-window exit of L2's, told of when its level became known.
    var isWindowOfL2: Bool { isOpen && level == .l2 && reason.isInterruptWindow }

    public struct APICFault: Equatable, Sendable {
        public var register: APICRegister
        public var isWrite: Bool
    }

    public init() {}

    @inline(__always)
    init(_ exit: KVMEvent.Exit, level: Level, at stamp: EventStamp) {
        isOpen = true
        let isa = ISA(recorded: exit.isa)
        reason = ExitReason(isa: isa, recorded: exit.reason)
        self.level = level
        time = stamp.time
        // IDT-vectoring information and EXITINTINFO share their layout: bit 31 valid, bits 10:8 type, 0 external.
        let vectoring = isa == .svm ? exit.intrInfo : UInt32(truncatingIfNeeded: exit.info2)
        interruptedVector = InterruptionInfo(vectoring).interruptVector
    }
}
