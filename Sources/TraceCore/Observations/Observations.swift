// SPDX-License-Identifier: Apache-2.0

/// What the trace shows beside findings: it helps with a guest that hangs for another reason. Nothing here has a grade or
/// changes one.
public struct Observations: MachineObserver, ~Copyable, Sendable {
    struct Watch: Sendable {
        var start = StartWatch()
        var storm = StormWatch()
        var differences: [Difference] = []
    }

    /// A decision of KVM's that the fault-in table does not have.
    struct Difference: Sendable {
        let level: Level
        let did: FaultInTable.Decision
        let expected: FaultInTable.Decision
        let first: UInt64
        var last: UInt64
        var count: UInt64 = 1
    }

    private var watches = Table<VCPUIndex, Watch>()

    /// Changes of inhibits that are listed one by one.
    static let inhibitsListed = 16

    public init() {}

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool {
        vcpu < watches.endIndex && watches[vcpu].start.isWaiting
    }

    @inline(__always)
    public mutating func entered(
        _ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        if watchesEntries(of: vcpu) { watches[vcpu].start.ends() }
    }

    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        switch transition {
        case .offered(let mode, _):
            watches[vcpu, default: Watch()].start.offered(mode, at: stamp)
        case .accepted(let vector, _, _):
            if vcpu < watches.endIndex { watches[vcpu].storm.accepted(vector, at: stamp.time) }
        case .ended(let vector, let level):
            guard machine.measuresTime else { return }
            let isLevel = machine.vcpus[vcpu].bracket.isOpen && machine.vcpus[vcpu].bracket.reason == .eoiInduced
            watches[vcpu, default: Watch()].storm.ended(vector, level: level, isLevel: isLevel, at: stamp.time)
        case .toldIOAPIC:
            if vcpu < watches.endIndex { watches[vcpu].storm.toldIOAPIC() }
        case .acknowledged(let vector, .l2, _), .enteringL2(injecting: .some(let vector)):
            if vcpu < watches.endIndex { watches[vcpu].storm.passedOn(vector) }
        case .faultInDiffers(let level, let did, let expected):
            differs(level, did, expected, vcpu, stamp.time)
        case .gap:
            guard vcpu < watches.endIndex else { return }
            watches[vcpu].start.ends()
            watches[vcpu].storm.interrupted()
        default: break
        }
    }

    private mutating func differs(
        _ level: Level, _ did: FaultInTable.Decision, _ expected: FaultInTable.Decision, _ vcpu: VCPUIndex,
        _ time: UInt64
    ) {
        let known = watches[vcpu, default: Watch()].differences.firstIndex {
            $0.level == level && $0.did == did && $0.expected == expected
        }
        if let known {
            watches[vcpu].differences[known].last = time
            watches[vcpu].differences[known].count &+= 1
        } else {
            watches[vcpu, default: Watch()].differences.append(
                Difference(level: level, did: did, expected: expected, first: time, last: time))
        }
    }

    /// What there is to tell, VM by VM.
    ///
    /// - Parameters:
    ///   - isWhole: none but what VMs are known to have lost is missing: what was not seen of the others did not happen.
    ///   - ended: what was to tell of a VM when it ended.
    public func list(
        in machine: borrowing Machine, isWhole: Bool, ended: (_ vm: VMIndex) -> [Observation]? = { _ in nil }
    ) -> [Observation] {
        var list: [Observation] = []
        for vm in machine.vms.indices {
            list += ended(vm) ?? self.list(ofVM: vm, in: machine, isWhole: isWhole)
        }
        return list + machine.inhibitsOfNobody(listed: Self.inhibitsListed)
    }

    func list(ofVM vm: VMIndex, in machine: borrowing Machine, isWhole: Bool) -> [Observation] {
        var list: [Observation] = []
        for vcpu in machine.vms[vm].vcpus {
            list += [noProgress(vcpu, machine)].compactMap(\.self)
            guard vcpu < watches.endIndex else { continue }
            if isWhole, machine.vms[vm].eventsLost == 0 { list += [neverRan(vcpu, machine)].compactMap(\.self) }
            list += storms(vcpu, machine) + differences(vcpu, machine)
        }
        return list
    }

    /// The VM of these vCPUs has ended: another one has their places.
    mutating func forget(_ vcpus: [VCPUIndex]) {
        for vcpu in vcpus where watches.indices.contains(vcpu) { watches[vcpu] = Watch() }
    }

    private func noProgress(_ vcpu: VCPUIndex, _ machine: borrowing Machine) -> Observation? {
        guard let run = machine.vcpus[vcpu].standstill.reported else { return nil }
        let address = run.faults > 0 ? " and address \(Hex.string(run.address))" : ""
        let again = run.reinjections > 0 ? ", \(run.vector.hex) injected again \(run.reinjections) times" : ""
        return Observation(
            kind: .noProgress, vm: machine.vcpus[vcpu].vm, vcpu: vcpu,
            vector: run.reinjections > 0 ? run.vector : nil, first: run.first, last: run.last, count: run.count,
            text:
                "makes no progress: \(run.reason.name) at rip \(Hex.string(run.rip))\(address) \(run.count) times in a "
                + "row\(machine.duration(from: run.first, to: run.last)), nothing emulated\(again).")
    }

    private func neverRan(_ vcpu: VCPUIndex, _ machine: borrowing Machine) -> Observation? {
        let start = watches[vcpu].start
        guard let initial = start.initial, machine.measuresTime, machine.showsRuns,
            let waited = start.waited(until: machine.now), !machine.hasRun(vcpu, since: start.firstSIPI)
        else { return nil }
        let sipis = start.sipis == 1 ? "a SIPI" : "\(start.sipis) SIPIs"
        return Observation(
            kind: .neverRan, vm: machine.vcpus[vcpu].vm, vcpu: vcpu, vector: nil, first: initial.time,
            last: machine.now, count: start.sipis,
            text: "was offered an INIT and \(sipis), and did not run in the \(Self.time(waited)) that remain "
                + "(apictrace explain init-sipi-race).")
    }

    private func storms(_ vcpu: VCPUIndex, _ machine: borrowing Machine) -> [Observation] {
        watches[vcpu].storm.all.map { storm in
            let passed = machine.vcpus[vcpu].hasNested ? ", passed on to L2 \(storm.passed) times" : ""
            let owner = storm.hasUserIOAPIC ? ", by an IOAPIC in user space" : ""
            return Observation(
                kind: .storm, vm: machine.vcpus[vcpu].vm, vcpu: vcpu, vector: storm.vector, first: storm.first,
                last: storm.last, count: storm.ended,
                text: "\(storm.vector.hex), level-triggered: accepted \(storm.accepted) times, ended \(storm.ended) "
                    + "times in \(storm.level.name)\(passed)\(machine.duration(from: storm.first, to: storm.last)): a "
                    + "storm, asserted again after each EOI\(owner).")
        }
    }

    private func differences(_ vcpu: VCPUIndex, _ machine: borrowing Machine) -> [Observation] {
        watches[vcpu].differences.map { difference in
            Observation(
                kind: .faultIn, vm: machine.vcpus[vcpu].vm, vcpu: vcpu, vector: nil, first: difference.first,
                last: difference.last, count: difference.count,
                text: "KVM \(difference.did.past) for \(difference.level.name) on the APIC page, where this kernel "
                    + "\(difference.expected.present), as far as its state is known.")
        }
    }

    static func time(_ nanoseconds: UInt64) -> String {
        let (tenths, unit) =
            nanoseconds < 1_000_000_000
            ? ((nanoseconds + 50_000) / 100_000, "ms") : ((nanoseconds / 1_000_000 + 50) / 100, "s")
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }
}

extension FaultInTable.Decision {
    fileprivate var past: String {
        switch self {
        case .retry: "did nothing"
        case .installMMIOSPTEAndEmulate: "used an MMIO SPTE"
        case .emulateOnly: "emulated an access without an SPTE"
        case .map: "installed an ordinary SPTE"
        }
    }

    fileprivate var present: String {
        switch self {
        case .retry: "does nothing"
        case .installMMIOSPTEAndEmulate: "makes an MMIO SPTE"
        case .emulateOnly: "emulates without an SPTE"
        case .map: "installs an ordinary SPTE"
        }
    }
}

extension Machine {
    /// ` in 4.4 ms`, empty where the clock measures no time.
    fileprivate func duration(from first: UInt64, to last: UInt64) -> String {
        measuresTime ? " in \(Observations.time(last.elapsed(since: first)))" : ""
    }

    /// vCPUs that run are seen to.
    fileprivate var showsRuns: Bool {
        vcpus.contains { $0.tid != nil && $0.mode != .unknown }
            && (info.recordedKinds.contains(.exit) || info.recordedKinds.contains(.entry))
    }

    fileprivate func hasRun(_ vcpu: VCPUIndex, since time: UInt64) -> Bool {
        // Live: exits of a vCPU that has never nested are not reported one by one, but counted.
        if vcpus[vcpu].isKnownNotToNest { return Level.allCases.contains { vcpus[vcpu].exits.total($0) > 0 } }
        return vcpus[vcpu].bracket.time > time
    }

    /// Changes of inhibits by threads that don't belong to any VM in the trace, as people record who ask why APICv is off.
    fileprivate func inhibitsOfNobody(listed: Int) -> [Observation] {
        var list: [Observation] = []
        var before: (mask: UInt64, tid: Int32)?
        var left: UInt64 = 0
        for (change, stamp) in orphanedChanges {
            guard case .apicvInhibitChanged(let change) = change else { continue }
            // The event comes without a change too, and the second VM that a host creates begins as the first did.
            if let before, before.mask == change.inhibits, before.tid == stamp.tid || !change.set { continue }
            before = (change.inhibits, stamp.tid)
            guard list.count < listed else {
                left &+= 1
                continue
            }
            if !list.isEmpty { list[list.count - 1].last = stamp.time }
            let names = inhibitNames.names(of: change.inhibits).joined(separator: ", ")
            let state = change.inhibits == 0 ? "active" : "inhibited \(Hex.string(change.inhibits)) (\(names))"
            list.append(
                Observation(
                    kind: .inhibits, vm: nil, vcpu: nil, vector: nil, first: stamp.time, last: now, count: 1,
                    text: "APICv \(state), set by thread \(stamp.tid)."))
        }
        if left > 0, let last = list.indices.last {
            list[last].count &+= left
            list[last].text += " \(left) changes more follow."
        }
        return list
    }
}
