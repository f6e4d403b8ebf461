// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Rule inhibit-flapping: APICv off and on at a rate.
@Suite struct InhibitFlappingTests {
    /// APICv is active, then goes off, on, off, on…
    private func toggling(_ times: Int, each ms: Double) -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.after(ms: 5000)
        for index in 0..<times {
            trace.after(ms: ms)
            trace.blockIRQ(index % 2 == 0)
        }
        return trace
    }

    @Test func `fifty changes within a second`() throws {
        let finding = try #require(toggling(50, each: 20).outcome().finding(.inhibitFlapping))
        #expect(finding.grade == .exposed)
        #expect(finding.count == 50)
    }

    @Test(arguments: [(49, 1.0), (200, 20.5)]) func `fewer, or slower, is an ordinary life`(_ times: Int, _ ms: Double)
    {
        #expect(toggling(times, each: ms).outcome().finding(.inhibitFlapping) == nil)
    }

    @Test func `events that change nothing don't count`() {
        var trace = toggling(2, each: 1)
        for _ in 0..<100 { trace.blockIRQ(false) }
        #expect(trace.outcome().finding(.inhibitFlapping) == nil)
    }

    @Test func `another reason while it is off is no change`() {
        var trace = toggling(1, each: 1)
        for index in 0..<100 { trace.inhibit(reason: 5, set: index % 2 == 0, mask: index % 2 == 0 ? 0x28 : 0x8) }
        #expect(trace.outcome().finding(.inhibitFlapping) == nil)
    }

    @Test func `two VMs that change in turn are not one that flaps`() {
        var trace = toggling(30, each: 10)
        trace.thread(.init(tid: 900, vcpu: nil, cpu: 7))
        trace.inhibit(reason: 2, set: true, mask: 0x4)
        trace.inhibit(reason: 2, set: false, mask: 0)
        trace.thread(.init(tid: 901, vcpu: 0, cpu: 7))
        trace.exitOfL1()
        for index in 0..<30 {
            trace.after(ms: 10)
            trace.blockIRQ(index % 2 == 0)
        }
        #expect(trace.outcome().finding(.inhibitFlapping) == nil)
    }
}
