// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Which threads are one VM's, where the trace doesn't say so.
@Suite struct VMGroupingTests {
    private func thread(_ tid: Int32, vcpu: Int32?, cpu: Int32 = 0) -> Trace.Thread {
        .init(tid: tid, vcpu: vcpu, cpu: cpu)
    }

    /// Each thread has one exit and entry, in this order.
    private func run(_ threads: [(tid: Int32, vcpu: Int32)], in trace: inout Trace) {
        for (tid, vcpu) in threads {
            trace.thread(thread(tid, vcpu: vcpu))
            trace.exitOfL1()
            trace.enter()
        }
    }

    @Test func `vCPUs that come after their VM's creator are its own`() {
        var trace = Trace()
        trace.createVM(by: thread(100, vcpu: nil))
        run([(101, 0), (102, 1)], in: &trace)
        trace.createVM(by: thread(200, vcpu: nil))
        run([(201, 0), (202, 1), (102, 1)], in: &trace)
        #expect(trace.outcome().members == [[0: 101, 1: 102], [0: 201, 1: 202]])
    }

    @Test func `VMs created before either ran keep their own threads`() {
        var trace = Trace()
        trace.createVM(by: thread(100, vcpu: nil))
        trace.createVM(by: thread(200, vcpu: nil))
        run([(201, 0), (101, 0), (102, 1), (202, 1)], in: &trace)
        #expect(trace.outcome().members == [[0: 201, 1: 202], [0: 101, 1: 102]])
    }

    @Test(
        arguments: [
            [(1001, 0), (2002, 1), (2001, 0), (1002, 1)], [(1002, 1), (2001, 0), (1001, 0), (2002, 1)],
            [(1001, 0), (1002, 1), (2001, 0), (2002, 1)],
        ] as [[(Int32, Int32)]])
    func `of two VMs that ran before the trace, the nearest threads belong together`(_ order: [(Int32, Int32)]) {
        var trace = Trace()
        run(order.map { (tid: $0.0, vcpu: $0.1) }, in: &trace)
        #expect(Set(trace.outcome().members) == [[0: 1001, 1: 1002], [0: 2001, 1: 2002]])
    }

    @Test func `GUEST options decide where they are there`() {
        var trace = Trace()
        trace.info.guests = [
            GuestMap(name: "a", threads: [(0, 101), (1, 202)]), GuestMap(name: "b", threads: [(0, 201), (1, 102)]),
        ]
        run([(101, 0), (102, 1), (201, 0), (202, 1)], in: &trace)
        #expect(trace.outcome().members == [[0: 101, 1: 202], [0: 201, 1: 102]])
    }

    @Test(arguments: [true, false])
    func `a vCPU that was inside an exit when the trace began is no part of a VM that is created in it`(
        _ isNamed: Bool
    ) {
        var trace = Trace()
        if isNamed { trace.info.guests = [GuestMap(name: "a", threads: [(0, 102)])] }
        trace.createVM(by: thread(100, vcpu: nil))
        trace.thread(thread(102, vcpu: 0))
        trace.emit(.exit(.init(reason: 1, isa: 1, vcpu: 0)))
        trace.enter()
        trace.thread(thread(100, vcpu: nil))
        trace.inhibit(reason: 1, set: true, mask: 0x2)
        run([(102, 0), (101, 0)], in: &trace)
        let seen = trace.outcome()
        #expect(seen.members == [[0: 102], [0: 101]])
        #expect(seen.vms.map(\.apicv.state) == [.unknown, .inhibited])
        #expect(seen.vms.map(\.apicv.isSeenFromCreation) == [false, true])
    }

    @Test func `a vCPU that enters first is new, and after a gap nobody can tell`() {
        for isHole in [false, true] {
            var trace = Trace()
            trace.createVM(by: thread(100, vcpu: nil))
            trace.thread(thread(101, vcpu: 0))
            trace.enter()
            if isHole { trace.gap(cpu: 0) }
            trace.exitOfL1()
            trace.enter()
            let seen = trace.outcome()
            #expect(seen.members == [[0: 101]])
            #expect(seen.vms[0].apicv.isSeenFromCreation)
        }
    }

    @Test func `a vCPU created at run time joins its VM`() {
        var trace = Trace()
        trace.createVM()
        run([(101, 0)], in: &trace)
        trace.after(ms: 5000)
        run([(340, 1)], in: &trace)
        #expect(trace.outcome().members == [[0: 101, 1: 340]])
    }

    @Test func `a target that never ran becomes its thread's vCPU once that runs`() {
        var trace = Trace()
        trace.createVM()
        run([(101, 0)], in: &trace)
        trace.accept(0x41, on: 1)
        run([(102, 1)], in: &trace)
        let seen = trace.outcome()
        #expect(seen.members == [[0: 101, 1: 102]])
        #expect(seen.vcpus.map(\.ledger[0x41].accepted.total) == [0, 1])
    }

    @Test func `an id that comes late is the vCPU's that the thread has been`() {
        var trace = Trace()
        // As kvm_page_fault up to 5.19: it names no vCPU.
        trace.emit(.pageFault(.init(address: 0x1000, errorCode: 1)))
        run([(101, 0)], in: &trace)
        let seen = trace.outcome()
        #expect(seen.vcpus.map(\.id) == [0])
        #expect(seen.vcpus.map(\.tid) == [101])
    }

    @Test func `one thread that runs two vCPUs in turn has two accounts`() {
        var trace = Trace()
        run([(101, 0), (101, 1), (101, 0)], in: &trace)
        let seen = trace.outcome()
        #expect(seen.vcpus.map(\.id) == [0, 1])
        #expect(seen.vcpus.map { $0.exits.total(.l1) } == [2, 1])
    }

    @Test func `a thread that creates a second VM leaves the first as it was`() {
        var trace = Trace()
        trace.createVM(by: .vcpu0)
        run([(101, 0)], in: &trace)
        // The first VM is destroyed without a trace; the second is created with APICv off.
        trace.inhibit(reason: 0, set: true, mask: 0x1)
        run([(101, 0)], in: &trace)
        let seen = trace.outcome()
        #expect(seen.vms.map(\.apicv.state) == [.active, .inhibited])
        #expect(seen.vms[0].apicv.intervals.map(\.mask) == [0x4, 0])
        #expect(seen.vcpus.map { $0.exits.total(.l1) } == [1, 1])
    }

    @Test func `a VMM that creates two VMs from one thread has two, each with its mask`() {
        var trace = Trace()
        trace.createVM()
        run([(101, 0)], in: &trace)
        trace.thread(.vmm)
        trace.inhibit(reason: 2, set: true, mask: 0x4)
        run([(102, 0)], in: &trace)
        #expect(trace.outcome().vms.map(\.apicv.current.mask) == [0, 0x4])
    }

    /// A VM created by a thread, and the vCPUs that ran after: whether they were seen to be that VM's.
    private func isCreated(by creator: Int32, _ threads: [(tid: Int32, vcpu: Int32)]) -> Bool {
        var trace = Trace()
        trace.createVM(by: thread(creator, vcpu: nil))
        run(threads, in: &trace)
        let seen = trace.outcome()
        return seen.vms.count == 1 && seen.vms[0].apicv.isSeenFromCreation
    }

    @Test func `thread ids wrap at the end of their range, small or large`() {
        for creator in [32_760, 30_720, 4_194_300] as [Int32] {
            let isIts = isCreated(by: creator, [(301, 0), (302, 1), (2048, 2)])
            #expect(isIts)
        }
    }

    @Test func `an id far from the end doesn't wrap, nor to one far from the beginning`() {
        for (creator, tid) in [(5000, 301), (30_719, 301), (32_760, 2049), (4_194_300, 40_000)] as [(Int32, Int32)] {
            let isIts = isCreated(by: creator, [(tid, 0)])
            #expect(!isIts)
        }
    }

    @Test func `a guest that is named may have been created in the trace`() {
        var trace = Trace()
        trace.info.guests = [GuestMap(name: "a", threads: [(0, 101)])]
        trace.createVM()
        run([(101, 0)], in: &trace)
        #expect(trace.outcome().vms[0].apicv.isSeenFromCreation)
        // Nobody else is that creator's.
        run([(140, 0)], in: &trace)
        #expect(trace.outcome().vms.map(\.apicv.isSeenFromCreation) == [true, false])
    }

    @Test func `a thread whose own creator is nearer is not another VM's, though its vCPU id is free there`() {
        var trace = Trace()
        trace.createVM(by: thread(100, vcpu: nil))
        run([(101, 0)], in: &trace)
        trace.createVM(by: thread(200, vcpu: nil))
        run([(202, 1)], in: &trace)
        #expect(trace.outcome().members == [[0: 101], [1: 202]])
    }

    @Test func `a thread older than the VM's creator is not that VM's`() {
        var trace = Trace()
        trace.createVM(by: thread(200, vcpu: nil))
        run([(201, 0), (103, 1)], in: &trace)
        #expect(trace.outcome().members == [[0: 201], [1: 103]])
    }

    @Test func `a VM created in the trace takes no thread that ran before, and gives none away`() {
        var taking = Trace()
        run([(1001, 0), (2002, 1)], in: &taking)
        taking.createVM(by: thread(2000, vcpu: nil))
        run([(2001, 0)], in: &taking)
        #expect(taking.outcome().members == [[0: 1001, 1: 2002], [0: 2001]])
        var giving = Trace()
        giving.createVM(by: thread(1000, vcpu: nil))
        run([(1001, 0), (2002, 1), (2001, 0)], in: &giving)
        #expect(giving.outcome().members == [[0: 1001, 1: 2002], [0: 2001]])
    }

    @Test func `an id that comes late and is taken makes another VM`() {
        var trace = Trace()
        run([(101, 0)], in: &trace)
        trace.thread(thread(102, vcpu: nil))
        trace.emit(.pageFault(.init(address: 0x1000, errorCode: 1)))
        run([(102, 0)], in: &trace)
        #expect(trace.outcome().members == [[0: 101], [0: 102]])
    }

    @Test(arguments: [false, true])
    func `what a vCPU was offered before its thread named it waits, unless that has taken it meanwhile`(_ isTaken: Bool)
    {
        var trace = Trace()
        run([(101, 0)], in: &trace)
        trace.accept(0x41, on: 1)
        trace.thread(thread(102, vcpu: nil, cpu: 1))
        trace.exitOfL2()
        if isTaken { trace.inject(0x41) }
        trace.thread(thread(102, vcpu: 1, cpu: 1))
        trace.enter()
        let account = trace.outcome().vcpus.first { $0.id == 1 && $0.tid == 102 }?.ledger[0x41]
        #expect(account?.accepted.total == 1)
        #expect((account?.pending == nil) == isTaken)
    }

    @Test func `once hardware delivers to L1, it may have delivered that too`() {
        var trace = Trace()
        run([(101, 0)], in: &trace)
        // IRQWIN: nothing is silent up to here.
        trace.inhibit(reason: 7, set: true, mask: 0x80)
        trace.accept(0x41, on: 1)
        trace.thread(thread(102, vcpu: nil, cpu: 1))
        trace.exitOfL1()
        trace.thread(thread(102, vcpu: 1, cpu: 1))
        trace.enter()
        func isSilent() -> Bool? {
            trace.outcome().vcpus.first { $0.id == 1 && $0.tid == 102 }?.ledger[0x41].pending?.maybeSilent
        }
        #expect(isSilent() == false)
        trace.inhibit(reason: 7, set: false, mask: 0)
        trace.exitOfL1()
        trace.enter()
        #expect(isSilent() == true)
    }

    @Test func `while another VM is being created the one that runs is not the only one`() {
        var trace = Trace()
        trace.createVM()
        run([(101, 0)], in: &trace)
        trace.createVM(by: thread(200, vcpu: nil))
        trace.thread(thread(7, vcpu: nil))
        trace.accept(0x41, on: 0)
        #expect(trace.outcome()[0x41].isUntouched)
        #expect(trace.outcome().unattributed == 1)
    }

    @Test func `a vCPU's thread that clears an inhibit creates nothing`() {
        var trace = Trace()
        trace.createVM()
        run([(101, 0)], in: &trace)
        trace.inhibit(reason: 0, set: false, mask: 1)
        run([(101, 0)], in: &trace)
        #expect(trace.outcome().vms.count == 1)
    }

    @Test func `inhibit changes made before the first vCPU runs are its VM's`() {
        var trace = Trace()
        trace.createVM()
        run([(101, 0)], in: &trace)
        let apicv = trace.outcome().vms[0].apicv
        #expect(apicv.intervals.map(\.state) == [.inhibited, .active])
        #expect(apicv.intervals.map(\.setBy) == [100, 100])
    }

    @Test func `what a stranger does is nobody's where there are two VMs`() {
        var trace = Trace()
        run([(1001, 0), (2001, 0)], in: &trace)
        trace.thread(thread(7, vcpu: nil))
        trace.accept(0x41, on: 0)
        trace.inhibit(reason: 3, set: true, mask: 0x8)
        let seen = trace.outcome()
        #expect(seen.unattributed == 1)
        #expect(seen.vcpus.allSatisfy { $0.ledger[0x41].accepted.total == 0 })
        #expect(seen.vms.allSatisfy { $0.apicv.state == .unknown })
    }

    @Test func `what a stranger does is the VM's where there is one`() {
        var trace = Trace()
        run([(101, 0)], in: &trace)
        trace.thread(thread(7, vcpu: nil))
        trace.accept(0x41, on: 0)
        #expect(trace.outcome()[0x41].accepted.total == 1)
    }

    @Test func `which of two VMs a thread created is a guess where both came before their vCPUs: so are its inhibits`()
    {
        for isGuess in [true, false] {
            var trace = Trace()
            trace.createVM(by: thread(100, vcpu: nil))
            if isGuess { trace.createVM(by: thread(103, vcpu: nil)) }
            run([(105, 0)], in: &trace)
            trace.thread(thread(isGuess ? 103 : 100, vcpu: nil, cpu: 3))
            trace.inhibit(reason: 1, set: true, mask: 0x2)
            run([(105, 0)], in: &trace)
            #expect(trace.outcome().vms.first?.apicv.state == (isGuess ? .unknown : .inhibited))
        }
    }

    @Test func `DISABLED is the host's, whichever VM's it was`() {
        var trace = Trace()
        for creator in [100, 103] as [Int32] {
            trace.thread(thread(creator, vcpu: nil))
            trace.inhibit(reason: 0, set: true, mask: 0x1)
        }
        run([(105, 0)], in: &trace)
        #expect(trace.outcome().vms.first?.apicv.state == .inhibited)
    }
}
