// SPDX-License-Identifier: Apache-2.0

/// One vCPU's interrupts, vector by vector: requested, acknowledged, ended, and at which level each happened.
///
/// It keeps books and finds crossings; whether anything is lost is for the rules to say.
public struct InterruptLedger: Equatable, Sendable {
    private var accounts = VectorAccounts()
    /// Gaps in the trace that this vCPU's events may have fallen into.
    public private(set) var gaps: UInt32 = 0
    /// Vectors in service that were seen, as a bit map, so that the highest is at hand.
    private var inServiceMap = VectorSet()
    /// Interrupts that were injected into L2, and whose end no event told of.
    public private(set) var unseenEOIs: UInt64 = 0
    private var pendingMap = VectorSet()
    /// The pending ones that hardware can't have delivered.
    private var certainMap = VectorSet()
    /// Those that may have been in service before the trace, or a gap in it, let anybody see them go there.
    private var unseenMap = VectorSet.all

    public init() {}

    public subscript(vector: UInt8) -> VectorAccount { accounts[vector] }

    public var highestInService: UInt8? { inServiceMap.highest }
    public var highestPending: UInt8? { pendingMap.highest }
    public var pending: VectorSet { pendingMap }

    /// Something waits that hardware can't have delivered.
    var hasCertainPending: Bool { !certainMap.isEmpty }

    /// Vectors that were accepted in hard interrupt context alone, on a thread of this VM's: they may be for another VM.
    private(set) var mayBeOthers = VectorSet()

    mutating func targeted(_ vector: UInt8, isCertain: Bool) {
        if isCertain {
            mayBeOthers.remove(vector)
        } else if accounts[vector].isUntouched {
            mayBeOthers.insert(vector)
        }
    }

    /// The highest vector that KVM injected into L2, or L1 passed on to it, and that is in service for certain, but for those in `stuck`.
    // Inlined, and so are its likes: a call would copy the ledger.
    @inline(__always)
    func highestInjected(but stuck: VectorSet) -> UInt8? {
        inServiceMap.first { vector in
            guard let open = accounts[vector].inService, open.isSure, !open.mayHaveEnded else { return false }
            return (open.level == .l2 || open.by == .passedOn) && !stuck.contains(vector)
        }
    }

    /// The vector that the next EOI ends: the highest in service, one that may be the PIC's only where there is no other.
    var endedNext: UInt8? {
        inServiceMap.first { accounts[$0].inService?.isSure == true } ?? highestInService
    }

    /// The vector may have been in service since before the trace, or a gap in it.
    func mayBeUnseen(_ vector: UInt8) -> Bool { unseenMap.contains(vector) }

    /// The vectors that were seen to go into service and not to end.
    var inService: VectorSet { inServiceMap }

    /// A fixed or lowest-priority interrupt was offered while `level` ran on this vCPU.
    ///
    /// - Parameter silent: hardware may deliver it to that level without a trace.
    mutating func accepted(_ vector: UInt8, level: Level, silent: Bool, at stamp: EventStamp) {
        accounts[vector].accepted[level] &+= 1
        if let pending = accounts[vector].pending, !pending.maybeSilent {
            accounts[vector].coalesced &+= 1
            return
        }
        accounts[vector].pending = .init(since: stamp, maybeSilent: silent, gaps: gaps)
        pendingMap.insert(vector)
        if !silent { certainMap.insert(vector) }
    }

    /// An interrupt was offered to a disabled APIC, which drops it.
    mutating func refused(_ vector: UInt8, level: Level) {
        accounts[vector].accepted[level] &+= 1
    }

    /// IRR to ISR at a level.
    mutating func acknowledged(_ vector: UInt8, level: Level, by how: Acknowledgement, at stamp: EventStamp) {
        accounts[vector].acknowledged[level] &+= 1
        mayBeOthers.remove(vector)
        let isSure = accounts[vector].pending != nil
        noLongerPending(vector)
        // KVM picks a vector only where nothing of its class or above is in ISR: what was there has ended unseen. Hardware
        // goes by SVI, which may be stale, and proves nothing.
        if isSure, how != .passedOn {
            for older in inServiceMap where older.priorityClass >= vector.priorityClass { endedUnseen(older) }
            unseenMap.removeAll(from: vector & 0xf0)
        }
        accounts[vector].inService = .init(since: stamp, level: level, by: how, isSure: isSure)
        inServiceMap.insert(vector)
    }

    /// The PIC's interrupt was injected: it has no part in IRR and ISR.
    mutating func injectedByPIC(_ vector: UInt8, level: Level) {
        accounts[vector].acknowledged[level] &+= 1
    }

    /// L2 reached for a register that isn't known, and L1 carried it out: it may have been an EOI.
    mutating func markMayHaveEnded() {
        for vector in inServiceMap { accounts[vector].inService?.mayHaveEnded = true }
    }

    /// L1 runs, and hardware carries its EOIs out in silence: what it took with an exit may be gone.
    mutating func forgetServiceOfL1() {
        for vector in inServiceMap where accounts[vector].inService?.by == .withExit {
            accounts[vector].inService?.mayHaveEnded = true
        }
    }

    mutating func reinjected(_ vector: UInt8) {
        accounts[vector].reinjected &+= 1
    }

    /// An EOI of a vector that KVM named. Returns the crossing where it was acknowledged at the other level.
    ///
    /// - Parameter silentAcknowledge: L1 may have taken the vector without a trace (virtual-interrupt delivery), so
    ///   that an EOI by L2 with nothing injected tells of one.
    mutating func ended(_ vector: UInt8, level: Level, silentAcknowledge: Bool, at stamp: EventStamp) -> Crossing? {
        accounts[vector].ended[level] &+= 1
        mayBeOthers.remove(vector)
        let mayBeOlder = unseenMap.contains(vector) && accounts[vector].pending == nil
        unseenMap.remove(vector)
        guard let open = accounts[vector].inService else {
            guard level == .l2, silentAcknowledge, !mayBeOlder else { return nil }
            accounts[vector].acknowledged.l1 &+= 1
            noLongerPending(vector)
            return Crossing(
                vector: vector, acknowledgedAt: .l1, endedAt: level, inferred: true, acknowledged: nil, by: nil,
                ended: stamp, endedBy: .eoi)
        }
        leaveService(vector)
        return crossing(of: vector, open, endedAt: level, inferred: false, at: stamp, .eoi)
    }

    /// An EOI that L1 wrote on L2's behalf and that hardware carried out in silence: the highest vector in service.
    /// `stamp`: of the `kvm_nested_vmexit_inject` that handed L2's EOI to L1.
    mutating func endedSilently(byL1At stamp: EventStamp) -> Crossing? {
        guard let vector = endedNext, let open = accounts[vector].inService else { return nil }
        accounts[vector].ended.l1 &+= 1
        leaveService(vector)
        return crossing(of: vector, open, endedAt: .l1, inferred: true, at: stamp, .nestedVMExitInject)
    }

    /// L1 wrote an EOI for `vector`, but KVM was notified of another's end (`kvm_eoi` at `stamp`): it stays in service.
    func missedEOI(of vector: UInt8, at stamp: EventStamp) -> Crossing? {
        guard let open = accounts[vector].inService else { return nil }
        return crossing(of: vector, open, endedAt: .l1, inferred: true, at: stamp, .eoi)
    }

    /// L1 runs with interrupts delivered by hardware: notes that what is pending may be gone without a trace.
    @inline(__always)
    mutating func markSilentDelivery() {
        if !certainMap.isEmpty { forgetCertainty() }
    }

    private mutating func forgetCertainty() {
        for vector in certainMap { accounts[vector].pending?.maybeSilent = true }
        certainMap = VectorSet()
    }

    /// Events of this vCPU may have been lost: what was in service may have ended since.
    mutating func touchedByGap() {
        gaps &+= 1
        for vector in inServiceMap { accounts[vector].inService = nil }
        inServiceMap = VectorSet()
        unseenMap = .all
    }

    /// Notes that nothing that went unseen into service is there: an EOI found none, or the vCPU's whole life has been seen.
    mutating func clearUnseen() {
        unseenMap = VectorSet()
    }

    /// The local APIC was reset (INIT) or disabled: nothing is pending or in service.
    mutating func reset() {
        for vector in pendingMap { accounts[vector].pending = nil }
        for vector in inServiceMap { accounts[vector].inService = nil }
        pendingMap = VectorSet()
        certainMap = VectorSet()
        inServiceMap = VectorSet()
        unseenMap = VectorSet()
    }

    /// Takes over what was accepted before the vCPU was known to be this one; nothing else can have happened to it.
    mutating func add(_ earlier: InterruptLedger) {
        for vector in UInt8.min...UInt8.max where !earlier[vector].isUntouched {
            let account = earlier[vector]
            for level in Level.allCases { accounts[vector].accepted[level] &+= account.accepted[level] }
            accounts[vector].coalesced &+= account.coalesced
            guard let pending = account.pending, accounts[vector].acknowledged.total == 0 else { continue }
            accounts[vector].pending = pending
            pendingMap.insert(vector)
            if !pending.maybeSilent { certainMap.insert(vector) }
        }
    }

    /// A new window of observation: counts start anew, open entries stay open.
    mutating func forgetCounts() {
        accounts.forgetCounts()
        unseenEOIs = 0
    }

    private mutating func noLongerPending(_ vector: UInt8) {
        accounts[vector].pending = nil
        pendingMap.remove(vector)
        certainMap.remove(vector)
    }

    /// A vector in service must have ended, and no event told of its EOI.
    private mutating func endedUnseen(_ vector: UInt8) {
        if let open = accounts[vector].inService, open.isSure, open.level == .l2 { unseenEOIs &+= 1 }
        leaveService(vector)
    }

    private mutating func leaveService(_ vector: UInt8) {
        accounts[vector].inService = nil
        inServiceMap.remove(vector)
    }

    private func crossing(
        of vector: UInt8, _ open: VectorAccount.InService, endedAt level: Level, inferred: Bool, at stamp: EventStamp,
        _ event: EventKind
    ) -> Crossing? {
        guard open.level != level, open.level != .unknown, level != .unknown else { return nil }
        return Crossing(
            vector: vector, acknowledgedAt: open.level, endedAt: level, inferred: inferred, acknowledged: open.since,
            by: open.by, ended: stamp, endedBy: event)
    }
}

/// An interrupt acknowledged (IRR to ISR) at one level and ended (EOI) at the other: what leaves vmcs01.SVI stale on
/// kernels without mainline 04bc93cf49d1.
public struct Crossing: Equatable, Sendable {
    public var vector: UInt8
    public var acknowledgedAt: Level
    public var endedAt: Level
    /// One of the two is concluded rather than seen.
    public var inferred: Bool
    /// When the vector was acknowledged and by what event, nil where that was silent.
    public var acknowledged: EventStamp?
    public var by: Acknowledgement?
    /// When it was ended: the record of ``endedBy``.
    public var ended: EventStamp
    /// `kvm_eoi`, or the event that handed L2's EOI to L1.
    public var endedBy: EventKind
}

/// How a trace shows that a vector moved from IRR to ISR.
public enum Acknowledgement: Equatable, Sendable {
    /// KVM injected it (`kvm_inj_virq`), having chosen it by ISR and the task priority.
    case injected
    /// The same, told by `kvm_entry.intr_info` alone (6.14 and later).
    case injectedAtEntry
    /// KVM handed it to L1 together with the exit (acknowledge-on-exit). KVM chose it in the same way.
    case withExit
    /// L1 took it in silence after a reflected exit, and passed it on to L2. Hardware chose it, by SVI.
    case passedOn

    /// KVM itself put it into the guest that runs.
    var isInjection: Bool { self == .injected || self == .injectedAtEntry }

    /// The event that shows it.
    var event: EventKind {
        switch self {
        case .injected: .injVIRQ
        case .injectedAtEntry: .entry
        case .withExit: .nestedVMExitInject
        case .passedOn: .nestedVMEnter
        }
    }
}
