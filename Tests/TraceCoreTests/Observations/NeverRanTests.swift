// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Observation never-ran: INIT and SIPI, and no guest code of the vCPU afterwards.
@Suite struct NeverRanTests {
    private static let initMode: UInt16 = 0x500
    private static let sipiMode: UInt16 = 0x600

    /// vCPU 1 waits in HLT; vCPU 0 sends an INIT and so many SIPIs.
    private func sent(sipis: Int = 2, to vcpu: UInt32 = 1) -> Trace {
        var trace = Trace()
        trace.thread(.vcpu1)
        trace.enter()
        trace.exitOfL1(.hlt)
        trace.thread(.vcpu0)
        trace.enter()
        trace.exitOfL1()
        trace.accept(0, on: vcpu, mode: Self.initMode)
        for _ in 0..<sipis {
            trace.after(ms: 10)
            trace.accept(0x9a, on: vcpu, mode: Self.sipiMode)
        }
        return trace
    }

    private func later(_ trace: Trace, ms: Double) -> [Report.Observation] {
        var trace = trace
        trace.thread(.vcpu0)
        trace.after(ms: ms)
        trace.enter()
        return trace.outcome().report.observations.filter { $0.kind == .neverRan }
    }

    @Test func `a vCPU that does not run for a hundred milliseconds is reported, and not graded`() throws {
        let seen = later(sent(), ms: 9000)
        #expect(seen.count == 1)
        #expect((seen[0].vcpu, seen[0].count) == (1, 2))
        #expect(seen[0].text.contains("an INIT and 2 SIPIs") && seen[0].text.contains("9.0 s"))
        var trace = sent()
        trace.after(ms: 9000)
        trace.enter()
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `before a hundred milliseconds are over its thread may wait for its turn`() {
        #expect(later(sent(), ms: 99.9).isEmpty)
        #expect(later(sent(), ms: 100).count == 1)
    }

    @Test func `one that was never seen at all is reported by its number`() {
        #expect(later(sent(to: 7), ms: 200).map(\.vcpu) == [7])
    }

    @Test func `one that runs afterwards has come up`() {
        var trace = sent()
        trace.thread(.vcpu1)
        trace.enter()
        #expect(later(trace, ms: 500).isEmpty)
    }

    @Test func `an exit shows that it ran, where entries are not recorded`() {
        var trace = sent()
        trace.thread(.vcpu1)
        trace.exitOfL1()
        #expect(later(trace, ms: 500).isEmpty)
    }

    @Test func `a wakeup alone is no run`() {
        var trace = sent()
        trace.thread(.vcpu1)
        trace.emit(.vcpuWakeup(.init(nanoseconds: 1000, waited: true)))
        #expect(later(trace, ms: 500).count == 1)
    }

    @Test func `an INIT alone parks a vCPU on purpose`() {
        #expect(later(sent(sipis: 0), ms: 500).isEmpty)
    }

    @Test func `firmware starts it, it runs, and it is reset for good: two stories`() {
        var trace = sent()
        trace.thread(.vcpu1)
        trace.enter()
        trace.exitOfL1()
        trace.thread(.vcpu0)
        trace.accept(0, on: 1, mode: Self.initMode)
        #expect(later(trace, ms: 500).isEmpty)
    }

    @Test func `a gap anywhere may hold its run`() {
        var trace = sent()
        trace.gap(cpu: 6)
        #expect(later(trace, ms: 500).isEmpty)
    }

    @Test func `where neither entries nor exits are recorded nothing is said`() {
        var trace = sent()
        trace.info.recordedKinds.remove(EventKindSet(.entry, .exit))
        #expect(later(trace, ms: 500).isEmpty)
    }
}
