// SPDX-License-Identifier: Apache-2.0

extension InterruptClass {
    /// Why a vector of a vCPU is still outstanding at the end of the trace; nil where it isn't.
    ///
    /// - Parameter isLost: a rule found it lost.
    init?(of vector: UInt8, on index: VCPUIndex, in machine: borrowing Machine, isLost: Bool) {
        let vcpu = machine.vcpus[index]
        guard let pending = vcpu.ledger[vector].pending else { return nil }
        if pending.gaps != vcpu.ledger.gaps {
            self = .touchedByGap
        } else if isLost {
            self = .unexplained
        } else if machine.blockedIRQ(index) {
            self = .blocked
        } else if pending.maybeSilent {
            self = .silent
        } else if machine.heldClass(on: index) ?? .lowest >= vector.priorityClass {
            self = .masked
        } else if machine.measuresTime,
            machine.now.elapsed(since: pending.since.time) < Wait.nanosecondsNeeded
        {
            self = .pendingAtEnd
        } else {
            self = .unexplained
        }
    }
}

extension Machine {
    /// KVM_GUESTDBG_BLOCKIRQ is set now, or was up to a moment ago.
    func blockedIRQ(_ vcpu: VCPUIndex) -> Bool {
        if blocksIRQ(vcpu) { return true }
        guard let bit = inhibitNames.blockIRQ else { return false }
        // Once it is cleared KVM injects what waits at the next entry.
        let intervals = vms[vcpus[vcpu].vm].apicv.intervals
        return zip(intervals, intervals.dropFirst()).contains { blocked, next in
            blocked.mask & bit != 0 && now.elapsed(since: next.from ?? 0) < Wait.nanosecondsNeeded
        }
    }
}
