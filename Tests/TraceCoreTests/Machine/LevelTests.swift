// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Whose exit it is.
@Suite struct LevelTests {
    private func exits(_ trace: Trace) -> (l1: [String: UInt64], l2: [String: UInt64], unknown: [String: UInt64]) {
        let counts = trace.outcome().vcpus[0].exits
        return (counts.byName(.l1), counts.byName(.l2), counts.byName(.unknown))
    }

    @Test func `an exit is L2's where kvm_nested_vmexit follows, and L1's where it doesn't`() {
        var trace = Trace()
        trace.exitOfL1(.hlt)
        trace.enter()
        trace.resumeL2()
        trace.exitOfL2(.hlt)
        trace.enter()
        let seen = exits(trace)
        #expect(seen.l1 == ["HLT": 1, "VMRESUME": 1])
        #expect(seen.l2 == ["HLT": 1])
        #expect(seen.unknown == [:])
    }

    @Test func `an exit is reported to who watches exits, and again where it turns out to be L2's`() {
        var trace = Trace()
        trace.exitOfL1(.hlt)
        trace.enter()
        trace.exitOfL2(.hlt)
        func exits(_ transitions: [Transition]) -> [Transition] {
            transitions.filter { if case .exited = $0 { true } else { false } }
        }
        #expect(
            exits(trace.transitions(watchingExits: true)) == [
                .exited(.hlt, level: .l1), .exited(.hlt, level: .l1), .exited(.hlt, level: .l2),
            ])
        #expect(exits(trace.transitions()).isEmpty)
    }

    @Test func `an exit is counted by the name that KVM gives it, AVIC's exits too; what has no place is other`() {
        var trace = Trace()
        for code in [0x78, 0x400, 0x401, 0x402, 0x403, 0x40f, 0x410, 0x8000_0001] as [UInt32] {
            trace.exitOfL1(ExitReason(isa: .svm, recorded: code))
            trace.enter()
        }
        #expect(
            exits(trace).l1 == [
                "hlt": 1, "npf": 1, "avic_incomplete_ipi": 1, "avic_unaccelerated_access": 1, "vmgexit": 1, "0x40f": 1,
                "other": 2,
            ])
    }

    @Test func `a forwarded exit is L2's, and L1 runs next`() {
        var trace = Trace()
        trace.resumeL2()
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.accept(0x41)
        let seen = trace.outcome()
        #expect(seen.vcpus[0].exits.byName(.l2) == ["VMCALL": 1])
        #expect(seen[0x41].accepted.l1 == 1)
    }

    @Test func `a preemption timer of L2's is reported without kvm_nested_vmexit`() {
        var trace = Trace()
        trace.resumeL2()
        trace.exitOfL1(.preemptionTimer)
        trace.accept(0x41)
        trace.enter()
        #expect(exits(trace).l2 == ["PREEMPTION_TIMER": 1])
        #expect(trace.outcome()[0x41].accepted.l2 == 1)
    }

    @Test func `a preemption timer of L1's stays L1's`() {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        trace.exitOfL1(.preemptionTimer)
        #expect(exits(trace).l1 == ["PREEMPTION_TIMER": 1, "VMCALL": 1])
    }

    @Test func `a trace that begins in L2 knows it from the first exit that tells`() {
        var trace = Trace()
        trace.exitOfL1(.preemptionTimer)
        trace.enter()
        trace.exitOfL2(.hlt)
        trace.accept(0x41)
        trace.enter()
        let seen = exits(trace)
        #expect(seen.unknown == ["PREEMPTION_TIMER": 1])
        #expect(seen.l2 == ["HLT": 1])
        #expect(trace.outcome()[0x41].accepted.l2 == 1)
    }

    @Test func `without nested events the level is unknown`() {
        var trace = Trace(recorded: [.init(.exit), .init(.entry)])
        trace.exitOfL1(.hlt)
        trace.enter()
        #expect(exits(trace).unknown == ["HLT": 1])
    }

    @Test func `with the switches alone the level is what was entered`() {
        var trace = Trace(recorded: EventKindSet(.exit, .entry, .nestedVMEnter, .nestedVMExitInject))
        trace.resumeL2()
        trace.exitOfL1(.hlt)
        trace.enter()
        trace.exitOfL1()
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1(.hlt)
        let seen = exits(trace)
        #expect(seen.l2 == ["HLT": 1, "VMCALL": 1])
        #expect(seen.l1 == ["HLT": 1])
        #expect(seen.unknown == ["VMRESUME": 1])
    }

    @Test func `an entry into L2 that fails leaves L1 running`() {
        var trace = Trace()
        trace.exitOfL1(.vmresume)
        trace.emit(.nestedVMEnter(.init()), .nestedVMEnterFailed(.init(error: 7)))
        trace.enter()
        trace.accept(0x41)
        #expect(trace.outcome()[0x41].accepted.l1 == 1)
    }

    @Test func `5_10's kvm_nested_vmrun starts L2 on SVM`() {
        var trace = Trace()
        trace.exitOfL1(.svmVMRUN)
        trace.emit(.nestedVMEnter(.init(isa: nil)))
        trace.enter()
        trace.exitOfL2(.svmNPF)
        trace.accept(0x41)
        let seen = trace.outcome()
        #expect(seen.vms[0].isa == .svm)
        #expect(seen.vcpus[0].exits.byName(.l1) == ["vmrun": 1])
        #expect(seen.vcpus[0].exits.byName(.l2) == ["npf": 1])
        #expect(seen[0x41].accepted.l2 == 1)
    }

    @Test func `accesses without any bracket are nobody's level`() {
        // PVM emulates supervisor code without kvm_exit.
        var trace = Trace()
        trace.emit(.mmio(.init(type: 2, gpa: Trace.page + 0xb0)), .mmio(.init(type: 1, gpa: Trace.page + 0x20)))
        let vcpu = trace.outcome().vcpus[0]
        #expect(vcpu.accessesUnbracketed.writes == 1)
        #expect(vcpu.accessesUnbracketed.reads == 1)
        #expect(vcpu.accessesByL1.isEmpty)
        #expect(vcpu.accessesDirect.total.isEmpty)
    }

    @Test func `system management mode is L1's, and what it returns to shows at the next exit`() {
        var trace = Trace()
        trace.resumeL2()
        trace.emit(.smmTransition(.init(vcpu: 0, entering: true)))
        trace.accept(0x41)
        trace.emit(.smmTransition(.init(vcpu: 0, entering: false)))
        trace.accept(0x41)
        trace.exitOfL2()
        trace.accept(0x41)
        let accepted = trace.outcome()[0x41].accepted
        #expect((accepted.l1, accepted.unknown, accepted.l2) == (1, 1, 1))
    }

    @Test func `a thread that moves keeps its level, unless it comes to a CPU where events were lost since`() {
        var trace = Trace()
        trace.resumeL2()
        trace.thread(.init(tid: 101, vcpu: 0, cpu: 3))
        trace.accept(0x41)
        trace.gap(cpu: 5)
        trace.thread(.init(tid: 101, vcpu: 0, cpu: 5))
        trace.accept(0x51)
        #expect(trace.outcome()[0x41].accepted.l2 == 1)
        #expect(trace.outcome()[0x51].accepted.unknown == 1)
    }

    @Test func `kvm_nested_vmexit that comes on in the middle tells the levels from there`() {
        var trace = Trace()
        for _ in 0..<3 {
            trace.exitOfL1(.vmresume)
            trace.emit(.nestedVMEnter(.init()))
            trace.enter()
            trace.exitOfL1()
            trace.enter()
        }
        trace.exitOfL2()
        trace.enter()
        trace.exitOfL1()
        let seen = trace.outcome().vcpus[0]
        #expect(seen.exits.total(.l2) == 1)
        #expect(seen.bracket.level == .l1)
    }
}
