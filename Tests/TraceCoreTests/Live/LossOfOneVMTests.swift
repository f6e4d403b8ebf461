// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Events that were lost and are known to have been one process's: its VMs isn't known clean, and all others can.
@Suite struct LossOfOneVMTests {
    private static let ofVM0 = "Events of VM 0 were lost while recording: what they held may be a finding."
    private static let ofAnybody = "Events were lost while recording: what they held may be a finding."
    private static let processes: [Int32] = [100, 200]

    /// A VM of each process, on threads of one CPU that take turns. Nothing is to be found in either.
    private func twoVMs() -> LiveTrace {
        var trace = LiveTrace()
        for process in Self.processes { run(&trace, process) }
        return trace
    }

    private func run(_ trace: inout LiveTrace, _ process: Int32) {
        trace.thread = EventStamp(time: 0, cpu: 0, tid: process + 1)
        trace.state(vm: UInt64(process), process: process, inhibits: 2, firstRun: true)
        trace.emit(.enter, .leave(.msrWrite))
    }

    /// The verdict where only one VM is asked for.
    private func verdict(_ process: Int32, _ make: () -> LiveTrace) -> Grade {
        make().report(Selection(vm: process)).verdict
    }

    @Test func `it makes that VM inconclusive, and not the other`() {
        func make() -> LiveTrace {
            var trace = twoVMs()
            trace.lose(5, of: 100)
            return trace
        }
        let report = make().report()
        #expect(report.verdict == .inconclusive)
        #expect(report.reasons == [Self.ofVM0])
        #expect(report.vms.map(\.eventsLost) == [5, nil])
        #expect((report.loss.known, report.loss.ofVMs, report.loss.gaps.map(\.process)) == (5, 5, [100]))
        #expect(verdict(100, make) == .inconclusive)
        #expect(verdict(200, make) == .clean)
    }

    @Test(arguments: [false, true]) func `one event more that was anybody's makes both inconclusive`(
        _ isInNoHole: Bool
    ) {
        func make() -> LiveTrace {
            var trace = twoVMs()
            trace.lose(5, of: 100)
            if isInNoHole { trace.totals.overrun = 6 } else { trace.lose(1, of: nil) }
            return trace
        }
        #expect(make().report().reasons == [Self.ofAnybody, Self.ofVM0])
        #expect(Self.processes.map { verdict($0, make) } == [.inconclusive, .inconclusive])
    }

    @Test func `only that VM's vCPUs forget what they did`() {
        var trace = twoVMs()
        trace.lose(5, of: 100)
        let vcpus = trace.analysis.machine.vcpus.elements
        #expect(vcpus.map(\.mode) == [.unknown, .l1])
        #expect(vcpus.map(\.bracket.isOpen) == [false, true])
        #expect(vcpus.map(\.ledger.gaps) == [1, 0])
        // It runs on another CPU than the one that is named.
        trace.thread.cpu = 3
        trace.lose(5, of: 200)
        #expect(trace.analysis.machine.vcpus.elements.map(\.ledger.gaps) == [1, 1])
    }

    @Test func `all VMs of the process may have lost them`() {
        var trace = twoVMs()
        trace.thread = EventStamp(time: 0, cpu: 1, tid: 103)
        trace.state(vm: 0x3000, process: 100, inhibits: 2)
        trace.lose(5, of: 100)
        #expect(trace.report().vms.map(\.eventsLost) == [5, nil, 5])
    }

    @Test(arguments: [false, true]) func `the thread that created a VM need not be its process's first`(
        _ isBefore: Bool
    ) {
        func make() -> LiveTrace {
            var trace = LiveTrace()
            if isBefore { trace.lose(5, of: 100) }
            trace.thread(101, of: 100)
            trace.emit(.enter)
            trace.state(process: 105, inhibits: 2)
            trace.thread(101, of: 100)
            run(&trace, 200)
            if !isBefore { trace.lose(5, of: 100) }
            return trace
        }
        #expect(make().report().reasons == [Self.ofVM0])
        #expect(make().report().vms.map(\.eventsLost) == [5, nil])
        // It is asked for by the one as by the other.
        for pid: Int32 in [100, 105] { #expect(make().report(Selection(vm: pid)).vms.map(\.id) == [0]) }
    }

    // MARK: VMs that come and go

    @Test func `what a process lost before its VM shows is that VM's`() {
        func make() -> LiveTrace {
            var trace = LiveTrace()
            trace.lose(3, of: 100)
            trace.after(ms: 500)
            trace.lose(4, of: 100)
            for process in Self.processes { run(&trace, process) }
            return trace
        }
        #expect(make().report().reasons == [Self.ofVM0])
        #expect(make().report().vms.map(\.eventsLost) == [7, nil])
        #expect(make().report().loss.ofVMs == 7)
        #expect(verdict(200, make) == .clean)
    }

    @Test(arguments: [false, true]) func `what a process lost that never shows a VM is anybody's`(_ ends: Bool) {
        func make() -> LiveTrace {
            var trace = twoVMs()
            trace.lose(3, of: 300)
            guard ends else { return trace }
            trace.thread = EventStamp(time: 0, cpu: 0, tid: 300)
            trace.end(process: 300)
            trace.after(ms: 10)
            // Another process with that id.
            run(&trace, 300)
            return trace
        }
        #expect(make().report().reasons == [Self.ofAnybody])
        #expect(make().report().loss.ofVMs == nil)
        #expect(Self.processes.map { verdict($0, make) } == [.inconclusive, .inconclusive])
    }

    @Test func `a VM that has ended keeps it, and the next one of that process id begins without`() {
        var trace = twoVMs()
        trace.thread = EventStamp(time: 0, cpu: 0, tid: 101)
        trace.lose(5, of: 100)
        trace.end(process: 100)
        trace.after(ms: 10)
        run(&trace, 100)
        let report = trace.report()
        #expect(report.reasons == [Self.ofVM0])
        #expect(report.vms.map(\.id) == [0, 1, 2])
        #expect(report.vms.map(\.eventsLost) == [5, nil, nil])
    }

    @Test func `one that begins before the gap ends may have lost some too`() {
        var trace = twoVMs()
        trace.thread = EventStamp(time: 0, cpu: 0, tid: 101)
        trace.lose(5, of: 100)
        trace.end(process: 100)
        run(&trace, 100)
        #expect(trace.report().vms.map(\.eventsLost) == [5, nil, 5])
    }

    @Test(arguments: [false, true])
    func `one that shows after the gap was there before it, unless it runs for the first time`(
        _ isFirstRun: Bool
    ) {
        var trace = twoVMs()
        trace.lose(5, of: 100)
        trace.after(ms: 10)
        for vcpu: Int32 in [0, 1] {
            trace.thread.tid = 110 + vcpu
            trace.state(vm: 0x3000, process: 100, vcpu: vcpu, inhibits: 2, firstRun: isFirstRun && vcpu == 0)
            trace.emit(.enter, .leave(.msrWrite))
        }
        let report = trace.report()
        #expect(report.vms.map(\.eventsLost) == [5, nil, isFirstRun ? nil : 5])
        #expect(report.loss.ofVMs == 5)
    }

    @Test func `all VMs that a process's threads ran may have lost them, whatever they run now`() {
        var trace = LiveTrace()
        // KVM names the thread that created them.
        for vm: UInt64 in [0x1000, 0x2000] {
            trace.thread(101, of: 100)
            trace.analysis.take(
                .fact(
                    .state(
                        VCPUState(
                            vm: vm, process: 101, vcpu: 0, inhibits: 2, isAPICvActive: false, isGuestMode: false,
                            hasLAPIC: true, vmx: nil))), at: EventStamp(time: trace.time, cpu: 0, tid: 101))
            trace.emit(.enter)
        }
        trace.lose(5, of: 100)
        #expect(trace.report().vms.map(\.eventsLost) == [5, 5])
    }

    @Test func `where no process is known every VM may have lost them`() {
        var trace = Trace()
        trace.createVM()
        trace.enter()
        trace.gap(cpu: 0, of: 100)
        let seen = trace.outcome()
        #expect(seen.report.vms.map(\.eventsLost) == [1])
        #expect(seen.doubts.map(\.text).contains(Self.ofAnybody))
    }

    @Test func `more processes than any host has are anybody's`() {
        var losses = ProcessLosses()
        for process in 1...Int32(ProcessLosses.capacity) + 1 {
            losses.add(1, of: process, now: 0, until: 10, isPlaced: true)
        }
        #expect(losses.hasUnplaced)
        losses = ProcessLosses()
        for process in 1...Int32(ProcessLosses.capacity) + 1 {
            losses.add(1, of: process, now: UInt64(process), until: UInt64(process), isPlaced: true)
            losses.ended(process)
        }
        #expect(!losses.hasUnplaced)
        #expect(losses.ofVMs == UInt64(ProcessLosses.capacity) + 1)
    }

    // MARK: What else asks for losses

    /// vCPU 0 of the process sends vCPU 7 of its VM an INIT and a SIPI. It was never seen to run.
    private func start(_ trace: inout LiveTrace, _ process: Int32) {
        trace.thread = EventStamp(time: 0, cpu: 0, tid: process + 1)
        trace.emit(
            .apicAcceptIRQ(.init(vcpu: 7, deliveryMode: 0x500, vector: 0)),
            .apicAcceptIRQ(.init(vcpu: 7, deliveryMode: 0x600, vector: 0x9a)))
    }

    @Test(arguments: [false, true]) func `that a vCPU never ran is reported of the VM that lost nothing`(_ ends: Bool) {
        var trace = twoVMs()
        for process in Self.processes { start(&trace, process) }
        trace.lose(5, of: 100)
        trace.after(ms: 500)
        for process in Self.processes {
            trace.thread = EventStamp(time: 0, cpu: 0, tid: process + 1)
            trace.emit(.enter, .leave(.msrWrite))
            if ends { trace.end(process: process) }
        }
        #expect(trace.report().observations.filter { $0.kind == .neverRan }.map(\.vm) == [1])
    }
}
