// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Why an accepted interrupt is outstanding at the end.
@Suite struct InterruptClassTests {
    private func accepted(tpr: UInt64 = 0) -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.accessDirectly(0x80, write: true, value: tpr)
        trace.exitOfL2()
        trace.accept(0x41)
        trace.enter()
        return trace
    }

    private func judged(_ trace: Trace) -> InterruptClass? {
        trace.outcome().report.vms[0].vcpus[0].interrupts.first { $0.vector == "0x41" }?.class
    }

    @Test func `the trace ends too soon after it`() {
        var trace = accepted()
        #expect(judged(trace) == .pendingAtEnd)
        trace.runL2(entries: 2, over: 6)
        #expect(judged(trace) == .unexplained)
    }

    @Test func `the task priority, or a higher vector in service`() {
        #expect(judged(accepted(tpr: 0x50)) == .masked)
        // A priority masks its whole class.
        #expect(judged(accepted(tpr: 0x40)) == .masked)
        #expect(judged(accepted(tpr: 0x3f)) == .pendingAtEnd)
        for isAccepted in [true, false] {
            var trace = accepted()
            trace.exitOfL2()
            // Otherwise it may be the PIC's.
            if isAccepted { trace.accept(0x61) }
            trace.inject(0x61)
            trace.enter()
            #expect(judged(trace) == (isAccepted ? .masked : .pendingAtEnd))
        }
    }

    @Test func `hardware may have delivered it`() {
        var trace = accepted()
        trace.visitL1()
        #expect(judged(trace) == .silent)
    }

    @Test func `BLOCKIRQ, also one that is over`() {
        var trace = accepted()
        trace.blockIRQ(true)
        #expect(judged(trace) == .blocked)
        trace.blockIRQ(false)
        #expect(judged(trace) == .blocked)
    }

    @Test func `not BLOCKIRQ that was over before`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.blockIRQ(true)
        trace.blockIRQ(false)
        trace.accept(0x41)
        trace.runL2(entries: 2, over: 6)
        #expect(judged(trace) == .unexplained)
    }

    @Test func `what a rule found lost has no excuse`() {
        var trace = Trace.endedByL1(0x51)
        trace.accept(0x41)
        trace.accept(0x41)
        trace.runL2(entries: 30, over: 2001)
        trace.visitL1()
        #expect(trace.outcome().grade(.staleSVI) == .suspect)
        #expect(judged(trace) == .unexplained)
    }

    @Test func `a gap came after the accept`() {
        var trace = accepted()
        trace.gap(cpu: 0)
        trace.exitOfL2()
        #expect(judged(trace) == .touchedByGap)
    }

    @Test func `what was acknowledged has none`() {
        var trace = accepted()
        trace.exitOfL2()
        trace.inject(0x41)
        #expect(judged(trace) == nil)
    }
}
