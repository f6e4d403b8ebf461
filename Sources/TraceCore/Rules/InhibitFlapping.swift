// SPDX-License-Identifier: Apache-2.0

/// Rule `inhibit-flapping`: a VM's APICv goes off and on at a rate that costs more than APICv gains, and each time
/// passes through the code where interrupts were lost before (kvm-facts rules 4, 5, 12 and 25).
struct InhibitFlapping: ~Copyable, Sendable {
    struct Watch: Sendable {
        /// Times of the latest changes, a ring.
        var recent: [UInt64] = []
        var next = 0
        var total: UInt64 = 0
        var wasActive: Bool?
        var found: (first: UInt64, last: UInt64)?
        var log = EvidenceLog()
    }

    private var watches = Table<VMIndex, Watch>()

    /// So many times off or on within a second.
    static let changesNeeded = 50
    static let windowNanoseconds: UInt64 = 1_000_000_000

    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        guard case .inhibitsChanged = transition, machine.measuresTime else { return }
        let vm = machine.vcpus[vcpu].vm
        let interval = machine.vms[vm].apicv.current
        guard interval.state != .unknown, !interval.inferred else { return }
        let isActive = interval.state == .active
        guard watches[vm, default: Watch()].wasActive != isActive else { return }
        watches[vm, default: Watch()].wasActive = isActive
        let names = isActive ? "none" : machine.inhibitNames.names(of: interval.mask).joined(separator: ", ")
        watches[vm].log.add("kvm_apicv_inhibit_changed", at: stamp, "inhibits: \(names)")
        toggled(vm, stamp.time)
    }

    private mutating func toggled(_ vm: VMIndex, _ time: UInt64) {
        watches[vm].total += 1
        if watches[vm].recent.count < Self.changesNeeded {
            watches[vm].recent.append(time)
        } else {
            watches[vm].recent[watches[vm].next] = time
            watches[vm].next = (watches[vm].next + 1) % Self.changesNeeded
        }
        guard watches[vm].recent.count == Self.changesNeeded else { return }
        let oldest = watches[vm].recent[watches[vm].next]
        guard time.elapsed(since: oldest) <= Self.windowNanoseconds else { return }
        watches[vm].found = (watches[vm].found?.first ?? oldest, time)
    }

    /// The VM has ended: another one has its place.
    mutating func forget(vm: VMIndex) {
        if watches.indices.contains(vm) { watches[vm] = Watch() }
    }

    func findings(in machine: borrowing Machine) -> [RuleFinding] {
        watches.indices.compactMap { vm in
            guard let found = watches[vm].found else { return nil }
            var finding = RuleFinding(
                rule: .inhibitFlapping, grade: .exposed, vm: vm, vcpu: nil, first: found.first, last: found.last,
                count: watches[vm].total,
                statement:
                    "APICv went off and on \(watches[vm].total) times, \(Self.changesNeeded) times and more within "
                    + "a second.")
            finding.evidence = watches[vm].log
            return finding
        }
    }
}
