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

    @Test func `a hole, an overrun or a cut is never clean`() {
        var hole = quiet()
        hole.hole(cpu: 5)
        #expect(hole.outcome().verdict == .inconclusive)
        var overrun = quiet()
        overrun.totals.overrun = 1
        #expect(overrun.outcome().verdict == .inconclusive)
        overrun.totals.overrun = 0
        #expect(overrun.outcome().verdict == .clean)
        var cut = quiet()
        cut.totals.cut = TraceCut(offset: 7, expected: "a page")
        #expect(cut.outcome().verdict == .inconclusive)
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

    @Test func `on SVM nothing more is needed`() {
        var trace = Trace(recorded: EventKindSet(.exit))
        trace.exitOfL1(.svmVMRUN)
        #expect(trace.outcome().verdict == .clean)
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
}
