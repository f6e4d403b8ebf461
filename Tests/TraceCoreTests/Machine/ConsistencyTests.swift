// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Which tracepoints were on, by the events themselves: a format in the file says only that the kernel has the event.
@Suite struct ConsistencyTests {
    private func off(_ trace: Trace) -> EventKindSet { machine(trace).off }

    private func filtered(_ trace: Trace) -> EventKindSet { machine(trace).filtered }

    private func machine(_ trace: Trace) -> (off: EventKindSet, filtered: EventKindSet) {
        var analysis = Analysis(info: trace.info)
        trace.feed(&analysis)
        return (analysis.machine.offKinds, analysis.machine.filteredKinds)
    }

    /// So many times, with or without what else belongs to it.
    private func trace(_ times: Int, _ what: (inout Trace) -> Void) -> Trace {
        var trace = Trace()
        for _ in 0..<times { what(&trace) }
        return trace
    }

    @Test func `a nested guest with all its events: nothing was off, and nothing filtered`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        for _ in 0..<40 {
            trace.deliver(0x41)
            trace.endDirectly(0x41)
            trace.visitL1()
            trace.endHooked()
        }
        #expect(off(trace) == [])
        #expect(filtered(trace) == [])
        #expect(trace.outcome().doubts.allSatisfy { !$0.text.contains("filter") })
    }

    /// Injections of one vector are recorded, those of another are not.
    private func injectionsOfOneVector(seen: Int, unseen: Int, isWaiting: Bool = true) -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        for _ in 0..<seen {
            trace.deliver(0xec)
            trace.endHooked()
        }
        for _ in 0..<unseen {
            trace.exitOfL2()
            if isWaiting { trace.accept(0x41) }
            trace.enter()
            trace.endHooked()
        }
        return trace
    }

    @Test(arguments: [(17, true), (16, false)])
    func `a filter on the vector of kvm_inj_virq: L2 ends what waited, and nobody saw it injected`(
        _ unseen: Int, _ isFiltered: Bool
    ) {
        #expect(filtered(injectionsOfOneVector(seen: 20, unseen: unseen)).contains(.injVIRQ) == isFiltered)
    }

    @Test func `few of many may have come by other ways, and an EOI of nothing is no sign`() {
        #expect(!filtered(injectionsOfOneVector(seen: 160, unseen: 20)).contains(.injVIRQ))
        #expect(filtered(injectionsOfOneVector(seen: 159, unseen: 20)).contains(.injVIRQ))
        #expect(!filtered(injectionsOfOneVector(seen: 20, unseen: 20, isWaiting: false)).contains(.injVIRQ))
    }

    @Test func `with injections filtered a long wait is a hazard at most`() {
        var trace = injectionsOfOneVector(seen: 20, unseen: 20)
        for _ in 0..<20 {
            trace.accept(0x41)
            trace.runL2(entries: 20, over: 150)
        }
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
    }

    // MARK: Off

    @Test(arguments: [(1, false), (2, true)]) func `two exits and no entry`(_ times: Int, _ isOff: Bool) {
        #expect(off(trace(times) { $0.exitOfL1() }).contains(.entry) == isOff)
    }

    @Test(arguments: [(1, false), (2, true)]) func `two entries and no exit`(_ times: Int, _ isOff: Bool) {
        #expect(off(trace(times) { $0.enter() }).contains(.exit) == isOff)
    }

    @Test(arguments: [(1, false), (2, true)]) func `two nested exits outside of any exit`(_ times: Int, _ isOff: Bool) {
        let trace = trace(times) { $0.emit(.nestedVMExit(.init(reason: 10, vcpu: 0))) }
        #expect(off(trace).contains(.exit) == isOff)
    }

    @Test(arguments: [(1, false), (2, true)]) func `two EOIs outside of any exit, of a vCPU that is known to be VMX's`(
        _ times: Int, _ isOff: Bool
    ) {
        func after(_ isa: ISA) -> EventKindSet {
            var trace = LiveTrace(isa: isa)
            trace.state()
            for _ in 0..<times { trace.emit(.eoi(.init(vcpu: 0, vector: 0x41))) }
            return trace.analysis.machine.offKinds
        }
        #expect(after(.vmx).contains(.exit) == isOff)
        #expect(!after(.svm).contains(.exit))
    }

    @Test func `L1 resumes L2 and no kvm_nested_vmenter follows, on a kernel that has it`() {
        var trace = Trace()
        trace.exitOfL1(.vmresume)
        trace.enter()
        #expect(off(trace).contains(.nestedVMEnter))
        trace.info.eventsSelected = ["kvm_exit", "kvm_nested_vmenter"]
        #expect(off(trace).contains(.nestedVMEnter))
        // Up to 5.19 VMX has no event for it.
        trace.info.eventsSelected = ["kvm_exit", "kvm_nested_vmrun"]
        #expect(!off(trace).contains(.nestedVMEnter))
    }

    @Test func `an exit of an L2 that was resumed, and no kvm_nested_vmexit ever`() {
        var trace = Trace()
        trace.resumeL2()
        #expect(!off(trace).contains(.nestedVMExit))
        trace.exitOfL1(Trace.cpuid)
        trace.enter()
        #expect(off(trace).contains(.nestedVMExit))
    }

    @Test(arguments: [(1, false), (2, true)]) func `after two of those the level of an exit is not presumed`(
        _ times: Int, _ isUnknown: Bool
    ) {
        var trace = trace(times) {
            $0.resumeL2()
            $0.exitOfL1(Trace.cpuid)
            $0.enter()
        }
        trace.exitOfL1(.hlt)
        #expect(trace.outcome().vcpus[0].exits[isUnknown ? .unknown : .l1, .hlt] == 1)
    }

    @Test func `an exit that is handed to L1 has a kvm_nested_vmexit before it`() {
        var trace = Trace()
        trace.exitOfL1()
        trace.forward(Trace.vmcall)
        #expect(off(trace).contains(.nestedVMExit))
    }

    @Test(arguments: [(2, false), (3, true)]) func `L1 resumes L2 again, and nothing says how it came to run`(
        _ times: Int, _ isOff: Bool
    ) {
        #expect(off(trace(times) { $0.resumeL2() }).contains(.nestedVMExitInject) == isOff)
    }

    @Test func `kvm_entry injects what no kvm_inj_virq reported of, unless an exit had interrupted its delivery`() {
        var trace = Trace()
        trace.resumeL2()
        trace.exitOfL2(info2: 0x8000_0041)
        trace.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0041)))
        #expect(!off(trace).contains(.injVIRQ))
        trace.exitOfL2()
        trace.emit(.entry(.init(vcpu: 0, intrInfo: 0x8000_0041)))
        #expect(off(trace).contains(.injVIRQ))
    }

    @Test func `what kvm_apicv_accept_irq tells, kvm_apic_accept_irq tells too`() {
        let trace = trace(1) { $0.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41))) }
        #expect(off(trace).contains(.apicAcceptIRQ))
    }

    @Test(arguments: [(1, false), (2, true)]) func `EPT violations without a page fault`(_ times: Int, _ isOff: Bool) {
        #expect(off(trace(times) { $0.exitOfL1(.eptViolation) }).contains(.pageFault) == isOff)
    }

    @Test(arguments: [(1, false), (2, true)]) func `L1's MSR exits without a kvm_msr`(_ times: Int, _ isOff: Bool) {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        for _ in 0..<times {
            trace.exitOfL1(.msrWrite)
            trace.enter()
        }
        #expect(off(trace).contains(.msr) == isOff)
    }

    @Test func `L2's MSR exits may be L1's to handle`() {
        var trace = Trace()
        trace.resumeL2()
        for _ in 0..<4 {
            trace.exitOfL2(.msrRead)
            trace.enter()
        }
        #expect(!off(trace).contains(.msr))
    }

    @Test func `unless KVM ends an interrupt in one, which is its own to handle`() {
        var trace = Trace()
        trace.resumeL2()
        trace.exitOfL2(.msrWrite)
        trace.eoi(0x41)
        #expect(off(trace).contains(.msr))
    }

    @Test(arguments: [(ExitReason.eptMisconfig, true), (.msrWrite, false)])
    func `a register that KVM emulates in an EPT_MISCONFIG exit is an access to the page`(
        _ reason: ExitReason, _ isOff: Bool
    ) {
        var trace = Trace()
        trace.exitOfL1(reason)
        trace.emit(.apic(.init(isWrite: true, register: 0x80)))
        #expect(off(trace).contains(.mmio) == isOff)
    }

    @Test func `so is a hit of the page's MMIO SPTE, not of another's`() {
        func after(_ gfn: UInt64) -> EventKindSet {
            var trace = Trace()
            trace.exitOfL1(.eptMisconfig)
            trace.emit(.handleMMIOPageFault(.init(address: gfn << 12, gfn: gfn)))
            return off(trace)
        }
        #expect(after(0xfee00).contains(.mmio))
        #expect(!after(0xfed00).contains(.mmio))
    }

    @Test func `a write of EOI that KVM emulates ends something; hardware's needs no help, and a read is none`() {
        func after(_ reason: ExitReason, isWrite: Bool) -> EventKindSet {
            var trace = Trace()
            trace.exitOfL1(reason)
            trace.emit(.apic(.init(isWrite: isWrite, register: 0xb0)))
            return off(trace)
        }
        #expect(after(.eptMisconfig, isWrite: true).contains(.eoi))
        #expect(!after(.apicWrite, isWrite: true).contains(.eoi))
        #expect(!after(.eptMisconfig, isWrite: false).contains(.eoi))
    }

    @Test(arguments: [(1, false), (2, true)]) func `L2's EPT_MISCONFIG is emulated, and kvm_mmio tells of that`(
        _ times: Int, _ isOff: Bool
    ) {
        let unseen = trace(times) {
            $0.exitOfL2(.eptMisconfig)
            $0.enter()
        }
        #expect(off(unseen).contains(.mmio) == isOff)
        let handedOn = trace(times) {
            $0.exitOfL2(.eptMisconfig)
            $0.forward(.eptMisconfig)
            $0.enter()
            $0.resumeL2()
        }
        #expect(!off(handedOn).contains(.mmio))
        #expect(!off(trace(times) { $0.accessDirectly(0x80, write: true) }).contains(.mmio))
    }

    @Test func `a file that describes all the kernel has says nothing of what was on`() {
        var trace = trace(4) {
            $0.exitOfL1()
            $0.enter()
        }
        #expect(Analysis.recorded(trace) == trace.info.recordedKinds)
        trace.info.describesWholeKernel = true
        #expect(Analysis.recorded(trace) == EventKindSet(.entry, .exit))
        #expect(trace.outcome().verdict == .inconclusive)
    }

    @Test func `whoever says what was on is believed`() {
        var trace = trace(4) { $0.exitOfL1() }
        trace.info.knowsSelection = true
        #expect(off(trace) == [])
    }

    @Test func `where one was off the description is no selection: only records count`() throws {
        var trace = Trace()
        trace.info.eventsSelected = ["kvm_entry", "kvm_exit"]
        trace.emit(.apicvInhibitChanged(.init(reason: 2, set: false, inhibits: 0)))
        for _ in 0..<2 { trace.exitOfL1() }
        #expect(trace.outcome().report.source.eventsSelected == nil)
        #expect(Analysis.recorded(trace) == EventKindSet(.exit, .apicvInhibitChanged))
        trace.enter()
        #expect(trace.outcome().report.source.eventsSelected == ["kvm_entry", "kvm_exit"])
        #expect(Analysis.recorded(trace) == trace.info.recordedKinds)
    }

    // MARK: Filters

    /// A share of one in eight, and more than sixteen: paths of KVM's that skip an event are rarer.
    @Test(arguments: [(16, 0, false), (17, 0, true), (17, 134, true), (17, 135, false)])
    func `entries after entries: exits are filtered`(_ odd: Int, _ even: Int, _ isFiltered: Bool) {
        var trace = Trace()
        for _ in 0...even {
            trace.exitOfL1()
            trace.enter()
        }
        for _ in 0..<odd { trace.enter() }
        #expect(filtered(trace).contains(.exit) == isFiltered)
        #expect(trace.outcome().doubts.contains { $0.text.contains("filter") } == isFiltered)
    }

    @Test(arguments: [(16, 0, false), (17, 0, true), (17, 134, true), (17, 135, false)])
    func `exits after exits: entries are filtered`(_ odd: Int, _ even: Int, _ isFiltered: Bool) {
        var trace = Trace()
        for _ in 0...even {
            trace.enter()
            trace.exitOfL1()
        }
        for _ in 0..<odd { trace.exitOfL1() }
        #expect(filtered(trace).contains(.entry) == isFiltered)
    }

    @Test(arguments: [(16, 0, false), (17, 0, true), (17, 118, true), (17, 119, false)])
    func `nested exits outside of exits: exits are filtered`(_ odd: Int, _ even: Int, _ isFiltered: Bool) {
        var trace = Trace()
        trace.resumeL2()
        trace.runL2(entries: even)
        for _ in 0..<odd { trace.emit(.nestedVMExit(.init(reason: 10, vcpu: 0))) }
        #expect(filtered(trace).contains(.exit) == isFiltered)
    }

    @Test(arguments: [(16, 1, false), (17, 1, true), (17, 135, true), (17, 136, false)])
    func `exits of an L2 that was resumed, without their nested exits: those are filtered`(
        _ odd: Int, _ even: Int, _ isFiltered: Bool
    ) {
        var trace = Trace()
        trace.resumeL2()
        trace.runL2(entries: even)
        for _ in 0..<odd {
            trace.exitOfL1(Trace.cpuid)
            trace.enter()
            trace.resumeL2()
        }
        #expect(filtered(trace).contains(.nestedVMExit) == isFiltered)
    }

    @Test func `L2 is entered and no exit is VMLAUNCH or VMRESUME: those reasons are filtered`() {
        var trace = Trace()
        trace.exitOfL1(.hlt)
        trace.emit(.nestedVMEnter(.init()))
        trace.enter()
        trace.runL2(entries: 1)
        #expect(filtered(trace) == [])
        trace.runL2(entries: 1)
        #expect(filtered(trace).contains(.exit))
        trace.resumeL2()
        #expect(filtered(trace) == [])
    }

    @Test func `whoever says what was on says that nothing was filtered`() {
        var trace = Trace()
        trace.exitOfL1()
        for _ in 0..<40 { trace.enter() }
        trace.info.knowsSelection = true
        #expect(filtered(trace) == [])
    }

    @Test func `a trace may begin with an entry`() {
        var trace = Trace()
        trace.exitOfL1()
        for tid in Int32(201)...217 {
            trace.thread(.init(tid: tid, vcpu: tid, cpu: 0))
            trace.enter()
            trace.exitOfL1()
        }
        #expect(filtered(trace) == [])
    }
}

extension Analysis {
    /// The kinds of which a zero count may be trusted.
    fileprivate static func recorded(_ trace: Trace) -> EventKindSet {
        var analysis = Analysis(info: trace.info)
        trace.feed(&analysis)
        return analysis.machine.recordedKinds
    }
}
