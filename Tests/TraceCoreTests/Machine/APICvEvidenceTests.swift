// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What the vCPUs do shows whether APICv is on, also against the inhibit events.
@Suite struct APICvEvidenceTests {
    private func timeline(_ trace: Trace) throws -> APICvTimeline {
        try #require(trace.outcome().vms.first).apicv
    }

    private func states(_ trace: Trace) throws -> [APICvTimeline.State] {
        try timeline(trace).intervals.map(\.state)
    }

    /// A vCPU that was there before the trace.
    private func running() -> Trace {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        return trace
    }

    /// L1's APIC accepted it, and KVM injects it into L1: hardware would have delivered it by itself.
    private func injectAccepted(_ trace: inout Trace) {
        trace.accept(0x41)
        trace.exitOfL1()
        trace.inject(0x41)
        trace.enter()
    }

    private func endByExit(_ trace: inout Trace, _ reason: ExitReason = .msrWrite) {
        trace.exitOfL1(reason)
        trace.eoi(0x41)
        if reason == .msrWrite { trace.emit(.msr(.init(isWrite: true, index: 0x80b, value: 0))) }
        trace.enter()
    }

    /// An exit of L2's on another vCPU: kvm_nested_vmexit is on, so that the others are L1's.
    private func tellLevels(_ trace: inout Trace) {
        trace.thread(.vcpu1)
        trace.exitOfL2()
        trace.enter()
        trace.thread(.vcpu0)
    }

    private func showActive(_ trace: inout Trace) {
        trace.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x51)))
    }

    // MARK: Off

    @Test(arguments: [ExitReason.msrWrite, .eptMisconfig, .eptViolation])
    func `one EOI of L1's that takes an exit says that APICv is off`(_ reason: ExitReason) throws {
        var trace = running()
        tellLevels(&trace)
        endByExit(&trace, reason)
        #expect(try states(trace) == [.inhibited])
        #expect(try timeline(trace).intervals[0].inferred)
    }

    @Test(arguments: [0x4000_0070, 0x6e0, 0x80a] as [UInt32])
    func `an EOI in the exit of another MSR, such as Hyper-V's, says nothing of the kind`(_ index: UInt32) throws {
        var trace = running()
        tellLevels(&trace)
        trace.exitOfL1(.msrWrite)
        trace.eoi(0x41)
        trace.emit(.msr(.init(isWrite: true, index: index, value: 0)))
        trace.enter()
        #expect(try timeline(trace).state != .inhibited)
        // Nor does a later access, in an exit that ended nothing.
        trace.exitOfL1(.msrWrite)
        trace.emit(.msr(.init(isWrite: true, index: 0x80b, value: 0)))
        trace.enter()
        #expect(try timeline(trace).state != .inhibited)
    }

    @Test(arguments: [ExitReason.apicAccess, .apicWrite, .eoiInduced, Trace.vmcall])
    func `an EOI that hardware reports, or that L1 owes, says nothing of the kind`(_ reason: ExitReason) throws {
        var trace = running()
        endByExit(&trace, reason)
        #expect(try timeline(trace).state != .inhibited)
    }

    @Test func `an EOI in an exit that is handed to L1 is not that exit's`() throws {
        var trace = running()
        trace.exitOfL1(.msrWrite)
        trace.forward(.msrWrite)
        trace.eoi(0x41)
        #expect(try states(trace) == [.unknown])
    }

    @Test(arguments: [(2, APICvTimeline.State.unknown), (3, .inhibited)])
    func `injections of accepted interrupts into L1 may be the PIC's, twice`(
        _ times: Int, _ state: APICvTimeline.State
    ) throws {
        var trace = running()
        tellLevels(&trace)
        for _ in 0..<times { injectAccepted(&trace) }
        #expect(try states(trace) == [state])
    }

    @Test func `injections of what the local APIC never accepted are the PIC's, however many`() throws {
        var trace = running()
        for _ in 0..<9 {
            trace.exitOfL1()
            trace.inject(0x30)
            trace.enter()
        }
        #expect(try states(trace) == [.unknown])
    }

    @Test func `signs that it was off before it was shown to be on don't add up with later ones`() throws {
        var trace = running()
        injectAccepted(&trace)
        showActive(&trace)
        trace.exitOfL1()
        trace.enter()
        for _ in 0..<2 { injectAccepted(&trace) }
        #expect(try states(trace) == [.unknown, .active])
        injectAccepted(&trace)
        #expect(try states(trace) == [.unknown, .active, .unknown])
    }

    @Test func `where nothing tells the levels apart it may be L2 that KVM injects into and ends for`() throws {
        var trace = running()
        trace.resumeL2()
        endByExit(&trace)
        #expect(try states(trace) == [.unknown])
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        endByExit(&trace)
        #expect(try states(trace) == [.inhibited])
    }

    @Test func `nor does one say what was at the start, where an L2 may have run before the trace`() throws {
        var trace = running()
        endByExit(&trace)
        #expect(try states(trace) == [.unknown])
        tellLevels(&trace)
        endByExit(&trace)
        #expect(try states(trace) == [.inhibited])
    }

    // MARK: Against each other

    @Test func `after a sign that it was off, evidence that it is on holds from there, not for the start`() throws {
        var trace = running()
        injectAccepted(&trace)
        showActive(&trace)
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.unknown, .active])
        #expect(apicv.initial == .unknown)
        // Nothing was recorded that it contradicts.
        #expect(apicv.contradictions == 0)
    }

    @Test func `APICv at work in a VM that is inhibited: the state is known, and the contradiction reported`() throws {
        var trace = running()
        trace.blockIRQ(true)
        trace.exitOfL1()
        trace.enter()
        showActive(&trace)
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.unknown, .inhibited, .active])
        #expect(apicv.intervals.last?.inferred == true)
        #expect(apicv.contradictions == 1)
    }

    @Test func `a vCPU carries an inhibit out at its next entry: before it APICv still works`() throws {
        var trace = running()
        trace.blockIRQ(true)
        showActive(&trace)
        let apicv = try timeline(trace)
        #expect(apicv.state == .inhibited)
        #expect(apicv.contradictions == 0)
    }

    @Test func `APICv off in a VM without an inhibit: nothing is known then, and the contradiction reported`() throws {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        endByExit(&trace)
        let apicv = try timeline(trace)
        #expect(apicv.intervals.map(\.state) == [.inhibited, .active, .unknown])
        #expect(apicv.contradictions == 1)
        showActive(&trace)
        #expect(try timeline(trace).state == .active)
        #expect(try timeline(trace).contradictions == 1)
    }

    @Test func `a vCPU that has not been entered since APICv came back still does without it`() throws {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        trace.blockIRQ(true)
        trace.blockIRQ(false)
        endByExit(&trace)
        #expect(try timeline(trace).state == .active)
        endByExit(&trace)
        #expect(try timeline(trace).state == .unknown)
    }

    @Test func `on SVM a change of each vCPU's own hides behind the VM's: nothing contradicts an inhibit`() throws {
        var trace = Trace()
        trace.createVM()
        for _ in 0..<2 {
            trace.exitOfL1(.svmINTR)
            trace.enter()
            trace.blockIRQ(true)
        }
        trace.exitOfL1(.svmINTR)
        trace.enter()
        showActive(&trace)
        #expect(try timeline(trace).state == .inhibited)
        #expect(try timeline(trace).contradictions == 0)
    }

    @Test func `contradicted evidence doesn't say what was on while nothing was known`() {
        var trace = running()
        trace.resumeL2()
        showActive(&trace)
        trace.visitL1()
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        endByExit(&trace)
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        showActive(&trace)
        let seen = trace.outcome()
        #expect(seen.vcpus[0].accessesDirect.whileUnknown.reads == 1)
        #expect(seen.vcpus[0].accessesDirect.whileActive.isEmpty)
        #expect(seen.doubts.contains { $0.text.contains("contradicts") })
        #expect(seen.doubts.contains { $0.text.contains("when L2 reached L1's APIC") })
    }

    /// A VM whose creation was seen, but for the event that clears ABSENT.
    private func absent(isDisabled: Bool = false, isEntered: Bool = true) -> Trace {
        var trace = Trace()
        trace.thread(.vmm)
        trace.inhibit(reason: 2, set: true, mask: 0x4)
        if isDisabled { trace.inhibit(reason: 0, set: true, mask: 0x5) }
        trace.thread(.vcpu0)
        if isEntered { trace.exitOfL1() } else { trace.emit(.exit(.init(reason: 18, isa: 1, vcpu: 0))) }
        return trace
    }

    @Test func `a local APIC that does something is not absent: the event that said so is missing`() throws {
        for show in [
            { $0.accept(0x41) }, { $0.eoi(0x41) }, { $0.emit(.apic(.init(isWrite: true, register: 0x80))) },
        ] as [(inout Trace) -> Void] {
            var trace = absent()
            trace.enter()
            trace.exitOfL1()
            show(&trace)
            #expect(try states(trace) == [.inhibited, .unknown])
            #expect(try timeline(trace).contradictions == 1)
        }
    }

    @Test func `a vCPU that has not been entered since may do so still; with other inhibits it says nothing`() throws {
        var early = absent(isEntered: false)
        early.accept(0x41)
        #expect(try states(early) == [.inhibited])
        var disabled = absent(isDisabled: true)
        disabled.enter()
        disabled.exitOfL1()
        disabled.accept(0x41)
        #expect(try states(disabled) == [.inhibited, .inhibited])
    }

    // MARK: Masks that live tracing reads

    @Test func `where no event tells of changes every reading counts, as on 5_10 to 5_17`() {
        var trace = LiveTrace(without: EventKindSet(.apicvInhibitChanged))
        for mask in [0, 8, 8, 0] as [UInt64] { trace.state(inhibits: mask) }
        #expect(trace.report().vms[0].apicv.map(\.mask) == ["0x0", "0x8", "0x0"])
    }
}
