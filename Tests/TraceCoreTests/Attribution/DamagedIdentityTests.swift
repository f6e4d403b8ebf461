// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Identities as a damaged or hostile file has them: nothing may trap, and nothing may grow without bound.
@Suite struct DamagedIdentityTests {
    @Test func `thousands of targets are cut off, and the trace is not clean`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        for id in 0..<UInt32(Machine.capacity + 100) { trace.accept(0x41, on: id) }
        trace.enter()
        let seen = trace.outcome()
        #expect(seen.vcpus.count == Machine.capacity)
        #expect(seen.unattributed == 100)
        #expect(seen.verdict == .inconclusive)
    }

    @Test func `where threads run more vCPUs than there can be, those that were silent for longest leave`() {
        var trace = Trace()
        for tid in 0..<Int32(Machine.capacity + 5) {
            trace.thread(.init(tid: 1000 + tid, vcpu: 0, cpu: 0))
            trace.exitOfL1()
        }
        trace.thread(.init(tid: 1000, vcpu: 0, cpu: 0))
        trace.exitOfL1()
        let seen = trace.outcome()
        #expect(seen.vcpus.count <= Machine.capacity)
        #expect(seen.unattributed == 0)
        #expect(seen.verdict == .inconclusive)
        let listed = seen.report.vms.flatMap(\.vcpus).map(\.exits.l1) + [seen.report.endedVMs?.exits.l1 ?? [:]]
        #expect(listed.flatMap(\.values).reduce(0, +) == UInt64(Machine.capacity + 6))
    }

    @Test func `IPIs to ever other destinations are counted, and listed up to a limit`() {
        var trace = Trace()
        trace.exitOfL1(.apicWrite, info1: 0x300)
        for destination in 0..<UInt32(IPICounts.capacity + 10) {
            trace.emit(.apicIPI(.init(icrLow: 0x41, destination: destination)))
        }
        let ipis = trace.outcome().vcpus[0].ipis
        #expect(ipis.total == UInt64(IPICounts.capacity + 10))
        #expect(ipis.lines.count == IPICounts.capacity)
    }

    @Test func `numbers out of range are nobody's`() {
        var trace = Trace()
        trace.thread(.init(tid: -5, vcpu: -1, cpu: -3))
        trace.exitOfL1()
        trace.accept(0x41, on: .max)
        trace.emit(
            .eoi(.init(vcpu: .max, vector: .max)), .eoi(.init(vcpu: 0, vector: .min)),
            .injVIRQ(.init(vector: .max)), .apicIPI(.init(icrLow: .max, destination: .max)),
            .apicvInhibitChanged(.init(reason: .min, set: true, inhibits: .max)),
            .apicvUpdateRequest(.init(activate: false, bit: .max)),
            .msr(.init(isWrite: true, index: 0x1b, value: .max)),
            .mmio(.init(type: 2, gpa: .max, value: .max)),
            .pageFault(.init(vcpu: .min, address: .max, errorCode: .max)),
            .nestedVMExitInject(.init(exitCode: .max, intInfo: .max, isa: .max)),
            .avicUnacceleratedAccess(.init(vcpu: .max, offset: .max, isWrite: true)),
            .exit(.init(reason: .max, isa: 2, vcpu: .max, info1: .max, info2: .max)),
            .exit(.init(reason: .max, isa: 1, vcpu: nil)))
        trace.gap(cpu: .max)
        trace.gap(cpu: -1)
        let seen = trace.outcome()
        #expect(seen.vms.count == 1)
        #expect(seen.unattributed == 2)
    }

    @Test func `time that goes back makes no loss`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        trace.inject(0x51)
        trace.enter()
        trace.endHooked()
        trace.accept(0x41)
        trace.emit(.entry(.init(vcpu: 0)))
        // A record from long before: an unsigned difference would be half an eternity.
        var late = trace
        late.rewind(ms: 0.005)
        late.runL2(entries: 8)
        #expect(late.outcome().grade(.staleSVI) == .hazard)
    }
}
