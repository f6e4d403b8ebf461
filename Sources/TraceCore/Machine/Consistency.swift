// SPDX-License-Identifier: Apache-2.0

/// What a trace's own events say of which tracepoints were on while it was recorded.
///
/// A format in a file says that the kernel has the event, not that it was enabled: `trace-cmd extract` writes them all.
/// A record says that it was. Without one, other events may show that it was not, since KVM never emits those alone.
public struct Consistency: Equatable, Sendable {
    /// Kinds of which a record was seen, but for the three commonest.
    private var rarer: EventKindSet = []
    private var entries: UInt64 = 0
    private var exits: UInt64 = 0
    private var nestedExits: UInt64 = 0
    /// `kvm_exit` with no `kvm_entry` since the last, and the reverse.
    private var exitsAfterExits: UInt64 = 0
    private var entriesAfterEntries: UInt64 = 0
    private var nestedExitsOutsideExits: UInt64 = 0
    private var eoisOutsideExits: UInt64 = 0
    /// VMLAUNCH, VMRESUME or VMRUN, and those of them that no `kvm_nested_vmenter` followed.
    private var launches: UInt64 = 0
    private var launchesUnanswered: UInt64 = 0
    /// L1's launches with no `kvm_nested_vmexit_inject` since the one before.
    private var returnsUnshown: UInt64 = 0
    private var exitsOfL2Unshown: UInt64 = 0
    private var injectionsUnshown: UInt64 = 0
    private var injections: UInt64 = 0
    private var eoisOfUnseenInjections: UInt64 = 0
    private var misconfigsOfL2: UInt64 = 0
    private var eptViolations: UInt64 = 0
    private var msrExits: UInt64 = 0
    private var registersInEPTExits: UInt64 = 0
    private var eoiWrites: UInt64 = 0
    private var apicPageHits: UInt64 = 0
    private var eoisInMSRExits: UInt64 = 0
    private var reflections: UInt64 = 0

    /// One odd event may be the trace's edge or a rare path of KVM's; two are not.
    private static let enough: UInt64 = 2
    /// A filter is distinguished from rare paths by how often its gaps occur: those of whole recordings are below 1 in 100.
    private static let filteredShare: UInt64 = 8

    public init() {}

    // MARK: Events

    @inline(__always)
    mutating func exit(afterExit: Bool) {
        exits &+= 1
        if afterExit { exitsAfterExits &+= 1 }
    }

    @inline(__always)
    mutating func entry(afterEntry: Bool) {
        entries &+= 1
        if afterEntry { entriesAfterEntries &+= 1 }
    }

    @inline(__always)
    mutating func nestedExit(inExit: Bool) {
        nestedExits &+= 1
        if !inExit { nestedExitsOutsideExits &+= 1 }
    }

    /// An event of another kind.
    @inline(__always)
    mutating func record(_ kind: EventKind) { rarer.insert(kind) }

    mutating func launch(answered: Bool) {
        launches &+= 1
        if !answered { launchesUnanswered &+= 1 }
    }

    mutating func returnWithoutInject() { returnsUnshown &+= 1 }
    mutating func exitOfL2WithoutNestedVMExit() { exitsOfL2Unshown &+= 1 }
    mutating func injection() { injections &+= 1 }
    /// L2 ended an interrupt of L1's APIC that nobody saw injected, while some waited for that.
    mutating func eoiOfUnseenInjection() { eoisOfUnseenInjections &+= 1 }
    mutating func injectionWithoutInjVIRQ() { injectionsUnshown &+= 1 }
    mutating func eptViolation() { eptViolations &+= 1 }
    /// `handle_mmio_page_fault` on the APIC page: an access that KVM emulates.
    mutating func apicPageHit() { apicPageHits &+= 1 }
    /// `kvm_eoi` in an MSR exit that KVM handled, and no `kvm_msr` so far.
    mutating func eoiInMSRExit() { eoisInMSRExits &+= 1 }
    /// EPT_MISCONFIG of L2's: KVM emulates an access, unless it hands the exit to L1.
    mutating func misconfigOfL2(isForwarded: Bool) {
        if isForwarded { misconfigsOfL2 -= min(misconfigsOfL2, 1) } else { misconfigsOfL2 &+= 1 }
    }
    mutating func reflection() { reflections &+= 1 }
    mutating func msrExitOfL1() { msrExits &+= 1 }

    mutating func register(inEPTExit: Bool, isEOI: Bool) {
        if inEPTExit { registersInEPTExits &+= 1 }
        if isEOI { eoiWrites &+= 1 }
    }

    mutating func eoi(inExit: Bool) {
        if !inExit { eoisOutsideExits &+= 1 }
    }

    // MARK: Conclusions

    /// Kinds of which a record was seen.
    public var seen: EventKindSet {
        var kinds = rarer
        if entries > 0 { kinds.insert(.entry) }
        if exits > 0 { kinds.insert(.exit) }
        if nestedExits > 0 { kinds.insert(.nestedVMExit) }
        return kinds
    }

    /// `kvm_nested_vmexit` is on, so that an exit without it is L1's.
    var tellsLevels: Bool { nestedExits > 0 }

    /// L2 ran and exited, and no `kvm_nested_vmexit` ever said so.
    var lacksNestedVMExit: Bool { nestedExits == 0 && exitsOfL2Unshown >= Self.enough }

    /// External interrupts were handed to L1, which takes them itself.
    var hasSeenReflections: Bool { reflections > 0 }
    var hasSeenAccepts: Bool { rarer.contains(.apicAcceptIRQ) }

    var hasSeenNestedVMEnter: Bool { rarer.contains(.nestedVMEnter) }

    /// Kinds that were off, though their formats may be there.
    ///
    /// - Parameter tellsNestedVMEnter: the kernel has `kvm_nested_vmenter`; up to 5.19 only SVM has an event for it.
    public func off(tellsNestedVMEnter: Bool) -> EventKindSet {
        let seen = seen
        var off: EventKindSet = []
        func note(_ kind: EventKind, if isShown: Bool) {
            if isShown, !seen.contains(kind) { off.insert(kind) }
        }
        note(.entry, if: exits >= Self.enough)
        note(
            .exit,
            if: entries >= Self.enough || nestedExitsOutsideExits >= Self.enough || eoisOutsideExits >= Self.enough)
        note(.nestedVMEnter, if: launchesUnanswered > 0 && tellsNestedVMEnter)
        note(.nestedVMExit, if: exitsOfL2Unshown > 0 || seen.contains(.nestedVMExitInject))
        note(.nestedVMExitInject, if: returnsUnshown >= Self.enough)
        note(.injVIRQ, if: injectionsUnshown > 0)
        note(.apicAcceptIRQ, if: seen.contains(.apicvAcceptIRQ))
        note(.pageFault, if: eptViolations >= Self.enough)
        note(.msr, if: msrExits >= Self.enough || eoisInMSRExits > 0)
        note(.mmio, if: registersInEPTExits > 0 || apicPageHits > 0 || misconfigsOfL2 >= Self.enough)
        note(.eoi, if: eoiWrites > 0)
        return off
    }

    /// Kinds of which so many records are missing that a filter kept them back.
    public var filtered: EventKindSet {
        var filtered: EventKindSet = []
        let isExitFiltered =
            entriesAfterEntries > 16 && entriesAfterEntries > exits / Self.filteredShare
            || nestedExitsOutsideExits > 16 && nestedExitsOutsideExits > nestedExits / Self.filteredShare
            || rarer.contains(.nestedVMEnter) && nestedExits >= Self.enough && launches == 0
        if exits > 0, isExitFiltered { filtered.insert(.exit) }
        if entries > 0, exitsAfterExits > 16, exitsAfterExits > entries / Self.filteredShare { filtered.insert(.entry) }
        if nestedExits > 0, exitsOfL2Unshown > 16, exitsOfL2Unshown > nestedExits / Self.filteredShare {
            filtered.insert(.nestedVMExit)
        }
        if injections > 0, eoisOfUnseenInjections > 16, eoisOfUnseenInjections > injections / Self.filteredShare {
            filtered.insert(.injVIRQ)
        }
        return filtered
    }
}

extension Machine {
    /// Kinds that were off, though their formats may be there.
    var offKinds: EventKindSet {
        guard !info.knowsSelection else { return [] }
        return consistency.off(tellsNestedVMEnter: tellsNestedVMEnter)
    }

    /// What the file describes is what was on, as far as anything shows.
    public var knowsSelection: Bool {
        !info.describesWholeKernel && offKinds.intersection(info.recordedKinds).isEmpty
    }

    /// Kinds of which a filter kept records back.
    var filteredKinds: EventKindSet { info.knowsSelection ? [] : consistency.filtered }

    /// The kinds that were on: a zero count of theirs may be trusted.
    ///
    /// Where one of those that the file describes was off, the description is no selection: only records count then.
    public var recordedKinds: EventKindSet {
        knowsSelection ? info.recordedKinds : consistency.seen
    }
}
