// SPDX-License-Identifier: Apache-2.0

/// What `clean` would rest on, and what of it is missing: the doubts of a trace in which no rule found anything.
///
/// An event is "not recorded" where its format is absent; a format with no event says that nothing happened.
public struct Coverage: Sendable {
    /// A reason why nothing found is not nothing there.
    public struct Doubt: Equatable, Sendable {
        public var text: String
        /// Events that would remove it.
        public var missing: EventKindSet
    }

    public private(set) var doubts: [Doubt] = []
    /// Why nothing found is nothing there, a sentence each.
    public private(set) var reasons: [String] = []

    /// What tells L2's accesses and the two levels' acknowledges and EOIs apart.
    static let ledgerKinds = EventKindSet(
        .exit, .entry, .nestedVMExit, .nestedVMExitInject, .nestedVMEnter, .pageFault, .mmio, .eoi, .injVIRQ,
        .apicAcceptIRQ)

    /// What a recording should hold for every rule to be judged: those, and what tells of APICv, x2APIC and waits.
    static let wanted = ledgerKinds.union(
        EventKindSet(
            .apicvInhibitChanged, .apicvAcceptIRQ, .apic, .apicIPI, .msr, .vcpuWakeup, .markMMIOSPTE,
            .handleMMIOPageFault))

    /// - Parameter isWindowEmpty: no event lies in the time that was asked for.
    public init(_ machine: borrowing Machine, _ totals: TraceTotals, isWindowEmpty: Bool = false) {
        if isWindowEmpty {
            add("No event lies between --from and --to.")
        }
        if totals.cut != nil {
            add("The file is cut or damaged: what is missing may hold a finding.")
        }
        if totals.shortRecords > 0 {
            add("\(totals.shortRecords) records are shorter than their format says: what they held may be a finding.")
        }
        if totals.unknownRecords > 0 {
            add(
                "\(totals.unknownRecords) records are of events that the file doesn't describe: somebody else switched those on "
                    + "meanwhile, or it is damaged.")
        }
        if !totals.gaps.isEmpty || totals.overrun ?? 0 > 0 {
            add("Events were lost while recording: what they held may be a finding.")
        }
        if machine.isFull {
            add("There are more vCPUs in the file than can be: it is damaged, or some are left out.")
        }
        if !machine.vcpus.contains(where: { $0.tid != nil }) {
            add("No vCPU was seen to run.", missing: Self.ledgerKinds.subtracting(machine.info.recordedKinds))
        }
        for vm in machine.vms.indices { check(vm, machine) }
    }

    /// Whether a trace without findings may be called clean.
    public var isComplete: Bool { doubts.isEmpty }

    private mutating func check(_ vm: Int, _ machine: borrowing Machine) {
        let apicv = machine.vms[vm].apicv
        // With APICv off, and on SVM, where it is off while L2 runs, nothing of this can happen.
        guard machine.vms[vm].isa != .svm, apicv.intervals.contains(where: { $0.state != .inhibited }) else { return }
        let recorded = machine.info.recordedKinds
        guard recorded.contains(.exit) || recorded.contains(.nestedVMExit) else {
            add("Whether an L2 ran can't be told.", missing: Self.ledgerKinds.subtracting(recorded))
            return
        }
        guard machine.vms[vm].vcpus.contains(where: { machine.vcpus[$0].hasNested }) else {
            // L1's VMRESUME shows an L2 only if it returns to L1 while the trace runs.
            if !recorded.contains(.nestedVMExit), !apicv.isSeenFromCreation, machine.vms[vm].isa == .vmx {
                add("Whether an L2 ran can't be told.", missing: Self.ledgerKinds.subtracting(recorded))
            }
            return
        }
        if machine.vms[vm].vcpus.contains(where: { !machine.vcpus[$0].accessesDirect.whileUnknown.isEmpty }) {
            add(
                "Whether APICv was active when L2 reached L1's APIC can't be told.",
                missing: EventKindSet(.apicvInhibitChanged, .apicvAcceptIRQ).subtracting(recorded))
        }
        let missing = Self.ledgerKinds.subtracting(recorded)
        if !missing.isEmpty {
            add(
                "An L2 ran, and not all that tells L1 from L2 and follows its interrupts is recorded.", missing: missing
            )
        }
        if !recorded.contains(.msr), machine.vms[vm].vcpus.contains(where: { machine.vcpus[$0].hasMSRExitsOfL2 }) {
            add("L2's accesses to MSRs are not recorded: x2APIC can't be judged.", missing: EventKindSet(.msr))
        }
    }

    private mutating func add(_ text: String, missing: EventKindSet = []) {
        let doubt = Doubt(text: text, missing: missing)
        if !doubts.contains(doubt) { doubts.append(doubt) }
    }
}
