// SPDX-License-Identifier: Apache-2.0

extension VCPU {
    /// How the level of an exit is presumed before anything that follows it says more.
    enum Presumption: Sendable {
        /// `kvm_nested_vmexit` follows for nearly every exit of L2, so that without it an exit is L1's.
        case l1UntilToldOtherwise
        /// Only the switches between the levels are recorded.
        case modeOfLastSwitch
        case nothing
    }

    /// `kvm_exit`: a new bracket.
    @inline(__always)
    mutating func exited(_ exit: KVMEvent.Exit, presuming presumption: Presumption, at stamp: EventStamp) {
        lastSeen = stamp.time
        let reason = ExitReason(isa: ISA(recorded: exit.isa), recorded: exit.reason)
        let level = level(ofExit: reason, presuming: presumption)
        bracket = ExitBracket(exit, reason, level: level, followsL2: mode == .l2, at: stamp)
        mode = level
        isInjecting = false
        exits.add(reason, level: level)
        standstill.exited(at: exit.rip)
    }

    /// `kvm_entry`: the bracket ends. True where it leaves something to settle.
    @inline(__always)
    mutating func entered(at time: UInt64) -> Bool {
        lastSeen = time
        enteredAt = time
        bracket.isOpen = false
        return pageOfL1.isInFault || pageOfL2.isInFault || ledger.hasCertainPending
    }

    /// `kvm_nested_vmexit`: the exit is L2's. True where it was not known to be.
    @inline(__always)
    mutating func nestedVMExit(at time: UInt64) -> Bool {
        lastSeen = time
        hasNested = true
        if !hasLaunched { hasRunL2Unlaunched = true }
        mode = .l2
        bracket.isLevelPresumed = false
        guard bracket.isOpen, bracket.level != .l2 else { return false }
        exits.move(bracket.reason, from: bracket.level, to: .l2)
        bracket.level = .l2
        if let access = bracket.countedAccess {
            accessesByL1.retract(access.register, isWrite: access.isWrite)
            bracket.countedAccess = nil
        }
        return true
    }

    /// The exception are preemption-timer exits of L2, which 6.1.192, 6.8 and later handle before they trace
    /// `kvm_nested_vmexit` (arch/x86/kvm/vmx/vmx.c).
    @inline(__always)
    private func level(ofExit reason: ExitReason, presuming presumption: Presumption) -> Level {
        switch presumption {
        case .l1UntilToldOtherwise: reason == .preemptionTimer ? mode : .l1
        case .modeOfLastSwitch: mode
        case .nothing: .unknown
        }
    }
}
