// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// When nothing found means nothing there.
@Suite struct CoverageTests {
    /// A nested guest with nothing to find in it.
    private func quiet(recorded: EventKindSet = EventKindSet(rawValue: .max)) -> Trace {
        var trace = Trace(recorded: recorded)
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.resumeL2()
        trace.runL2(entries: 2)
        trace.accept(0x41)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0041)
        trace.enter()
        trace.resumeL2()
        return trace
    }

    @Test func `every format there, no loss, nothing found: clean`() {
        #expect(quiet().outcome().verdict == .clean)
    }

    @Test(arguments: Coverage.ledgerKinds.kinds) func `an L2 ran, and one of the events it takes is not recorded`(
        _ kind: EventKind
    ) {
        var trace = quiet()
        trace.info.recordedKinds.remove(EventKindSet(kind))
        let seen = trace.outcome()
        #expect(seen.verdict == .inconclusive)
        #expect(seen.doubts.contains { $0.missing.contains(kind) })
        #expect(seen.report.limits.contains { $0.contains(kind.tracepoints[0]) })
    }

    @Test func `kvm_msr is needed where L2 has MSR exits, and only there`() {
        var trace = quiet()
        trace.info.recordedKinds.remove(.init(.msr))
        #expect(trace.outcome().verdict == .clean)
        trace.exitOfL2(.msrWrite)
        trace.enter()
        #expect(trace.outcome().verdict == .inconclusive)
    }

    @Test func `a gap, an overrun or a cut is never clean`() {
        var gap = quiet()
        gap.gap(cpu: 5)
        #expect(gap.outcome().verdict == .inconclusive)
        var overrun = quiet()
        overrun.totals.overrun = 1
        #expect(overrun.outcome().verdict == .inconclusive)
        overrun.totals.overrun = 0
        #expect(overrun.outcome().verdict == .clean)
        var cut = quiet()
        cut.totals.cut = TraceCut(offset: 7, expected: "a page")
        #expect(cut.outcome().verdict == .inconclusive)
    }

    @Test func `records that are too short, or of events that the file doesn't describe, are never clean`() {
        var short = quiet()
        short.totals.shortRecords = 1
        #expect(short.outcome().verdict == .inconclusive)
        #expect(short.outcome().doubts.map(\.text).contains { $0.contains("1 records are shorter") })
        var unknown = quiet()
        unknown.totals.unknownRecords = 1
        #expect(unknown.outcome().verdict == .inconclusive)
        #expect(unknown.outcome().doubts.map(\.text).contains { $0.contains("1 records are of events") })
    }

    @Test func `a doubt of one VM's is not another's; one of the whole trace is everybody's`() {
        var trace = quiet()
        trace.deliver(0x51)
        trace.runL2(entries: 2, over: 200)
        trace.createVM(by: .init(tid: 900, vcpu: nil, cpu: 7))
        trace.thread(.init(tid: 901, vcpu: 0, cpu: 7))
        trace.exitOfL1()
        trace.enter()
        #expect(trace.outcome(selection: .init(vm: 101)).verdict == .inconclusive)
        #expect(trace.outcome(selection: .init(vm: 901)).verdict == .clean)
        #expect(trace.outcome(selection: .init(vm: 901)).report.reasons == ["VM 1: no L2 ran."])
        trace.totals.cut = TraceCut(offset: 7, expected: "a page")
        #expect(trace.outcome(selection: .init(vm: 901)).verdict == .inconclusive)
    }

    @Test func `clean by the fix says so`() {
        var trace = Trace.endedByL1(0x51, tpr: nil)
        for vector in [0x41, 0x31] as [UInt8] {
            trace.deliver(vector)
            trace.endHooked()
        }
        #expect(trace.outcome().verdict == .clean)
        #expect(
            trace.outcome().report.reasons == [
                "VM 0: the fix for stale SVI is there by behaviour, and L2 never reached L1's APIC by itself."
            ])
    }

    @Test func `no vCPU that ran is inconclusive, also where some were targets`() {
        var trace = Trace()
        #expect(trace.outcome().verdict == .inconclusive)
        trace.createVM()
        #expect(trace.outcome().verdict == .inconclusive)
    }

    @Test func `with APICv off throughout nothing more is needed`() {
        var trace = Trace(recorded: EventKindSet(.exit, .apicvInhibitChanged))
        trace.thread(.vmm)
        trace.inhibit(reason: 0, set: true, mask: 1)
        trace.thread(.vcpu0)
        trace.exitOfL1(.vmlaunch)
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `on SVM a wait can't be judged where what ends it is not recorded`() {
        func verdict(_ recorded: EventKindSet, accepts: Bool = true) -> Grade {
            var trace = Trace(recorded: recorded)
            trace.exitOfL1(.svmVMRUN)
            trace.enter()
            trace.exitOfL1(.svmHLT)
            if accepts { trace.accept(0x41) }
            trace.enter()
            return trace.outcome().verdict
        }
        #expect(verdict(EventKindSet(.exit, .entry, .apicAcceptIRQ)) == .inconclusive)
        #expect(verdict(EventKindSet(.exit, .entry, .apicAcceptIRQ), accepts: false) == .clean)
        #expect(verdict(EventKindSet(.exit, .entry, .apicAcceptIRQ, .injVIRQ)) == .clean)
    }

    @Test func `nor where no L2 ran, which alone has such waits`() {
        var trace = Trace(recorded: EventKindSet(.exit, .entry, .apicAcceptIRQ))
        trace.exitOfL1(.svmHLT)
        trace.accept(0x41)
        trace.enter()
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `on SVM nothing more is needed, and what waits is not vouched for`() {
        var trace = Trace(recorded: EventKindSet(.exit))
        trace.exitOfL1(.svmVMRUN)
        #expect(trace.outcome().verdict == .clean)
        #expect(trace.outcome().report.reasons.contains { $0.contains("how long interrupts waited is not recorded") })
        trace.info.recordedKinds = EventKindSet(rawValue: .max)
        #expect(!trace.outcome().report.reasons.contains { $0.contains("not recorded") })
    }

    @Test(arguments: [true, false])
    func `the page reached by EPT_MISCONFIG and no nested exit at all: it may have been L2's`(_ isCreated: Bool) {
        var trace = Trace()
        if isCreated { trace.createVM() }
        trace.exitOfL1(.eptMisconfig)
        trace.enter()
        #expect(trace.outcome().verdict == .clean)
        trace.exitOfL1(.eptMisconfig)
        trace.emit(.mmio(.init(type: 2, gpa: Trace.page + 0x80, value: 0)))
        trace.enter()
        #expect(trace.outcome().verdict == (isCreated ? .clean : .inconclusive))
        trace.info.knowsSelection = true
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `a VM created in the trace whose L2 nobody launched: its state was loaded, or it is another VM`() {
        func doubts(isLaunched: Bool) -> [String] {
            var trace = Trace()
            trace.createVM()
            if isLaunched { trace.resumeL2() }
            trace.runL2(entries: 2)
            return trace.outcome().doubts.map(\.text)
        }
        #expect(doubts(isLaunched: false).contains { $0.contains("launched before") })
        #expect(!doubts(isLaunched: true).contains { $0.contains("launched before") })
    }

    @Test func `without nested exits an L2 shows by VMLAUNCH and VMRESUME, in a VM seen from its creation`() {
        let kinds = EventKindSet(.exit, .pageFault, .apicvInhibitChanged, .apicIPI)
        var plain = Trace(recorded: kinds)
        plain.createVM()
        plain.exitOfL1(.eptMisconfig)
        #expect(plain.outcome().verdict == .clean)
        plain.exitOfL1(.vmlaunch)
        #expect(plain.outcome().verdict == .inconclusive)
        // One that ran before may have an L2 that never returns to L1.
        var older = Trace(recorded: kinds)
        older.exitOfL1(.eptMisconfig)
        #expect(older.outcome().verdict == .inconclusive)
    }

    // MARK: vCPUs that sleep

    /// vCPU 0 runs L2 and sends 0xfd, twice over some time, to vCPU 1, which does as told.
    private func sends(over ms: Double, times: Int = 2, to other: (inout Trace) -> Void) -> [String] {
        var trace = Trace()
        trace.createVM()
        trace.thread(.vcpu1)
        other(&trace)
        trace.thread(.vcpu0)
        trace.resumeL2()
        for _ in 0..<times { trace.accept(0xfd, on: 1) }
        trace.runL2(entries: 3, over: ms)
        return trace.outcome().doubts.map(\.text).filter { $0.contains("again and again") }
    }

    @Test func `what is sent again and again to a vCPU that sleeps, or never ran, is a doubt`() {
        #expect(sends(over: 2001) { $0.exitOfL1(.hlt) }.count == 1)
        #expect(sends(over: 2001) { _ in }.first?.contains("not seen to run") ?? false)
        #expect(sends(over: 1990) { $0.exitOfL1(.hlt) }.isEmpty)
        #expect(sends(over: 2001, times: 1) { $0.exitOfL1(.hlt) }.isEmpty)
        let running: (inout Trace) -> Void = { trace in
            trace.exitOfL1()
            trace.enter()
        }
        #expect(sends(over: 2001, to: running).isEmpty)
    }
}
