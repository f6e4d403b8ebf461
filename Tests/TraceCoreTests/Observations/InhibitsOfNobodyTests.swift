// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Observation inhibits: who asks why APICv is off records kvm_apicv_inhibit_changed and nothing else.
@Suite struct InhibitsOfNobodyTests {
    private static let worker = Trace.Thread(tid: 5002, vcpu: nil, cpu: 247)

    private func texts(_ trace: Trace, selection: Selection = Selection(vms: [])) -> [String] {
        trace.outcome(selection: selection).report.observations.filter { $0.kind == .inhibits }.map(\.text)
    }

    private func alone() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.thread(Self.worker)
        // The event comes without a change too.
        trace.inhibit(reason: 4, set: false, mask: 0)
        trace.inhibit(reason: 7, set: true, mask: 0x80)
        trace.inhibit(reason: 7, set: false, mask: 0)
        return trace
    }

    @Test func `the masks are reported over time, by the thread that set them`() {
        #expect(
            texts(alone()) == [
                "APICv inhibited 0x4 (ABSENT), set by thread 100.", "APICv active, set by thread 100.",
                "APICv inhibited 0x80 (IRQWIN), set by thread 5002.", "APICv active, set by thread 5002.",
            ])
        #expect(alone().outcome().verdict == .inconclusive)
        let times = alone().outcome().report.observations
        #expect(zip(times, times.dropFirst()).allSatisfy { $0.last == $1.first })
    }

    @Test func `as soon as a vCPU shows whose they are the VM tells them`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        #expect(texts(trace).isEmpty)
    }

    @Test func `of many the first are listed, and the others counted`() throws {
        var trace = Trace()
        trace.thread(Self.worker)
        for _ in 0..<20 {
            trace.inhibit(reason: 7, set: true, mask: 0x80)
            trace.inhibit(reason: 7, set: false, mask: 0)
        }
        let seen = trace.outcome().report.observations
        #expect(seen.count == Observations.inhibitsListed)
        #expect(seen.reduce(0) { $0 + $1.count } == 40)
        #expect(try #require(seen.last).text.contains("24 changes more follow"))
    }

    @Test func `they are nobody's where one VM is asked for`() {
        #expect(texts(alone(), selection: .init(vm: 100)).isEmpty)
    }
}
