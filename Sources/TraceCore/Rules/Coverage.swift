// SPDX-License-Identifier: Apache-2.0

/// What `clean` rests on, and what of it is missing: the doubts of a trace in which no rule found anything.
///
/// An event is recorded where it was on, which is less than that its format is in the file: see ``Consistency``.
public struct Coverage: Sendable {
    /// A reason why nothing found is not nothing there.
    public struct Doubt: Equatable, Sendable {
        /// Index of the VM that it is about, nil for the whole trace.
        public var vm: VMIndex?
        public var text: String
        /// Events that would remove it.
        public var missing: EventKindSet
    }

    public private(set) var doubts: [Doubt] = []
    /// Why nothing could happen in each VM, one sentence each; what a clean verdict stands on.
    private var grounds: [(vm: VMIndex, serial: Int, text: String)] = []
    /// The same of VMs that ended and whose places are others' now, and of how many it is true.
    private var groundsOfEnded: [(text: String, vms: Int)] = []

    /// What tells L2's accesses and the two levels' acknowledges and EOIs apart.
    static let ledgerKinds = EventKindSet(
        .exit, .entry, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter, .pageFault, .mmio, .eoi, .injVIRQ,
        .apicAcceptIRQ)

    /// No vCPU runs on VMX or SVM without them.
    private static let exitKinds = EventKindSet(.exit, .nestedVMExit)

    /// What tells how long an interrupt waits.
    private static let waitKinds = EventKindSet(.entry, .apicAcceptIRQ, .injVIRQ)

    /// What a recording should hold for every rule to be judged: those, and what tells of APICv, x2APIC and waits.
    static let wanted = ledgerKinds.union(
        EventKindSet(
            .apicvInhibitChanged, .apicvAcceptIRQ, .apic, .apicIPI, .msr, .cr, .vcpuWakeup, .markMMIOSPTE,
            .handleMMIOPageFault, .piIRTEUpdate))

    /// An interrupt that was injected into L2 and is in service for longer was ended where nobody saw it.
    private static let longestService: UInt64 = 100_000_000

    /// - Parameters:
    ///   - fix: what is known of the fix, which may be why a crossing is no finding.
    ///   - isWindowEmpty: no event lies in the time that was asked for.
    ///   - ended: what was to say of VMs when they ended.
    public init(
        _ machine: borrowing Machine, _ totals: TraceTotals, fix: FixState, isWindowEmpty: Bool = false,
        ended: EndedVMs = EndedVMs()
    ) {
        if isWindowEmpty {
            add("No event lies between --from and --to.")
        }
        if let part = totals.part { add(part.doubt) }
        if totals.cut != nil {
            add("The file is cut or damaged: what is missing may hold a finding.")
        }
        if totals.shortRecords > 0 {
            add("\(totals.shortRecords) records are shorter than their format says: what they held may be a finding.")
        }
        if !totals.unread.isEmpty {
            let names = totals.unread.keys.sorted().joined(separator: ", ")
            add(
                "This kernel's \(names) has fields that apictrace doesn't know: \(totals.unread.values.reduce(0, &+)) records were not "
                    + "read, and what they held may be a finding.")
        }
        if let illegible = totals.illegible {
            add(
                "Line \(illegible.first) looks like \(illegible.name) and can't be read"
                    + (illegible.lines > 1 ? ", nor can \(illegible.lines - 1) more like it" : "")
                    + ": what was there may be a finding.")
        }
        if totals.unplaced > 0 {
            add(
                "Several vCPUs ran, and \(totals.unplaced) events are of lines without a thread: whose they are can't be told."
            )
        }
        if totals.unknownRecords > 0 {
            add(
                "\(totals.unknownRecords) records are of events that the file doesn't describe: somebody else switched those on "
                    + "meanwhile, or it is damaged.")
        }
        if totals.hasLostOfAnybody || machine.losses.hasUnplaced {
            add("Events were lost while recording: what they held may be a finding.")
        }
        if machine.isFull {
            add("There are more vCPUs in the file than can be: it is damaged, or some are left out.")
        }
        if ended.presumed > 0 {
            add(
                "More than \(Machine.capacity) vCPUs are in the trace: \(ended.presumed) VMs that had been silent for longest were "
                    + "taken for ended. One that went on counts as another.")
        }
        if ended.unlisted.doubts > 0 {
            add("VMs that ended left \(ended.unlisted.doubts) doubts that are not listed.")
        }
        if !machine.vcpus.contains(where: { $0.tid != nil }), ended.totals.vcpus == 0 {
            add("No vCPU was seen to run.", missing: Self.ledgerKinds.subtracting(machine.recordedKinds))
        }
        // What a part leaves out looks as if a filter had kept it back.
        if totals.part == nil { checkSelection(machine) }
        for vm in machine.vms.indices {
            if let known = ended[vm]?.coverage { add(known) } else { check(vm, machine, fix) }
        }
        groundsOfEnded = ended.grounds
    }

    /// Of one VM alone.
    init(ofVM vm: VMIndex, _ machine: borrowing Machine, fix: FixState) {
        check(vm, machine, fix)
    }

    private mutating func add(_ other: Coverage) {
        for doubt in other.doubts where !doubts.contains(doubt) { doubts.append(doubt) }
        grounds += other.grounds
    }

    /// Why nothing could happen, without the VMs' names.
    var bareGrounds: [String] { grounds.map(\.text) }

    /// Whether a trace without findings may be called clean.
    public var isComplete: Bool { doubts.isEmpty }

    /// Only what concerns the VMs that were asked for.
    public func of(_ selection: Selection, in machine: borrowing Machine) -> Coverage {
        guard !selection.vms.isEmpty else { return self }
        var narrowed = self
        let selected = Set(machine.vms.indices.filter { machine.isSelected($0, selection) })
        narrowed.doubts = doubts.filter { $0.vm.map(selected.contains) ?? true }
        narrowed.grounds = grounds.filter { selected.contains($0.vm) }
        narrowed.groundsOfEnded = []
        return narrowed
    }

    /// Why a verdict without findings is what it is: the doubts of an inconclusive one, the grounds of a clean one.
    public var reasons: [String] {
        guard isComplete else { return doubts.map(\.text) }
        return groundsByVM + groundsOfEnded.map { "\($0.vms) VM\($0.vms == 1 ? "" : "s") that ended: \($0.text)" }
    }

    /// More VMs than these with one ground are reported in one line: of a host's many VMs most have the same.
    private static let maxGroundsListed = 8

    private var groundsByVM: [String] {
        var serials: [String: [Int]] = [:]
        for ground in grounds { serials[ground.text, default: []].append(ground.serial) }
        var reported: Set<String> = []
        return grounds.compactMap { ground in
            guard let same = serials[ground.text], same.count > Self.maxGroundsListed else {
                return "VM \(ground.serial): \(ground.text)"
            }
            guard reported.insert(ground.text).inserted else { return nil }
            return "VM \(ground.serial) and \(same.count - 1) others: \(ground.text)"
        }
    }

    // MARK: Which events were on

    private mutating func checkSelection(_ machine: borrowing Machine) {
        let filtered = machine.filteredKinds
        if !filtered.isEmpty {
            add("A filter kept records of \(filtered.names) back: what they held may be a finding.")
        }
    }

    // MARK: One VM

    private mutating func check(_ vm: VMIndex, _ machine: borrowing Machine, _ fix: FixState) {
        if machine.vms[vm].eventsLost > 0 {
            add(
                "Events of VM \(machine.vms[vm].serial) were lost while recording: what they held may be a finding.",
                vm: vm)
        }
        let apicv = machine.vms[vm].apicv
        let vcpus = machine.vms[vm].vcpus.filter { machine.vcpus[$0].tid != nil }
        guard !vcpus.isEmpty else { return }
        if vcpus.contains(where: { machine.vcpus[$0].hasNested }) { checkSleepers(vm, machine) }
        guard machine.vms[vm].isa != .svm else {
            // What waits there is judged too, where accepts are recorded at all.
            let hasNested = vcpus.contains { machine.vcpus[$0].hasNested }
            if machine.consistency.seen.contains(.apicAcceptIRQ), !machine.showsWaits, hasNested {
                add(
                    "An L2 ran, and what ends an interrupt's wait is not recorded.", vm: vm,
                    missing: Self.waitKinds.subtracting(machine.recordedKinds))
            }
            return ground(
                vm, machine,
                "on SVM KVM switches AVIC off for a vCPU while it runs L2, so that no interrupt crosses"
                    + (hasNested && !machine.showsWaits ? "; how long interrupts waited is not recorded." : "."))
        }
        guard apicv.intervals.contains(where: { $0.state != .inhibited }) else {
            return ground(vm, machine, "APICv was off all the time.")
        }
        let recorded = machine.recordedKinds
        let showsExits = machine.info.knowsSelection || !machine.consistency.seen.isDisjoint(with: Self.exitKinds)
        guard showsExits, recorded.contains(.exit) || recorded.contains(.nestedVMExit) else {
            return add("Whether an L2 ran can't be told.", vm: vm, missing: Self.ledgerKinds.subtracting(recorded))
        }
        guard vcpus.contains(where: { machine.vcpus[$0].hasNested }) else {
            // L1's VMRESUME shows an L2 only if it returns to L1 while the trace runs.
            if !recorded.contains(.nestedVMExit), !apicv.isSeenFromCreation, machine.vms[vm].isa == .vmx {
                return add("Whether an L2 ran can't be told.", vm: vm, missing: Self.ledgerKinds.subtracting(recorded))
            }
            if !machine.info.knowsSelection, !machine.consistency.tellsLevels, !apicv.isSeenFromCreation,
                vcpus.contains(where: { machine.vcpus[$0].reachesAPICByMisconfig })
            {
                return add(
                    "The APIC page was reached by EPT_MISCONFIG, as L2 does, or L1 on a host with flexpriority=0, and no "
                        + "kvm_nested_vmexit was seen: whether it was on can't be told.", vm: vm)
            }
            return ground(vm, machine, "no L2 ran.")
        }
        checkNested(vm, vcpus, machine, recorded)
        ground(vm, machine, Self.groundOfNested(vcpus, machine, fix))
    }

    /// What is sent to a vCPU that sleeps must wake it, unless it has parked with interrupts off.
    private mutating func checkSleepers(_ vm: VMIndex, _ machine: borrowing Machine) {
        guard machine.measuresTime else { return }
        for index in machine.vms[vm].vcpus {
            let vcpu = machine.vcpus[index]
            guard vcpu.tid == nil || vcpu.bracket.isBlocked else { continue }
            for vector in vcpu.ledger.pending.vectors {
                let account = vcpu.ledger[vector]
                guard let pending = account.pending, !pending.maybeSilent, account.accepted.total > 1,
                    machine.now.elapsed(since: pending.since.time) >= Wait.outlivingNanoseconds
                else { continue }
                add(
                    "\(vector.hex) was accepted on \(vcpu.id.map { "vCPU \($0)" } ?? "a vCPU") again and again, and "
                        + (vcpu.tid == nil ? "it was not seen to run." : "it sleeps on."), vm: vm)
            }
        }
    }

    /// An L2 ran on VMX while APICv may have been active.
    private mutating func checkNested(
        _ vm: VMIndex, _ vcpus: [VCPUIndex], _ machine: borrowing Machine, _ recorded: EventKindSet
    ) {
        let apicv = machine.vms[vm].apicv
        let missing = Self.ledgerKinds.subtracting(recorded)
        if !missing.isEmpty {
            let described = machine.info.recordedKinds.intersection(missing)
            add(
                described.isEmpty
                    ? "An L2 ran, and not all that tells L1 from L2 and follows its interrupts is recorded."
                    : "An L2 ran, and \(described.names) was not on, though the file describes it.", vm: vm,
                missing: missing)
        }
        let absent = missing.intersection(machine.info.absentKinds)
        if !absent.isEmpty { add("This kernel has no event \(absent.names) on VMX.", vm: vm) }
        if !machine.consistency.seen.contains(.apicAcceptIRQ), !machine.info.knowsSelection {
            add(
                "An L2 ran, and no interrupt was accepted: whether kvm_apic_accept_irq was on can't be told.",
                vm: vm)
        }
        if vcpus.contains(where: { !machine.vcpus[$0].accessesDirect.whileUnknown.isEmpty }) {
            add(
                "Whether APICv was active when L2 reached L1's APIC can't be told.", vm: vm,
                missing: EventKindSet(.apicvInhibitChanged, .apicvAcceptIRQ).subtracting(recorded))
        }
        if apicv.isSeenFromCreation, vcpus.contains(where: { machine.vcpus[$0].hasRunL2Unlaunched }) {
            add(
                "VM \(machine.vms[vm].serial) was created in the trace, and an L2 ran in it that was launched before: its state was loaded, or what "
                    + "created it created another VM.", vm: vm)
        }
        if apicv.contradictions > 0 {
            add(
                "What the vCPUs of VM \(machine.vms[vm].serial) did contradicts what is recorded of its APICv inhibits.",
                vm: vm)
        }
        if !recorded.contains(.msr), vcpus.contains(where: { machine.vcpus[$0].hasMSRExitsOfL2 }) {
            add("L2's accesses to MSRs are not recorded: x2APIC can't be judged.", vm: vm, missing: EventKindSet(.msr))
        }
        if machine.homeless.total > 0 {
            add(
                "\(machine.homeless.total) interrupts were accepted that could not be tied to a VM: the process of each thread "
                    + "would tell, as live tracing knows it.", vm: vm)
        }
        for vcpu in vcpus { checkInterrupts(of: vcpu, machine, isSeenFromCreation: apicv.isSeenFromCreation) }
    }

    /// Every interrupt of a vCPU that ran L2 must have come and ended, or something must excuse it.
    private mutating func checkInterrupts(
        of index: VCPUIndex, _ machine: borrowing Machine, isSeenFromCreation: Bool
    ) {
        let vcpu = machine.vcpus[index]
        guard vcpu.hasNested else { return }
        guard machine.measuresTime else {
            return add(
                "The clock \(machine.info.clock.name) measures no durations: how long interrupts waited in VM "
                    + "\(machine.vms[vcpu.vm].serial) can't be told.", vm: vcpu.vm)
        }
        let name = vcpu.id.map { "vCPU \($0)" } ?? "a vCPU"
        for vector in UInt8.min...UInt8.max where !vcpu.ledger[vector].isUntouched {
            let account = vcpu.ledger[vector]
            if InterruptClass(of: vector, on: index, in: machine, isLost: false) == .unexplained,
                !machine.isNotification(vector, of: index)
            {
                add("\(vector.hex) was accepted on \(name), and nothing shows that it was delivered.", vm: vcpu.vm)
            } else if account.isNeverDelivered, let pending = account.pending,
                account.accepted.l2 > 1 || machine.now.elapsed(since: pending.since.time) >= Wait.nanosecondsNeeded,
                !machine.isNotification(vector, of: index), !machine.blockedIRQ(index)
            {
                add(
                    "\(vector.hex) was accepted on \(name) while L2 ran, and nothing shows that it was ever delivered"
                        + (isSeenFromCreation
                            ? "."
                            : "; the VM ran before the trace, so that what blocks it may have come before. A recording that "
                                + "begins before the VM would tell."),
                    vm: vcpu.vm)
            }
            if account.acknowledged.l2 > 0, account.acknowledged.l1 == 0, let pending = account.pending,
                pending.maybeSilent, machine.now.elapsed(since: pending.since.time) >= Wait.outlivingNanoseconds
            {
                add(
                    "\(vector.hex) was always injected into L2 on \(name), was accepted once more, and nothing shows that it came "
                        + "since.", vm: vcpu.vm)
            }
            guard let open = account.inService, open.level == .l2 || open.by == .passedOn, open.isSure,
                machine.now.elapsed(since: open.since.time) >= Self.longestService
            else { continue }
            add(
                "\(vector.hex) was injected into L2 on \(name), and its EOI was not seen"
                    + (open.mayHaveEnded ? ": L1 intercepts accesses whose register can't be told." : "."), vm: vcpu.vm)
        }
        if vcpu.ledger.unseenEOIs > 0 {
            add(
                "The EOIs of \(vcpu.ledger.unseenEOIs) interrupts that were injected into L2 on \(name) were not seen.",
                vm: vcpu.vm)
        }
    }

    private static func groundOfNested(_ vcpus: [VCPUIndex], _ machine: borrowing Machine, _ fix: FixState) -> String {
        let hasDirect = vcpus.contains { !machine.vcpus[$0].accessesDirect.whileActive.isEmpty }
        if fix.isPresent {
            return "the fix for stale SVI is there by \(fix.basis.rawValue)"
                + (hasDirect ? "." : ", and L2 never reached L1's APIC by itself.")
        }
        return "L2 never reached L1's APIC by itself, and no interrupt was taken at one level and ended at the other."
    }

    // MARK: Words

    private mutating func ground(_ vm: VMIndex, _ machine: borrowing Machine, _ text: String) {
        grounds.append((vm, machine.vms[vm].serial, text))
    }

    private mutating func add(_ text: String, vm: VMIndex? = nil, missing: EventKindSet = []) {
        let doubt = Doubt(vm: vm, text: text, missing: missing)
        if !doubts.contains(doubt) { doubts.append(doubt) }
    }
}

extension VectorAccount {
    /// Accepted while L2 ran, and neither acknowledged nor ended anywhere in the trace.
    fileprivate var isNeverDelivered: Bool { accepted.l2 > 0 && acknowledged.total == 0 && ended.total == 0 }
}
