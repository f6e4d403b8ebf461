// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Observation storm: a level-triggered interrupt that comes again as soon as it is ended.
@Suite struct StormTests {
    private static let iothread = Trace.Thread(tid: 99, vcpu: nil, cpu: 5)
    private static let rounds = Int(StormWatch.roundsNeeded)

    private func nested() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.resumeL2()
        return trace
    }

    /// Accepted in L2, taken and ended by L1 (whose IOAPIC is the VMM's), and L2 goes on, with the vector or without.
    private func round(_ trace: inout Trace, passesOn: Bool, isLevel: Bool = true, pauseMS: Double = 0) {
        trace.after(ms: pauseMS)
        trace.thread(Self.iothread)
        trace.accept(0x81)
        trace.thread(.vcpu0)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0081)
        trace.enter()
        trace.exitOfL1(isLevel ? .eoiInduced : Trace.vmcall)
        trace.eoi(0x81)
        if isLevel { trace.emit(.userspaceExit(.init(reason: 26))) }
        trace.enter()
        trace.resumeL2(injecting: passesOn ? 0x81 : nil)
    }

    private func storms(_ trace: Trace) -> [Report.Observation] {
        trace.outcome().report.observations.filter { $0.kind == .storm }
    }

    @Test func `accepted, ended and passed on 80, 80 and 10 times: reported, and not graded`() throws {
        var trace = nested()
        for index in 0..<80 { round(&trace, passesOn: index % 8 == 0) }
        let storm = try #require(storms(trace).first)
        #expect(storms(trace).count == 1)
        #expect((storm.vector, storm.vcpu, storm.count) == ("0x81", 0, 80))
        #expect(storm.text.contains("accepted 80 times, ended 80 times in L1, passed on to L2 10 times"))
        #expect(storm.text.contains("IOAPIC in user space"))
        #expect(trace.outcome().verdict <= .exposed)
    }

    @Test func `fifty rounds are a storm, forty-nine are not`() {
        for (count, found) in [(Self.rounds, 1), (Self.rounds - 1, 0)] {
            var trace = nested()
            for index in 0..<count { round(&trace, passesOn: index % 8 == 0) }
            #expect(storms(trace).count == found)
        }
    }

    @Test func `an interrupt that L1 passes on more often than not is work`() {
        var trace = nested()
        for index in 0..<200 { round(&trace, passesOn: index % 3 != 0) }
        #expect(storms(trace).isEmpty)
    }

    @Test func `an edge is no storm, however often it comes`() {
        var trace = nested()
        for index in 0..<200 { round(&trace, passesOn: index % 8 == 0, isLevel: false) }
        #expect(storms(trace).isEmpty)
    }

    @Test func `a pause after an EOI begins anew`() {
        var trace = nested()
        for index in 0..<200 { round(&trace, passesOn: index % 8 == 0, pauseMS: index % 40 == 39 ? 0.2 : 0) }
        #expect(storms(trace).isEmpty)
    }

    @Test func `a gap begins anew`() {
        var trace = nested()
        for index in 0..<(2 * Self.rounds - 2) {
            if index == Self.rounds - 1 { trace.gap(cpu: 0) }
            round(&trace, passesOn: index % 8 == 0)
        }
        #expect(storms(trace).isEmpty)
    }

    @Test func `without nesting a disk may be busy: it takes a thousand rounds`() {
        for (count, found) in [(StormWatch.roundsOfOneLevel, 1), (StormWatch.roundsOfOneLevel - 1, 0)] {
            var trace = Trace()
            trace.createVM()
            for _ in 0..<count {
                trace.accept(0x41)
                trace.exitOfL1(.eoiInduced)
                trace.eoi(0x41)
                trace.enter()
            }
            #expect(storms(trace).count == found)
        }
    }

    @Test func `without a clock that counts nanoseconds nothing is said`() {
        var trace = nested()
        for index in 0..<80 { round(&trace, passesOn: index % 8 == 0) }
        trace.info.clock.unit = .ticks
        #expect(storms(trace).isEmpty)
    }
}
