// SPDX-License-Identifier: Apache-2.0

/// One VM's APICv inhibit mask over time, as `kvm_apicv_inhibit_changed` and other evidence show it.
///
/// VM-wide: on VMX it holds while L2 runs too; on SVM each vCPU adds an inhibit of its own while in L2, which no
/// event shows (`kvm_vcpu_apicv_activated`, arch/x86/kvm/x86.c, 5.18 and later).
public struct APICvTimeline: Equatable, Sendable {
    public enum State: String, CaseIterable, Codable, Sendable {
        case active, inhibited, unknown
    }

    public struct Interval: Equatable, Sendable {
        /// Nil: from the start of the trace.
        public var from: UInt64?
        public var state: State
        /// Zero where active or unknown.
        public var mask: UInt64
        /// Not read from an inhibit event but concluded from what the vCPUs did.
        public var inferred: Bool
        /// The thread that emitted the change.
        public var setBy: Int32?
    }

    /// The latest interval, and how many there were; the first ``capacity`` are kept.
    public private(set) var current = Interval(from: nil, state: .unknown, mask: 0, inferred: false, setBy: nil)
    public private(set) var intervals: [Interval] = []
    public private(set) var total = 1
    /// When the first interval that was not kept begins.
    public private(set) var keptUntil: UInt64?
    /// What the VM's state was before the first inhibit event, once evidence settles it.
    public private(set) var initial: State = .unknown
    private var isInitial = true
    /// The first change came before any vCPU ran.
    public private(set) var isSeenFromCreation = false
    /// A vCPU of the VM has run, so that the time before the first change was part of its life.
    private var hasRun = false

    /// How much shows that APICv is off, since it was last shown to be on.
    private var inactiveSigns = 0
    /// How often what the vCPUs did contradicted the inhibit events.
    public private(set) var contradictions = 0

    /// KVM's own mask has been read, and no change can have been missed since.
    private var isRead = false

    /// How long each reason was there until ``current`` became known, and since when that is. Time before a state is known counts for
    /// no reason: whether the VM was there is not known either.
    private var inhibited = InhibitedTime()
    private var knownSince: UInt64?
    /// The VM has ended: no more time is added.
    private var isOver = false

    static let capacity = 256

    public init() {
        intervals = [current]
    }

    @inline(__always)
    public var state: State { current.state }
    /// APICv was active at some time, seen or inferred.
    public var everActive: Bool { intervals.contains { $0.state == .active } }

    /// The changes so far were another VM's: this one ran before them.
    mutating func ranBefore() {
        self = APICvTimeline()
        hasRun = true
    }

    mutating func vcpuRan() {
        hasRun = true
    }

    /// How long APICv was inhibited, by reason, in clock units.
    /// - Parameter now: up to when.
    public func inhibitedTime(until now: UInt64) -> InhibitedTime {
        guard !isOver, let knownSince, current.state == .inhibited, now > knownSince else { return inhibited }
        var sum = inhibited
        sum.add(now - knownSince, of: current.mask)
        return sum
    }

    mutating func ended(at time: UInt64) {
        inhibited = inhibitedTime(until: time)
        isOver = true
    }

    /// The mask as KVM holds it. True where it differs from what was known.
    ///
    /// The change's own event comes before KVM writes the new mask, so that a reading after it may still be old: where
    /// the event tells every mask, only the first reading counts, and the first after a gap.
    ///
    /// - Parameter tellsMasks: `kvm_apicv_inhibit_changed` is recorded.
    mutating func read(_ mask: UInt64, tellsMasks: Bool, at time: UInt64) -> Bool {
        guard !isRead || !tellsMasks else { return false }
        isRead = true
        hasRun = true
        let state: State = mask == 0 ? .active : .inhibited
        guard isInitial else { return append(Interval(from: time, state: state, mask: mask, inferred: false)) }
        isInitial = false
        let isChange = current.state != state || current.mask != mask
        initial = state
        current = Interval(from: nil, state: state, mask: mask, inferred: false)
        intervals = [current]
        knownSince = time
        return isChange
    }

    /// A change may have been missed.
    mutating func touchedByGap() {
        isRead = false
    }

    /// `kvm_apicv_inhibit_changed`: only the mask is to be trusted. True where it differs from what was known.
    mutating func inhibitChanged(_ change: KVMEvent.APICvInhibitChanged, at stamp: EventStamp) -> Bool {
        if hasRun { settle(before: change, at: stamp) }
        return changed(to: change.inhibits, at: stamp)
    }

    /// `kvm_apicv_update_request`: fires on real transitions only; the mask behind `activate` is unknown but for its bit.
    mutating func updateRequested(_ request: KVMEvent.APICvUpdateRequest, at stamp: EventStamp) -> Bool {
        let bit: UInt64 = 1 << (request.bit & 63)
        if isInitial, hasRun {
            settleInitial(request.activate ? .inhibited : .active, mask: request.activate ? bit : 0, at: stamp)
        }
        return changed(to: request.activate ? 0 : bit, at: stamp)
    }

    /// Something contradicts the mask, and leaves open what it is. True where that changed what is known.
    mutating func showedUnknown(since entered: UInt64, at stamp: EventStamp) -> Bool {
        guard current.state != .unknown, entered > current.from ?? 0 else { return false }
        contradictions += 1
        isInitial = false
        return append(Interval(from: stamp.time, state: .unknown, mask: 0, inferred: true))
    }

    /// Some VM's mask changed, and this one's perhaps.
    mutating func becameUnknown(at stamp: EventStamp) -> Bool {
        isInitial = false
        return append(Interval(from: stamp.time, state: .unknown, mask: 0, inferred: true))
    }

    /// What only a VM with APICv switched off does.
    enum InactiveSign {
        /// An exit of L1's ended an interrupt that hardware would have ended by itself.
        case eoiByExit
        /// An interrupt that L1's APIC had accepted was injected into L1. It may have been the PIC's, of the same vector.
        case injectionOfAccepted
    }

    /// How many injections of accepted interrupts are more than the PIC's accidents.
    private static let injectionsNeeded = 3

    /// Something happened that only a vCPU with APICv in use can do. True where that settled or changed the state.
    ///
    /// - Parameter entered: when the vCPU that shows it entered the guest last: KVM carries an inhibit out there
    ///   (kvm_vcpu_update_apicv, arch/x86/kvm/x86.c), so that before it shows nothing.
    mutating func showedActive(since entered: UInt64, at stamp: EventStamp) -> Bool {
        if isInitial, initial == .unknown, inactiveSigns == 0 {
            settleInitial(.active, mask: 0, at: stamp)
            return true
        }
        guard current.state != .active, entered > current.from ?? 0 else { return false }
        if current.state == .inhibited { contradictions += 1 }
        isInitial = false
        inactiveSigns = 0
        return append(Interval(from: stamp.time, state: .active, mask: 0, inferred: true))
    }

    /// Something happened that only a vCPU with APICv switched off does. True where that changed what is known.
    ///
    /// What contradicts an inhibit event, or earlier signs, leaves the state unknown: one of the two was not recorded.
    ///
    /// - Parameter settles: it was L1 for certain, so that it may say what was at the start.
    mutating func showedInactive(
        _ sign: InactiveSign, settles: Bool, since entered: UInt64, at stamp: EventStamp
    ) -> Bool {
        guard entered > current.from ?? 0 || isInitial else { return false }
        inactiveSigns += sign == .eoiByExit ? Self.injectionsNeeded : 1
        guard inactiveSigns >= Self.injectionsNeeded else { return false }
        if isInitial, initial == .unknown {
            guard settles else { return false }
            settleInitial(.inhibited, mask: 0, at: stamp)
            return true
        }
        guard current.state == .active else { return false }
        contradictions += 1
        isInitial = false
        return append(Interval(from: stamp.time, state: .unknown, mask: 0, inferred: true))
    }

    /// The first event tells what was before it: the other bits stay. Whether its own bit was set it leaves open, for it
    /// fires without a change too.
    private mutating func settle(before change: KVMEvent.APICvInhibitChanged, at stamp: EventStamp) {
        guard isInitial, initial == .unknown, (0..<64).contains(change.reason) else { return }
        let bit: UInt64 = 1 << UInt64(change.reason)
        let others = change.inhibits & ~bit
        if others != 0 { settleInitial(.inhibited, mask: others, at: stamp) }
    }

    private mutating func settleInitial(_ state: State, mask: UInt64, at stamp: EventStamp) {
        initial = state
        intervals[0].state = state
        intervals[0].mask = mask
        intervals[0].inferred = true
        guard isInitial else { return }
        current = intervals[0]
        knownSince = stamp.time
    }

    private mutating func changed(to mask: UInt64, at stamp: EventStamp) -> Bool {
        if isInitial, !hasRun {
            // The VM is being created: there is nothing before its first mask.
            intervals = []
            total = 0
            isSeenFromCreation = true
        }
        isInitial = false
        let state: State = mask == 0 ? .active : .inhibited
        return append(Interval(from: stamp.time, state: state, mask: mask, inferred: false, setBy: stamp.tid))
    }

    /// True where the interval differs from the one before.
    private mutating func append(_ interval: Interval) -> Bool {
        guard total == 0 || current.state != interval.state || current.mask != interval.mask else { return false }
        if intervals.count == Self.capacity, total == Self.capacity { keptUntil = interval.from }
        if let time = interval.from { inhibited = inhibitedTime(until: time) }
        knownSince = interval.from
        current = interval
        total += 1
        if intervals.count < Self.capacity { intervals.append(current) }
        return true
    }
}
