// SPDX-License-Identifier: Apache-2.0

/// One vCPU as the trace shows it: which level runs, the exit being handled, and its accounts.
public struct VCPU: Sendable {
    public internal(set) var id: Int32?
    /// The host thread that runs it; nil for one that was only a target so far.
    public internal(set) var tid: Int32?
    /// Index of its VM in the machine.
    public internal(set) var vm: VMIndex
    /// The place under which it goes on, where its id became known too late for this one.
    var successor: VCPUIndex?
    /// Nobody has its place in the machine.
    var isFree = false
    /// Time of its thread's latest event, in clock units.
    var lastSeen: UInt64 = 0
    /// The level that runs, or will at the next entry.
    public internal(set) var mode: Level = .unknown
    public internal(set) var bracket = ExitBracket()
    public internal(set) var exits = ExitCounts()
    /// Those of ``exits`` that live tracing only counted: nobody knows when they were.
    public internal(set) var exitsCounted: UInt64 = 0
    public internal(set) var standstill = Standstill()
    public internal(set) var ledger = InterruptLedger()
    public internal(set) var ipis = IPICounts()

    /// Accesses by L1 that trapped; with APICv most don't.
    public internal(set) var accessesByL1 = APICAccessCounts()
    /// Accesses outside any exit bracket: by whichever level ran.
    public internal(set) var accessesUnbracketed = APICAccessCounts()
    /// Accesses by L2 that faulted and were handed to L1.
    public internal(set) var accessesHooked = APICAccessCounts()
    /// Accesses by L2 that KVM carried out on L1's APIC, by APICv's state at the time.
    public internal(set) var accessesDirect = DirectAccesses()

    public internal(set) var pageOfL1 = APICPage()
    public internal(set) var pageOfL2 = APICPage()

    /// L2 has run, or L1 has asked for it.
    public internal(set) var hasNested = false
    /// An interrupt was reflected to L1 and no valid event of L1's has come back yet.
    public internal(set) var hasOpenReflection = false
    /// L2's EOI was handed to L1, which has not been seen to end anything yet.
    public internal(set) var hookedEOI: EventStamp?
    /// An access of L2's to some MSR was handed to L1 since L2 ran: it may have been an EOI.
    var mayHaveHookedEOI = false
    /// L1 has been handed a vector together with the exit: it acknowledges interrupts on exit.
    public internal(set) var acknowledgesOnExit = false
    /// The PIC's vector that KVM injected into L1 since L2 ran last.
    var picVectorOfL1: UInt8?
    /// What L1 injects into L2 by itself at the entry that is being made.
    var injectionOfL1: UInt8?
    /// That is the PIC's interrupt, which KVM put into L1 before.
    var injectsForPIC = false
    /// The vCPU was seen to enter L2 by VMLAUNCH or VMRESUME: before that L2 runs only where its state was loaded.
    var hasLaunched = false
    /// L2 ran without that: before the trace began, or by KVM_SET_NESTED_STATE, and with it KVM_SET_LAPIC, whose vectors in
    /// service nobody saw come.
    var hasRunL2Unlaunched = false
    /// INIT, and SIPI after it, were offered to a vCPU that had run L2, and it has not run since. In VMX operation neither
    /// resets anything.
    var wakeup = OfferedWakeup.none

    enum OfferedWakeup: Sendable {
        case none, initOffered, sipiOffered
    }
    /// L1 gives L2 virtual-interrupt delivery: the words of it were seen in vmcs12, or L2 had exits that come with it.
    public internal(set) var givesL2APICv = false
    /// Time of the latest `kvm_entry`, 0 before the first.
    var enteredAt: UInt64 = 0
    /// Interrupts that were accepted since the exit, before the level of that exit was known.
    var unlevelled = UnlevelledAccepts()
    /// What the page was last written with outside xAPIC mode: `kvm_apic` of the same register proves the mode.
    var unprovenMMIO: (access: ExitBracket.APICFault, value: UInt64, at: EventStamp)?
    /// `kvm_apic` told of this read just now; `kvm_mmio` of it may follow.
    var latestAPICRead: APICRegister?
    /// The task priority that a trapped access showed last; hardware carries most of them out in silence.
    public internal(set) var shownTPR: UInt8?
    /// L1 has written an EOI with nothing in service, as some do: hardware then ends what isn't there.
    var endsNothing = false
    /// L1 ended an interrupt in the MSR exit that is being handled, by a register that `kvm_msr` will name.
    var hasEndedByMSR = false
    /// What KVM itself holds of it, as reported last; nil where the source can't tell.
    public internal(set) var state: VCPUState?
    /// The words of its local APIC as read last, at an exit or asleep.
    private var latestWords: (reading: LAPICReading, at: EventStamp)?
    /// It used APICv, and what kvm_intel, if it is that, holds of it could not be read.
    var hasHiddenVMCS = false
    /// Its words came at every exit.
    private var tellsEachExit = false
    /// An event was or is to be injected since the latest exit.
    public internal(set) var isInjecting = false
    /// SPIV was seen to be written with its enable bit clear: the APIC takes no interrupts.
    var isSoftwareDisabled = false
    /// Where the guest last moved its APIC to.
    var apicBase: UInt64 = 0xfee0_0000
    /// The APIC answers at that address: it has not been seen to be disabled or switched to x2APIC mode.
    var isXAPIC = true

    init(id: Int32?, tid: Int32?, vm: VMIndex) {
        self.id = id
        self.tid = tid
        self.vm = vm
    }

    mutating func forgetCounts() {
        exits = ExitCounts()
        exitsCounted = 0
        standstill = Standstill()
        ipis = IPICounts()
        accessesByL1 = APICAccessCounts()
        accessesUnbracketed = APICAccessCounts()
        accessesHooked = APICAccessCounts()
        accessesDirect = DirectAccesses()
        ledger.forgetCounts()
    }

    /// KVM itself says so. The exits of such a vCPU are not all told.
    var isKnownNotToNest: Bool { state != nil && !hasNested }

    /// Level of what the vCPU's thread does now: that of the exit being handled. Outside of one there is no saying, but
    /// for a vCPU that only L1 can run on.
    @inline(__always)
    var actingLevel: Level { bracket.isOpen ? bracket.level : isKnownNotToNest ? .l1 : .unknown }

    /// An access showed what a register holds.
    mutating func shown(_ register: APICRegister, _ value: UInt64) {
        if register == .tpr { shownTPR = UInt8(truncatingIfNeeded: value) }
        if register == .spiv { isSoftwareDisabled = value >> 8 & 1 == 0 }
    }

    /// KVM delivers an interrupt that its APIC accepted: it is on, and the task priority below the vector's class.
    mutating func delivers(_ vector: UInt8) {
        isSoftwareDisabled = false
        if let priority = shownTPR, priority.priorityClass >= vector.priorityClass { shownTPR = nil }
    }

    /// Its words were read.
    mutating func read(_ reading: LAPICReading, at stamp: EventStamp) {
        switch reading.occasion {
        case .exit:
            latestWords = (reading, stamp)
            tellsEachExit = true
        case .asleep: latestWords = (reading, stamp)
        // Read at some exits and entries only, which need not be the latest.
        case .l1Exit, .l2Entry: break
        }
    }

    /// No words say whether its SVI is right: without L2 those of every exit would do.
    var hidesItsSVI: Bool { hasHiddenVMCS && (hasNested || !tellsEachExit) }

    /// Its words as read since it left the guest, where they were: but for new requests nobody changes them meanwhile.
    var wordsSinceExit: (reading: LAPICReading, at: EventStamp)? {
        latestWords.flatMap { $0.at.time > enteredAt ? $0 : nil }
    }

    /// Whether it takes interrupts that its APIC has for it; nil where that isn't known.
    var takesInterrupts: Bool? {
        // They leave L2 for L1, whatever L2's flag says (vmx_interrupt_allowed, arch/x86/kvm/vmx/vmx.c).
        if mode == .l2, state?.vmx?.l1InterceptsInterrupts == true { return true }
        return wordsSinceExit?.reading.interruptFlag
    }

    /// The APIC begins anew: a reset, or INIT outside VMX operation.
    mutating func resetAPIC() {
        ledger.reset()
        shownTPR = nil
        isSoftwareDisabled = false
        hookedEOI = nil
        mayHaveHookedEOI = false
        hasOpenReflection = false
        picVectorOfL1 = nil
        wakeup = .none
    }

    /// INIT or SIPI was offered to it.
    mutating func offeredWakeup(_ mode: DeliveryMode) {
        wakeup = mode == .`init` ? .initOffered : wakeup == .initOffered ? .sipiOffered : wakeup
    }

    /// IA32_APIC_BASE was written: bit 11 enables the APIC, bit 10 switches it to x2APIC mode.
    mutating func apicBaseWritten(_ value: UInt64) {
        apicBase = value & 0xf_ffff_ffff_f000
        isXAPIC = value >> 10 & 3 == 2
    }

    /// Its task priority is known: each change is an exit that shows it.
    var showsTPR: Bool { shownTPR != nil }

    /// What goes for an access of L1's was an EPT_MISCONFIG.
    var reachesAPICByMisconfig: Bool { exits[.l1, .eptMisconfig] > 0 && !accessesByL1.isEmpty }

    /// L2 reached for MSRs that L0 or L1 intercepts.
    var hasMSRExitsOfL2: Bool {
        [ExitReason.msrRead, .msrWrite].contains { exits[.l2, $0] > 0 }
    }
}
