// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Observation late: an interrupt waited for longer than any healthy one, and came.
@Suite struct LateTests {
    /// 0x41 is accepted in L2, and comes after so long.
    private func late(_ ms: Double) -> Report {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.accept(0x41)
        trace.runL2(entries: 40, over: ms)
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        trace.endDirectly(0x41)
        return trace.outcome().report
    }

    @Test func `late is not lost, and worth a word`() throws {
        let report = late(2500)
        let observation = try #require(report.observations.first)
        #expect(observation.kind == .late)
        #expect(observation.vector == "0x41")
        #expect(observation.vcpu == 0)
        #expect(observation.text.contains("2.5 s"))
        #expect(observation.last - observation.first >= 2_500_000_000)
        #expect(report.findings.allSatisfy { $0.rule != .lostAccept })
    }

    @Test func `up to two seconds healthy guests wait, too`() {
        #expect(late(1990).observations.isEmpty)
    }
}
