// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Whose interrupt it is that was accepted: which level's, and which VM's.
@Suite struct WhoseAcceptTests {
    private func accepted(_ trace: Trace, _ vector: UInt8 = 0x41) -> [UInt64] {
        let accepted = trace.outcome()[vector].accepted
        return [accepted.l1, accepted.l2, accepted.unknown]
    }

    // MARK: Between kvm_exit and kvm_nested_vmexit

    @Test func `it is L2's where a nested exit follows`() {
        var trace = Trace.inL2()
        trace.exitOfL1(Trace.cpuid)
        for _ in 0..<4 { trace.accept(0x41) }
        trace.emit(.nestedVMExit(.init(reason: Trace.cpuid.code, vcpu: 0)))
        #expect(accepted(trace) == [0, 4, 0])
        // They waited in the order in which they came.
        #expect(trace.outcome()[0x41].pending?.since.time == trace.time - 4000)
        #expect(trace.outcome()[0x41].pending?.maybeSilent == false)
    }

    @Test func `each counts once`() {
        var trace = Trace.inL2()
        trace.exitOfL1(Trace.cpuid)
        trace.accept(0x41)
        trace.emit(.nestedVMExit(.init(reason: Trace.cpuid.code, vcpu: 0)))
        trace.enter()
        trace.runL2(entries: 2)
        #expect(accepted(trace) == [0, 1, 0])
    }

    @Test func `four wait; more are taken for L1's, not left out`() {
        var trace = Trace.inL2()
        trace.exitOfL1(Trace.cpuid)
        for _ in 0..<5 { trace.accept(0x41) }
        trace.emit(.nestedVMExit(.init(reason: Trace.cpuid.code, vcpu: 0)))
        #expect(accepted(trace) == [1, 4, 0])
    }

    @Test func `it is L2's where the exit is handed to L1, whatever else is recorded`() {
        var trace = Trace.inL2()
        trace.exitOfL1(Trace.vmcall)
        trace.accept(0x41)
        trace.forward(Trace.vmcall)
        #expect(accepted(trace) == [0, 1, 0])
    }

    @Test func `it is L1's where the entry comes and no nested exit did`() {
        var trace = Trace.inL2()
        trace.exitOfL1(Trace.cpuid)
        trace.accept(0x41)
        trace.enter()
        #expect(accepted(trace) == [1, 0, 0])
    }

    @Test func `it is of no known level where events were lost before that showed`() {
        var trace = Trace.inL2()
        trace.exitOfL1(Trace.cpuid)
        trace.accept(0x41)
        trace.gap(cpu: 0)
        #expect(accepted(trace) == [0, 0, 1])
    }

    @Test func `after an exit of L1's nothing waits`() {
        var trace = Trace.inL2()
        trace.visitL1()
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1()
        trace.accept(0x41)
        #expect(accepted(trace) == [1, 0, 0])
    }

    // MARK: By the handler of a host's interrupt

    private static let otherVM = Trace.Thread(tid: 201, vcpu: 0, cpu: 2)

    private func twoVMs() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.createVM(by: .init(tid: 200, vcpu: nil, cpu: 3))
        trace.thread(Self.otherVM)
        trace.resumeL2()
        return trace
    }

    private func acceptInHandler(_ trace: inout Trace, _ vector: UInt8 = 0x41, on vcpu: UInt32 = 0) {
        trace.emit(.apicAcceptIRQ(.init(vcpu: vcpu, vector: vector, inHardIRQ: true)))
    }

    private func takeInL2(_ trace: inout Trace, _ vector: UInt8 = 0x41) {
        trace.exitOfL2()
        trace.inject(vector)
        trace.enter()
    }

    @Test func `with one VM it can be no other's`() {
        var trace = Trace.inL2()
        acceptInHandler(&trace)
        #expect(accepted(trace) == [0, 1, 0])
        #expect(trace.outcome().unattributed == 0)
    }

    @Test func `with two it is neither's by the thread that the interrupt hit, and the trace is not clean`() {
        var trace = twoVMs()
        trace.thread(.vcpu0)
        acceptInHandler(&trace)
        let seen = trace.outcome()
        #expect(seen.vcpus.allSatisfy { $0.ledger[0x41].isUntouched })
        #expect(seen.unattributed == 1)
        #expect(seen.doubts.contains { $0.text.contains("1 interrupts were accepted that could not be tied") })
    }

    @Test func `the vCPU that takes it has it, from when it was accepted`() {
        var trace = twoVMs()
        trace.thread(.vcpu0)
        acceptInHandler(&trace)
        trace.thread(Self.otherVM)
        takeInL2(&trace)
        let seen = trace.outcome()
        #expect(seen.vcpus[0].ledger[0x41].isUntouched)
        #expect(seen.vcpus[1].ledger[0x41].accepted.total == 1)
        #expect(seen.vcpus[1].ledger[0x41].inService?.isSure == true)
        #expect(seen.doubts.allSatisfy { !$0.text.contains("tied") })
    }

    @Test func `a vCPU with another id has not, nor one that had accepted its own`() {
        var other = twoVMs()
        other.thread(.vcpu0)
        acceptInHandler(&other, on: 1)
        other.thread(Self.otherVM)
        takeInL2(&other)
        #expect(other.outcome().vcpus[1].ledger[0x41].accepted.total == 0)
        var own = twoVMs()
        acceptInHandler(&own)
        own.accept(0x41)
        takeInL2(&own)
        #expect(own.outcome().vcpus[1].ledger[0x41].accepted.total == 1)
        #expect(own.outcome().doubts.contains { $0.text.contains("tied") })
    }

    @Test func `L2's EOI of it shows that L1 had taken it`() {
        var trace = twoVMs()
        acceptInHandler(&trace)
        trace.endDirectly(0x41)
        let account = trace.outcome().vcpus[1].ledger[0x41]
        #expect((account.accepted.unknown, account.ended.l2) == (1, 1))
        #expect(account.pending == nil)
    }

    @Test func `of several the latest is claimed; of many the oldest are given up, and counted`() {
        var homeless = HomelessAccepts()
        for time in 1...70 as ClosedRange<UInt64> {
            homeless.add(.init(vcpu: 0, vector: 0x41, stamp: EventStamp(time: time, cpu: 0, tid: 1)))
        }
        #expect(homeless.total == 70)
        #expect(homeless.lost == 6)
        #expect(homeless.claim(0x41, by: 0)?.time == 70)
        #expect(homeless.claim(0x41, by: 1) == nil)
        #expect(homeless.claim(0x51, by: 0) == nil)
        #expect(homeless.total == 69)
        for time in (7...69 as ClosedRange<UInt64>).reversed() { #expect(homeless.claim(0x41, by: 0)?.time == time) }
        #expect(homeless.isEmpty)
    }

    @Test func `a vhost worker is its owner's, by its name`() {
        var trace = twoVMs()
        trace.info.commands = [70: "vhost-200", 71: "vhost-999"]
        for (tid, vector) in [(70, 0x41), (71, 0x51)] as [(Int32, UInt8)] {
            trace.thread(.init(tid: tid, vcpu: nil, cpu: 5))
            trace.accept(vector)
        }
        let seen = trace.outcome()
        #expect(seen.vcpus.map { $0.ledger[0x41].accepted.total } == [0, 1])
        #expect(seen.vcpus.allSatisfy { $0.ledger[0x51].isUntouched })
    }
}
