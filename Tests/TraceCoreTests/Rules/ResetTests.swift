// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// A VM that is reset begins another life: what it does there takes nothing back of what the first one lost.
@Suite struct ResetTests {
    /// The VMM resets the VM while L2 runs, and the vCPU begins at the reset vector.
    private func reset(_ trace: inout Trace, from rip: UInt64 = 0x1234, to entry: UInt64 = 0xfff0) {
        trace.emit(
            .exit(.init(reason: 1, vcpu: 0, rip: rip)), .nestedVMExit(.init(reason: 1, vcpu: 0, rip: rip)),
            .entry(.init(vcpu: 0, rip: entry)))
    }

    /// The next life: L1 starts its L2 again, and takes 0x41.
    private func livesOn(_ trace: inout Trace) {
        trace.exitOfL1()
        trace.enter()
        trace.resumeL2()
        trace.deliver(0x41)
        trace.endDirectly(0x41)
    }

    /// 0x41 waits for two and a half seconds.
    private func waiting() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.deliver(0x22)
        trace.endDirectly(0x22)
        trace.accept(0x41)
        trace.accept(0x41)
        trace.runL2(entries: 40, over: 2500)
        return trace
    }

    @Test func `an interrupt that waited until the reset was lost, whatever the next life is sent`() {
        var late = waiting()
        livesOn(&late)
        #expect(late.outcome().finding(.lostAccept) == nil)
        var trace = waiting()
        reset(&trace)
        livesOn(&trace)
        #expect(trace.transitions().contains(.reset))
        #expect(trace.outcome().grade(.lostAccept) == .suspect)
        #expect(trace.outcome().finding(.lostAccept)?.vectors == [0x41])
    }

    @Test func `what was stuck stays so, and injections of the next life don't free it`() {
        for isReset in [false, true] {
            var trace = Trace.endedByL1(0x51)
            trace.deliver(0x61)
            trace.missEOI()
            if isReset { reset(&trace) }
            trace.resumeL2()
            trace.deliver(0x41)
            let seen = trace.outcome()
            #expect(seen.finding(.staleSVI)?.stuck ?? [] == (isReset ? [0x61] : []))
            #expect(seen.fix.state == (isReset ? .absent : .present))
        }
    }

    @Test func `a reset loads SVI anew: a delivery after it shows no fix`() {
        for isReset in [false, true] {
            var trace = Trace.endedByL1(0x51)
            if isReset { reset(&trace) }
            trace.resumeL2()
            trace.deliver(0x41)
            #expect(trace.outcome().fix.state == (isReset ? .unknown : .present))
        }
    }

    @Test(arguments: [(0xffe1, false), (0xffe0, true), (0xfff0, false), (0x1_fff0, true)] as [(UInt64, Bool)])
    func `an instruction that KVM skips may lead to the reset vector`(_ rip: UInt64, _ isReset: Bool) {
        var trace = waiting()
        reset(&trace, from: rip)
        #expect(trace.transitions().contains(.reset) == isReset)
    }

    @Test func `an L2 that L1 starts there, and a vCPU that begins there, is no reset`() {
        var trace = Trace()
        trace.createVM()
        trace.emit(.entry(.init(vcpu: 0, rip: 0xfff0)))
        trace.exitOfL1()
        trace.enter()
        trace.exitOfL1(.vmlaunch)
        trace.emit(.nestedVMEnter(.init()), .entry(.init(vcpu: 0, rip: 0xfff0)))
        #expect(!trace.transitions().contains(.reset))
        reset(&trace, to: 0xfff1)
        #expect(!trace.transitions().contains(.reset))
    }
}
