// SPDX-License-Identifier: Apache-2.0

extension InterruptClass {
    /// Why a vector of a vCPU is still outstanding at the end of the trace; nil where it isn't.
    ///
    /// - Parameter isLost: a rule found it lost.
    init?(of vector: UInt8, on index: Int, in machine: borrowing Machine, isLost: Bool) {
        let vcpu = machine.vcpus[index]
        guard let pending = vcpu.ledger[vector].pending else { return nil }
        if pending.gaps != vcpu.ledger.gaps {
            self = .touchedByGap
        } else if isLost {
            self = .unexplained
        } else if machine.blockedIRQ(index, since: pending.since.time) {
            self = .blocked
        } else if pending.maybeSilent {
            self = .silent
        } else if [vcpu.ledger.highestInService, vcpu.shownTPR].contains(where: { ($0 ?? 0) >> 4 >= vector >> 4 }) {
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
    /// KVM_GUESTDBG_BLOCKIRQ is set now, or has been since.
    func blockedIRQ(_ vcpu: Int, since time: UInt64) -> Bool {
        if blocksIRQ(vcpu) { return true }
        guard let bit = inhibitNames.blockIRQ else { return false }
        return vms[vcpus[vcpu].vm].apicv.intervals.contains { $0.mask & bit != 0 && $0.from ?? 0 >= time }
    }
}
