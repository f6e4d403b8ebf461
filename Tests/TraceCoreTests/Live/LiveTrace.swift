// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A live trace written by hand: each call comes a microsecond after the one before.
struct LiveTrace: ~Copyable {
    var analysis: Analysis
    var totals = TraceTotals()
    private(set) var time: UInt64 = 0
    /// vCPU 0 of the VM at 0x1000, process 100, unless told otherwise.
    var thread = EventStamp(time: 0, cpu: 0, tid: 101)

    init(
        isa: ISA = .vmx, sviFix: FixState? = nil, without absent: EventKindSet = [], window: ClosedRange<UInt64>? = nil
    ) {
        var info = TraceInfo(
            format: "live (by hand)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 4)
        info.kernel = "6.12.0"
        info.recordedKinds = EventKindSet(rawValue: .max).subtracting(absent)
        info.isa = isa
        info.sviFix = sviFix
        analysis = Analysis(info: info, window: window)
    }

    private var stamp: EventStamp {
        mutating get {
            time += 1000
            return EventStamp(time: time, cpu: thread.cpu, tid: thread.tid)
        }
    }

    mutating func after(ms: UInt64) {
        time += ms * 1_000_000
    }

    mutating func emit(_ events: KVMEvent...) {
        for event in events { analysis.take(.event(event), at: stamp) }
    }

    mutating func state(
        vm: UInt64 = 0x1000, process: Int32 = 100, vcpu: Int32 = 0, inhibits: UInt64 = 0, guestMode: Bool = false,
        vmx: VCPUState.VMXChoices? = nil, firstRun: Bool = false
    ) {
        thread(thread.tid, of: process)
        var state = VCPUState(
            vm: vm, process: process, vcpu: vcpu, inhibits: inhibits, isAPICvActive: inhibits == 0,
            isGuestMode: guestMode, hasLAPIC: true, vmx: vmx)
        state.isFirstRun = firstRun
        analysis.take(.fact(.state(state)), at: stamp)
    }

    /// The thread ends, and with it this process, if not 0.
    mutating func end(process: Int32 = 0) {
        analysis.take(.fact(.ended(process: process)), at: stamp)
    }

    mutating func words(
        _ occasion: LAPICReading.Occasion, irr: [UInt8] = [], isr: [UInt8] = [], tpr: UInt8 = 0, ppr: UInt8 = 0,
        interruptFlag: Bool? = nil, isAPICEnabled: Bool? = nil
    ) {
        let reading = LAPICReading(
            vcpu: 0, occasion: occasion, words: LAPICWords(irr: irr, isr: isr, tpr: tpr, ppr: ppr),
            interruptFlag: interruptFlag, isAPICEnabled: isAPICEnabled)
        analysis.take(.fact(.lapic(reading)), at: stamp)
    }

    mutating func lost() {
        let gap = EventGap(instance: 0, cpu: thread.cpu, from: time, to: time + 1000, events: 1)
        analysis.take(.lost(gap), at: gap.stamp)
    }

    /// A gap of two milliseconds; with a process, in its events alone.
    mutating func lose(_ events: UInt64, of process: Int32?) {
        let gap = EventGap(
            instance: 0, cpu: thread.cpu, process: process, from: time, to: time + 2_000_000, events: events)
        analysis.take(.lost(gap), at: gap.stamp)
        totals.add(gap)
        totals.overrun = (totals.overrun ?? 0) + events
    }

    mutating func thread(_ tid: Int32, of process: Int32) {
        analysis.take(.fact(.process(process)), at: EventStamp(time: time, cpu: thread.cpu, tid: tid))
    }

    mutating func tick() {
        analysis.take(.fact(.tick), at: EventStamp(time: time, cpu: 0, tid: 0))
    }

    var findings: [RuleFinding] { analysis.findings }

    consuming func report(_ selection: Selection = Selection(vms: [])) -> Report {
        (totals.first, totals.last) = (0, time)
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil, selection: selection).report()
    }
}

extension ExitReason {
    static let cpuidOfL2 = ExitReason(isa: .vmx, recorded: 10)
}

extension KVMEvent {
    static func leave(_ reason: ExitReason) -> KVMEvent { .exit(Exit(reason: reason.code, vcpu: 0)) }
    /// What makes the exit one of L2.
    static func nested(_ reason: ExitReason) -> KVMEvent { .nestedVMExit(Exit(reason: reason.code, vcpu: 0)) }
    static let enter = KVMEvent.entry(Entry(vcpu: 0))
    static func accept(_ vector: UInt8) -> KVMEvent { .apicAcceptIRQ(APICAcceptIRQ(vcpu: 0, vector: vector)) }
}
