// SPDX-License-Identifier: Apache-2.0

/// The state of every VM and vCPU in a trace, rebuilt event by event.
///
/// It mirrors KVM and keeps accounts; it doesn't judge, and never learns where an event came from. Each event goes to
/// the method named after it (Machine+*.swift), which updates one vCPU and tells the observer what that meant. It can't
/// be copied, so that showing it to the observer costs nothing.
public struct Machine: ~Copyable, Sendable {
    public internal(set) var vms = Table<VMIndex, VirtualMachine>()
    public internal(set) var vcpus = Table<VCPUIndex, VCPU>()
    /// Lets the machine be passed by address: a struct without any existential is handed to an observer in a copy of its 600 bytes,
    /// which was 13 instructions an event.
    private let anchor: any Sendable = ()
    public let info: TraceInfo
    public internal(set) var inhibitNames: InhibitNames
    /// Commands of threads and processes.
    public internal(set) var commands: [Int32: String]
    /// Names of guests by their VMM's process, where live tracing learned them.
    public var guests: [Int32: String] = [:]
    /// Events that could not be tied to a vCPU or VM: told in the report's limits.
    public internal(set) var unattributed: UInt64 = 0
    /// Time of the latest event, in clock units.
    public internal(set) var now: UInt64 = 0
    /// When and where the event at hand was recorded.
    var stamp = EventStamp(time: 0, cpu: 0, tid: 0)
    /// The thread that ran then.
    var thread: ThreadIndex = 0

    /// Places in ``vcpus`` that nobody has.
    var freeVCPUs: [VCPUIndex] = []
    /// VMs so far.
    var vmsSeen = 0
    /// Nearly all places are taken: some VMs have to go.
    var isCrowded = false

    var threads = ThreadTable()
    var grouping: VMGrouping
    /// Inhibit changes by threads that don't belong to any VM yet.
    var orphanedChanges: [(change: KVMEvent, stamp: EventStamp)] = []
    /// Threads that may have created a VM, and the bit that would be ABSENT then.
    var creations: [(tid: Int32, bit: Int32)] = []
    /// When the latest gap of each CPU ends.
    var gapEnds: [UInt64] = []
    var losses = ProcessLosses()
    /// How the level of an exit is presumed before anything that follows it says more.
    var presumption: VCPU.Presumption
    let recordsMMIOSPTEs: Bool
    let faultInGenerations: [FaultInTable.Generation]
    /// KVM caches MMIO in SPTEs (kvm.mmio_caching): it has done so.
    var showsMMIOCaching = false
    /// Interrupts that KVM injects are reported, by `kvm_inj_virq` or by `kvm_entry` (6.14 and later).
    let seesInjections: Bool
    /// The kernel has `kvm_nested_vmenter`: up to 5.19 only SVM has an event for it.
    let tellsNestedVMEnter: Bool
    /// Which tracepoints were on.
    var consistency = Consistency()
    /// A vCPU's first run has been reported as such, as kvm_entry's probe does: all of them are.
    var tellsFirstRuns = false
    /// Interrupts whose vCPU isn't known yet.
    var homeless = HomelessAccepts()

    /// Places for vCPUs. Beyond this VMs that have been silent for long have to go, which is reported: a host that runs more at once has
    /// never been seen, but a file that tells no VM's end may have more, and a damaged one too.
    static let capacity = 4096
    /// Changes of inhibits whose VM isn't known yet; most are known by the next vCPU that runs. The oldest are forgotten.
    static let mostOrphans = 4096
    /// An event takes one or two places at most.
    static let reserve = 16

    public init(info: TraceInfo) {
        self.info = info
        commands = info.commands
        inhibitNames = InhibitNames(info)
        grouping = VMGrouping(guests: info.guests)
        presumption =
            if info.recordedKinds.contains(.nestedVMExit) {
                .l1UntilToldOtherwise
            } else if info.recordedKinds.isSuperset(of: EventKindSet(.nestedVMEnter, .nestedVMExitInject)) {
                .modeOfLastSwitch
            } else {
                .nothing
            }
        tellsNestedVMEnter = info.eventsSelected?.contains("kvm_nested_vmenter") ?? true
        recordsMMIOSPTEs = info.recordedKinds.contains(.markMMIOSPTE)
        faultInGenerations = FaultInTable.generations(of: info)
        seesInjections =
            info.recordedKinds.contains(.injVIRQ) || info.formatFields.contains("kvm_entry.intr_info")
    }

    /// `kvm_nested_vmexit` was on, so that the levels can be distinguished.
    var recordsNestedExits: Bool { recordedKinds.contains(.nestedVMExit) }

    /// There are more vCPUs in the trace than the machine follows.
    var isFull: Bool { freeVCPUs.isEmpty && vcpus.count >= Self.capacity }

    /// Durations mean something: the clock counts nanoseconds.
    public var measuresTime: Bool { info.clock.unit == .nanoseconds }

    /// KVM_GUESTDBG_BLOCKIRQ holds interrupts back on purpose, or may: a bit that may be its inhibit's is set.
    public func blocksIRQ(_ vcpu: VCPUIndex) -> Bool {
        guard let bit = inhibitNames.blockIRQ else { return false }
        return vms[vcpus[vcpu].vm].apicv.current.mask & bit != 0
    }

    /// Hardware may deliver an interrupt to the VM's L1 without any event.
    @inline(__always)
    func deliversSilently(_ vm: VMIndex) -> Bool { vms[vm].apicv.current.state != .inhibited }

    /// A new window of observation: accounts start anew, the state of every vCPU and VM stays.
    mutating func forgetCounts() {
        for index in vcpus.indices { vcpus[index].forgetCounts() }
        unattributed = 0
    }

    public mutating func event(
        _ event: KVMEvent, at stamp: EventStamp, observer: inout some Observer
    ) {
        switch event {
        case .entry(let entry): self.entry(entry, at: stamp, observer: &observer)
        case .exit(let exit): self.exit(exit, at: stamp, observer: &observer)
        case .nestedVMExit(let exit): nestedVMExit(exit, at: stamp, observer: &observer)
        default:
            if attribute(stamp, &observer) { dispatch(event, &observer) }
        }
    }

    @inline(__always)
    private mutating func dispatch(
        _ event: KVMEvent, _ observer: inout some Observer
    ) {
        if let vcpu = threads[thread].vcpu { vcpus[vcpu].lastSeen = stamp.time }
        consistency.record(event.kind)
        switch event {
        case .entry, .exit, .nestedVMExit: break
        case .nestedVMExitInject(let inject): nestedVMExitInject(inject, &observer)
        case .nestedVMEnter(let enter): nestedVMEnter(enter, &observer)
        case .nestedVMEnterFailed: nestedVMEnterFailed()
        case .cr(let access): cr(access)
        case .smmTransition(let transition): smmTransition(transition)
        case .pageFault(let fault): pageFault(fault)
        case .markMMIOSPTE(let mark): markMMIOSPTE(mark, &observer)
        case .handleMMIOPageFault(let fault): handleMMIOPageFault(fault, &observer)
        case .mmuSetSPTE(let set): mmuSetSPTE(set, &observer)
        case .mmio(let access): mmio(access, &observer)
        case .apic(let access): apic(access, &observer)
        case .msr(let access): msr(access, &observer)
        case .apicIPI(let ipi): apicIPI(ipi, &observer)
        case .apicAcceptIRQ(let accept): apicAcceptIRQ(accept, &observer)
        case .apicvAcceptIRQ(let accept): apicvAcceptIRQ(accept, &observer)
        case .injVIRQ(let injection): injVIRQ(injection, &observer)
        case .eoi(let end): eoi(end, &observer)
        case .pvEOI(let end): pvEOI(end, &observer)
        case .apicvInhibitChanged: inhibits(event, &observer)
        case .apicvUpdateRequest: inhibits(event, &observer)
        case .vcpuWakeup(let wakeup): vcpuWakeup(wakeup, &observer)
        case .userspaceExit(let exit): userspaceExit(exit, &observer)
        case .avicIncompleteIPI: break
        case .avicUnacceleratedAccess(let access): avicUnacceleratedAccess(access, &observer)
        case .avicDoorbell, .avicGALog, .avicKickVCPUSlowpath: break
        case .piIRTEUpdate(let update): piIRTEUpdate(update)
        }
    }
}
