// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// VMs that end while the trace goes on: nothing of theirs is another's, and there is room for the next one for ever.
@Suite struct EndedVMTests {
    private let ipi = KVMEvent.apicIPI(.init(icrLow: 0x44041, destination: 0))

    /// A VM of one vCPU comes, sends itself IPIs, and is gone. Ids and addresses are always the same.
    private func comeAndGo(_ trace: inout LiveTrace, ipis: Int = 1, inhibits: UInt64 = 2) {
        trace.state(inhibits: inhibits, firstRun: true)
        trace.emit(.enter)
        for _ in 0..<ipis { trace.emit(ipi) }
        trace.analysis.exits(4, Trace.cpuid, of: 101)
        trace.end(process: 100)
    }

    /// The VM that `comeAndGo` makes has its inhibits changed more often than is healthy.
    private func flap(_ trace: inout LiveTrace) {
        trace.state(inhibits: 0)
        for index in 0..<60 {
            trace.emit(.apicvInhibitChanged(.init(reason: 3, set: index % 2 == 0, inhibits: index % 2 == 0 ? 8 : 0)))
        }
        trace.end(process: 100)
    }

    @Test func `VMs of one process id and one address after each other are as many VMs`() {
        var trace = LiveTrace()
        for ipis in 1...5 { comeAndGo(&trace, ipis: ipis) }
        let report = trace.report()
        #expect(report.vms.map(\.id) == [0, 1, 2, 3, 4])
        #expect(report.vms.flatMap(\.vcpus).map(\.ipisSent) == [1, 2, 3, 4, 5])
        #expect(report.vms.flatMap(\.vcpus).map { $0.exits.l1.values.reduce(0, +) } == [4, 4, 4, 4, 4])
        #expect(report.endedVMs == nil)
    }

    @Test func `VMs that one thread runs after each other are as many VMs, where no end is reported`() {
        var trace = LiveTrace()
        for ipis in 1...5 {
            trace.state(firstRun: true)
            trace.emit(.enter)
            for _ in 0..<ipis { trace.emit(ipi) }
        }
        #expect(trace.report().vms.flatMap(\.vcpus).map(\.ipisSent) == [1, 2, 3, 4, 5])
    }

    /// Two vCPUs of one VM send an IPI each, on threads of their own.
    private func runTwoVCPUs(_ trace: inout LiveTrace, firstRun: Bool = false) {
        for (vcpu, tid): (Int32, Int32) in [(0, 101), (1, 102)] {
            trace.thread.tid = tid
            trace.state(vcpu: vcpu, inhibits: 1, firstRun: firstRun)
            trace.emit(ipi)
        }
    }

    private func createVM(_ trace: inout LiveTrace) {
        trace.emit(.apicvInhibitChanged(.init(reason: 0, set: true, inhibits: 1)))
    }

    @Test func `a VM that a thread makes at the address of the one before it is another one`() {
        var trace = LiveTrace()
        trace.thread(101, of: 100)
        for (ipis, vm): (Int, UInt64) in [(1, 0x1000), (2, 0x1000), (3, 0x2000), (4, 0x1000)] {
            createVM(&trace)
            trace.state(vm: vm, inhibits: 1)
            for _ in 0..<ipis { trace.emit(ipi) }
        }
        trace.end(process: 100)
        #expect(trace.report().vms.flatMap(\.vcpus).map(\.ipisSent) == [1, 2, 3, 4])
    }

    @Test func `a thread that goes back to its first VM goes on with it`() {
        var trace = LiveTrace()
        trace.thread(101, of: 100)
        for vm: UInt64 in [0x1000, 0x2000] {
            createVM(&trace)
            trace.state(vm: vm, inhibits: 1)
            trace.emit(ipi)
        }
        trace.state(vm: 0x1000, inhibits: 1)
        trace.emit(ipi)
        #expect(trace.report().vms.flatMap(\.vcpus).map(\.ipisSent) == [2, 1])
    }

    @Test func `a VM goes on where its thread made another one, since the other one's first run would be reported`() {
        var trace = LiveTrace()
        runTwoVCPUs(&trace, firstRun: true)
        trace.thread.tid = 101
        createVM(&trace)
        trace.state(inhibits: 1)
        trace.emit(ipi)
        trace.thread.tid = 103
        trace.state(vm: 0x2000, inhibits: 1, firstRun: true)
        trace.emit(ipi)
        trace.thread.tid = 102
        trace.emit(ipi)
        #expect(trace.report().vms.map { $0.vcpus.map(\.ipisSent) } == [[2, 2], [1]])
    }

    @Test(arguments: [false, true]) func `a VM that ran while its thread made another one goes on`(_ ran: Bool) {
        var trace = LiveTrace()
        runTwoVCPUs(&trace)
        trace.thread.tid = 101
        createVM(&trace)
        trace.thread.tid = 102
        if ran { trace.emit(ipi) }
        trace.thread.tid = 101
        trace.state(inhibits: 1)
        trace.emit(ipi)
        #expect(trace.report().vms.count == (ran ? 1 : 2))
    }

    @Test func `a VM goes on on its other threads while one of them makes another VM`() {
        var trace = LiveTrace()
        runTwoVCPUs(&trace)
        trace.thread.tid = 101
        createVM(&trace)
        trace.thread.tid = 102
        trace.state(vcpu: 1, inhibits: 3)
        trace.emit(ipi)
        #expect(trace.report().vms.count == 1)
    }

    /// A guest that the kernel emulates whole is never entered, and may have the address of the one before it.
    @Test
    func `VMs that one thread creates after each other are as many VMs, where nothing else tells of the next one`() {
        var trace = LiveTrace()
        trace.thread(101, of: 100)
        for ipis in 1...5 {
            trace.emit(.apicvInhibitChanged(.init(reason: 0, set: true, inhibits: 1)))
            for _ in 0..<ipis { trace.emit(ipi) }
            if ipis == 1 { trace.state(inhibits: 1) }
            trace.emit(.eoi(.init(vcpu: 0, vector: 0x41)))
        }
        trace.end(process: 100)
        let report = trace.report()
        #expect(report.vms.map(\.pid) == [100, 100, 100, 100, 100])
        #expect(report.vms.flatMap(\.vcpus).map(\.ipisSent) == [1, 2, 3, 4, 5])
    }

    @Test func `a vCPU that is reported once more is no other VM's`() {
        var trace = LiveTrace()
        trace.state(firstRun: true)
        trace.emit(.enter, ipi)
        trace.state()
        trace.emit(ipi)
        #expect(trace.report().vms.flatMap(\.vcpus).map(\.ipisSent) == [2])
    }

    @Test func `thousands of VMs take the places of a few hundred, and all they did is counted`() {
        var trace = LiveTrace()
        for _ in 0..<2000 { comeAndGo(&trace) }
        #expect(trace.analysis.machine.vms.count <= EndedVMs.mostQuiet + 2)
        #expect(trace.analysis.machine.vcpus.count <= EndedVMs.mostQuiet + 2)
        #expect(trace.analysis.machine.threads.threads.count <= 2)
        #expect(trace.analysis.machine.grouping.groups.count <= EndedVMs.mostQuiet + 2)
        let report = trace.report()
        #expect(report.verdict == .clean)
        #expect(report.vms.count == EndedVMs.mostQuiet)
        #expect(report.vms.last?.id == 1999)
        #expect(report.endedVMs?.vms == 2000 - EndedVMs.mostQuiet)
        #expect(report.endedVMs?.vcpus == 2000 - EndedVMs.mostQuiet)
        #expect(report.endedVMs?.ipisSent == UInt64(2000 - EndedVMs.mostQuiet))
        #expect(report.endedVMs?.exits.l1.values.reduce(0, +) == UInt64(4 * (2000 - EndedVMs.mostQuiet)))
        #expect(report.reasons.last == "\(2000 - EndedVMs.mostQuiet) VMs that ended: APICv was off all the time.")
    }

    @Test(arguments: [8, 9]) func `what is so of very many VMs is reported in one line`(count: Int) {
        var trace = LiveTrace()
        for _ in 0..<count { comeAndGo(&trace) }
        let reasons = trace.report().reasons
        #expect(reasons.count == (count == 9 ? 1 : 8))
        #expect(
            reasons[0]
                == (count == 9 ? "VM 0 and 8 others: APICv was off all the time." : "VM 0: APICv was off all the time.")
        )
    }

    @Test func `a finding stays its VM's, and is not that of who comes after it`() {
        var trace = LiveTrace()
        comeAndGo(&trace)
        flap(&trace)
        for _ in 0..<1000 { comeAndGo(&trace) }
        let report = trace.report()
        #expect(report.findings.map(\.rule) == [.inhibitFlapping])
        #expect(report.findings.map(\.vm) == [1])
        #expect(report.vms.contains { $0.id == 1 })
        #expect(!report.vms.contains { $0.id == 0 })
    }

    @Test func `beyond all room findings are counted, and the gravest grade stays the verdict`() {
        var trace = LiveTrace()
        let vcpus = EndedVMs.mostVCPUs / 8
        for _ in 0..<20 {
            for vcpu in 1..<Int32(vcpus) {
                trace.thread = EventStamp(time: 0, cpu: 0, tid: 101 + vcpu)
                trace.state(vcpu: vcpu)
            }
            trace.thread = EventStamp(time: 0, cpu: 0, tid: 101)
            flap(&trace)
        }
        let report = trace.report()
        // Eight that left something, and the eight latest.
        #expect(report.vms.count == 16)
        #expect(report.findings.count == 16)
        #expect(report.verdict == .exposed)
        #expect(report.endedVMs?.vms == 4)
        #expect(report.endedVMs?.vcpus == 4 * vcpus)
        #expect(
            report.limits.contains { $0.hasPrefix("4 VMs more ended and left something: 4 findings, exposed at most") })
    }

    @Test func `a number belongs to a VM's finding, not to its place`() {
        var trace = LiveTrace()
        var numbers = FindingNumbers()
        for round in 1...3000 {
            trace.state(inhibits: 2)
            let finding = RuleFinding(
                rule: .staleSVI, grade: .suspect, vm: trace.analysis.machine.vms.firstIndex { !$0.hasEnded } ?? 0,
                vcpu: 0, first: 0, last: 0, count: 1, statement: "")
            let first = numbers.markReported(finding, in: trace.analysis.machine)
            let again = numbers.markReported(finding, in: trace.analysis.machine)
            let number = numbers.number(of: finding, in: trace.analysis.machine)
            #expect(first && !again)
            #expect(number == round)
            trace.end(process: 100)
        }
        #expect(numbers.count <= 1024)
    }

    @Test func `a VM that was killed in a HLT with an interrupt pending is no sleeper`() {
        var trace = LiveTrace()
        trace.state()
        trace.emit(.enter, .leave(.hlt), .accept(0x41))
        trace.end(process: 100)
        trace.after(ms: 500)
        trace.tick()
        #expect(trace.findings.isEmpty)
        #expect(trace.analysis.unexplainedSleepers == [])
    }

    @Test func `a VM has ended when the last of its threads has`() {
        var trace = LiveTrace()
        trace.state(vcpu: 0)
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 102)
        trace.state(vcpu: 1)
        trace.end()
        #expect(!trace.analysis.machine.vms[0].hasEnded)
        trace.thread = EventStamp(time: 0, cpu: 0, tid: 101)
        trace.emit(ipi)
        trace.end()
        #expect(trace.analysis.machine.vms[0].hasEnded)
        // It was not so: what it does then is reported as another VM's, and nothing is lost.
        trace.state(vcpu: 0)
        trace.emit(ipi)
        #expect(trace.report().vms.map { $0.vcpus.reduce(0) { $0 + ($1.ipisSent ?? 0) } } == [1, 1])
    }

    @Test func `a name goes with its VM`() {
        var trace = LiveTrace()
        trace.analysis.command("first", of: 100)
        comeAndGo(&trace)
        trace.analysis.command("second", of: 100)
        comeAndGo(&trace)
        comeAndGo(&trace)
        #expect(trace.analysis.machine.commands.isEmpty)
        #expect(trace.report().vms.map(\.command) == ["first", "second", nil])
    }

    @Test func `a process that goes on without its first thread keeps its name`() {
        var trace = LiveTrace()
        trace.analysis.command("first", of: 100)
        trace.state()
        trace.emit(.enter, ipi)
        trace.thread.tid = 100
        trace.end()
        trace.thread.tid = 101
        trace.emit(ipi)
        #expect(trace.report().vms.map(\.command) == ["first"])
    }

    @Test func `where no end is reported those that were silent for longest leave, with a doubt`() {
        var trace = LiveTrace()
        for vm in 0..<300 as Range<Int32> {
            for vcpu in 0..<16 as Range<Int32> {
                trace.thread = EventStamp(time: 0, cpu: 0, tid: 1000 + 16 * vm + vcpu)
                trace.state(process: 1000 + vm, vcpu: vcpu, inhibits: 2)
                trace.emit(ipi)
            }
        }
        #expect(trace.analysis.machine.vcpus.count <= Machine.capacity)
        let report = trace.report()
        #expect(report.verdict == .inconclusive)
        #expect(report.reasons.contains { $0.hasPrefix("More than 4096 vCPUs are in the trace") })
        let listed = report.vms.flatMap(\.vcpus).reduce(0) { $0 + ($1.ipisSent ?? 0) }
        #expect(listed + (report.endedVMs?.ipisSent ?? 0) == 4800)
        #expect(report.vms.count + (report.endedVMs?.vms ?? 0) == 300)
    }

    @Test func `rows of threads that run no vCPU make room`() {
        var table = ThreadTable()
        for tid in 1...Int32(ThreadTable.capacity) {
            _ = table.switchThread(at: EventStamp(time: 0, cpu: tid & 7, tid: tid))
        }
        table.setVCPU(0, id: 0, vm: 0, ofThread: 0)
        let (row, _) = table.switchThread(at: EventStamp(time: 0, cpu: 0, tid: 1 << 20))
        #expect(row != nil)
        #expect(table.index(tid: 1) == 0)
        #expect(table.index(tid: 2) == nil)
        #expect(table.threads.count == ThreadTable.capacity)
    }

    @Test(arguments: ForgottenRule.allCases)
    private func `a rule forgets the vCPU whose place is another's`(_ rule: ForgottenRule) {
        var analysis = Analysis(info: rule.trace.info)
        rule.trace.feed(&analysis)
        #expect(analysis.findings.contains { $0.rule == rule.id })
        analysis.watchers.forget(vm: 0, vcpus: Array(analysis.machine.vcpus.indices))
        #expect(analysis.findings.isEmpty)
        let isWaiting = analysis.watchers.watchesEntries(of: 0)
        #expect(!isWaiting)
    }
}

/// A trace for each rule that it finds something in.
private enum ForgottenRule: CaseIterable {
    case direct, crossed, waits, stuck, flapping, sipi

    var id: RuleID {
        switch self {
        case .direct: .l2APICDirect
        case .crossed: .staleSVI
        case .waits: .lostAccept
        case .stuck: .stuckISR
        case .flapping: .inhibitFlapping
        case .sipi: .initSIPIRace
        }
    }

    var trace: Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        switch self {
        case .direct: trace.accessDirectly(0x80, write: true)
        case .crossed:
            trace = Trace.endedByL1(0x51)
            trace.accept(0x41)
            trace.runL2(entries: 10, over: 30)
        case .waits:
            trace.accept(0x41)
            trace.runL2(entries: 40, over: 3000)
        case .stuck:
            trace.deliver(0x61)
            trace.accessHooked(0xb0, write: true)
            trace.exitOfL1(.eoiInduced)
            // APICv is inhibited while it is reported: no stale-svi.
            trace.blockIRQ(true)
            trace.eoi(0)
        case .flapping: for index in 0..<60 { trace.blockIRQ(index.isMultiple(of: 2)) }
        case .sipi:
            trace.accept(0, mode: 0x500)
            trace.accept(0x9a, mode: 0x600)
            trace.exitOfL2(.externalInterrupt)
            trace.forward(.initSignal)
            trace.enter()
            trace.after(ms: 300)
            trace.exitOfL1()
        }
        return trace
    }
}
