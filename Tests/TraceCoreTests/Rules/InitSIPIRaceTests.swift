// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Rule init-sipi-race: a SIPI that comes before its INIT was taken is dropped while the vCPU is in VMX operation.
@Suite struct InitSIPIRaceTests {
    private static let initMode: UInt16 = 0x500
    private static let sipiMode: UInt16 = 0x600

    /// vCPU 1 runs an L2; vCPU 0 sends what follows.
    private func nested() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.thread(.vcpu1)
        trace.resumeL2()
        trace.thread(.vcpu0)
        return trace
    }

    /// vCPU 1 exits, and L1 is reported why.
    private func reported(_ trace: inout Trace, _ reason: ExitReason) {
        trace.thread(.vcpu1)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(reason)
        trace.enter()
        trace.thread(.vcpu0)
    }

    private func raced() -> Trace {
        var trace = nested()
        trace.accept(0, on: 1, mode: Self.initMode)
        trace.accept(0x9a, on: 1, mode: Self.sipiMode)
        reported(&trace, .initSignal)
        return trace
    }

    private func later(_ trace: Trace, ms: Double) -> Trace {
        var trace = trace
        trace.after(ms: ms)
        trace.exitOfL1()
        return trace
    }

    @Test func `INIT and SIPI before either is taken: L1 learns of the INIT alone`() throws {
        let seen = later(raced(), ms: 101).outcome()
        let finding = try #require(seen.finding(.initSIPIRace))
        #expect(finding.grade == .suspect)
        #expect(finding.vcpu.map { seen.vcpus[$0.place].id } == 1)
    }

    @Test func `before a hundred milliseconds are over the second SIPI may still come`() {
        #expect(later(raced(), ms: 99).outcome().finding(.initSIPIRace) == nil)
    }

    @Test func `a second SIPI that L1 is reported of rescues the vCPU`() {
        var trace = raced()
        trace.thread(.vcpu1)
        trace.resumeL2()
        trace.thread(.vcpu0)
        trace.after(ms: 10)
        trace.accept(0x9a, on: 1, mode: Self.sipiMode)
        reported(&trace, .sipiSignal)
        #expect(later(trace, ms: 500).outcome().finding(.initSIPIRace) == nil)
    }

    @Test func `a SIPI after the INIT was taken is in time`() {
        var trace = nested()
        trace.accept(0, on: 1, mode: Self.initMode)
        reported(&trace, .initSignal)
        trace.accept(0x9a, on: 1, mode: Self.sipiMode)
        #expect(later(trace, ms: 500).outcome().finding(.initSIPIRace) == nil)
    }

    @Test func `an ordinary INIT and SIPI without any L2 are no race`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.accept(0, on: 1, mode: Self.initMode)
        trace.accept(0x9a, on: 1, mode: Self.sipiMode)
        trace.thread(.vcpu1)
        trace.exitOfL1()
        trace.enter()
        trace.thread(.vcpu0)
        #expect(later(trace, ms: 500).outcome().verdict == .clean)
    }

    @Test func `firmware's INIT and SIPI and the INIT of a reboot are two stories`() {
        var trace = nested()
        trace.thread(.vcpu1)
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.thread(.vcpu0)
        trace.accept(0, on: 1, mode: Self.initMode)
        trace.accept(0x9f, on: 1, mode: Self.sipiMode)
        trace.thread(.vcpu1)
        trace.enter()
        trace.exitOfL1()
        trace.resumeL2()
        trace.after(ms: 500)
        trace.thread(.vcpu0)
        trace.accept(0, on: 1, mode: Self.initMode)
        reported(&trace, .initSignal)
        #expect(later(trace, ms: 500).outcome().verdict <= .exposed)
    }

    @Test func `an INIT that waits ends L2 at once: after a second entry of L2 it was none of this`() {
        var trace = nested()
        trace.accept(0, on: 1, mode: Self.initMode)
        trace.accept(0x9a, on: 1, mode: Self.sipiMode)
        trace.thread(.vcpu1)
        for _ in 0..<2 { trace.visitL1() }
        trace.thread(.vcpu0)
        reported(&trace, .initSignal)
        #expect(later(trace, ms: 500).outcome().finding(.initSIPIRace) == nil)
    }

    @Test func `a gap on the target's CPU may hold the rescue`() {
        var trace = raced()
        trace.gap(cpu: 1)
        #expect(later(trace, ms: 500).outcome().finding(.initSIPIRace) == nil)
    }

    @Test func `a vCPU that takes interrupts in L2 afterwards waits for nothing`() {
        var trace = raced()
        trace.thread(.vcpu1)
        trace.resumeL2()
        trace.exitOfL2()
        trace.accept(0x41, on: 1)
        trace.inject(0x41)
        trace.enter()
        #expect(later(trace, ms: 500).outcome().finding(.initSIPIRace) == nil)
    }
}
