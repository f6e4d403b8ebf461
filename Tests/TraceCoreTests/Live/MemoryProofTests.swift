// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct MemoryProofTests {
    // MARK: C1

    @Test func `C1: a vector between a stale VPPR and the right one is blocked: confirmed`() throws {
        var trace = LiveTrace()
        trace.state()
        trace.words(.l1Exit, irr: [0x41], ppr: 0x50)
        #expect(trace.findings == [])
        trace.words(.l1Exit, irr: [0x41], ppr: 0x50)
        let finding = try #require(trace.findings.first)
        #expect((finding.rule, finding.grade, finding.vectors) == (.staleSVI, .confirmed, [0x41]))
        #expect(
            finding.statement
                == "L1 ran with a wrong SVI at 2 exits: VPPR is 0x50 where 0x00 is right, which blocks 0x41.")
        #expect(
            finding.evidence.entries.map(\.text) == [
                "end of a run of L1: vIRR 0x41, vISR none, VTPR 0x00, VPPR 0x50",
                "the next one: vIRR 0x41, vISR none, VTPR 0x00, VPPR 0x50; VPPR is 0x50 where 0x00 is right, "
                    + "which blocks 0x41",
            ])
        #expect(finding.evidence.entries.allSatisfy { $0.event == "kvm_exit" })
    }

    @Test func `C1: a vector in service that the CPU doesn't know of is confirmed too`() {
        var trace = LiveTrace()
        trace.state()
        for _ in 0..<3 { trace.words(.l1Exit, isr: [0x51], ppr: 0) }
        #expect(trace.findings.map(\.grade) == [.confirmed])
        #expect(trace.findings.first?.stuck == [0x51])
        #expect(trace.findings.first?.vectors == [])
        #expect(trace.findings.first?.count == 2)
    }

    @Test(arguments: [(0x5f, [0x5f]), (0x60, [])] as [(UInt8, [UInt8])])
    func `C1: what outranks both priorities is delivered whatever SVI is, and not lost`(
        _ requested: UInt8, _ lost: [UInt8]
    ) {
        var trace = LiveTrace()
        trace.state()
        for _ in 0..<2 { trace.words(.l1Exit, irr: [requested], isr: [0x51], ppr: 0) }
        #expect(trace.findings.map(\.grade) == [.confirmed])
        #expect(trace.findings.map(\.vectors) == [lost])
        #expect(trace.findings.map(\.stuck) == [[0x51]])
    }

    @Test func `C1: a wrong VPPR that holds nothing back is a hazard`() {
        var trace = LiveTrace()
        trace.state()
        for _ in 0..<2 { trace.words(.l1Exit, ppr: 0x50) }
        #expect(trace.findings.map(\.grade) == [.hazard])
        for _ in 0..<2 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
        #expect(trace.findings.map(\.grade) == [.confirmed])
    }

    @Test func `C1: one exit, a sound one in between, a gap or another mask prove nothing`() {
        var trace = LiveTrace()
        trace.state()
        trace.words(.l1Exit, irr: [0x41], ppr: 0x50)
        trace.words(.l1Exit, irr: [0x41], ppr: 0)
        trace.words(.l1Exit, irr: [0x41], ppr: 0x50)
        trace.lost()
        trace.words(.l1Exit, irr: [0x41], ppr: 0x50)
        trace.emit(.apicvInhibitChanged(.init(reason: 3, set: true, inhibits: 8)))
        trace.emit(.apicvInhibitChanged(.init(reason: 3, set: false, inhibits: 0)))
        trace.words(.l1Exit, irr: [0x41], ppr: 0x50)
        #expect(trace.findings == [])
    }

    @Test func `C1 is not judged with APICv off or on SVM`() {
        var inhibited = LiveTrace()
        inhibited.state(inhibits: 8)
        var svm = LiveTrace(isa: .svm)
        svm.state()
        for _ in 0..<2 {
            inhibited.words(.l1Exit, irr: [0x41], ppr: 0x50)
            svm.words(.l1Exit, irr: [0x41], ppr: 0x50)
        }
        #expect(inhibited.findings == [])
        #expect(svm.findings == [])
    }

    private func cross(_ trace: inout LiveTrace) {
        // L1 injects nothing, KVM injects 0x51 into L2, and L2's EOI of it is L1's to write.
        trace.emit(.leave(.vmresume), .nestedVMEnter(.init()), .enter)
        trace.emit(.leave(.externalInterrupt), .nested(.externalInterrupt), .injVIRQ(.init(vector: 0x51)), .enter)
        trace.emit(.leave(.eptViolation), .nested(.eptViolation))
        trace.emit(.pageFault(.init(vcpu: 0, address: 0xfee0_00b0, errorCode: 2)))
        trace.emit(.nestedVMExitInject(.init(exitCode: 48)), .enter)
        trace.emit(.leave(.vmresume), .nestedVMEnter(.init()), .enter)
    }

    @Test func `C1 and the crossing before it are one finding`() throws {
        var trace = LiveTrace()
        trace.state()
        cross(&trace)
        #expect(trace.findings.map(\.grade) == [.hazard])
        for _ in 0..<2 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
        #expect(trace.findings.map(\.grade) == [.confirmed])
        let finding = try #require(trace.findings.first)
        #expect(finding.vectors == [0x41])
        #expect(finding.crossings.map(\.vector) == [0x51])
        #expect(finding.limits == [])
    }

    @Test func `C1 beside a fix that types tell of keeps the crossing, and doesn't advise to install what is there`()
        throws
    {
        func finding(_ state: FixState.State) throws -> Report.Finding {
            var trace = LiveTrace(sviFix: FixState(state: state, basis: .btf, evidence: "a member"))
            trace.state()
            cross(&trace)
            for _ in 0..<2 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
            return try #require(trace.report().findings.first { $0.grade == .confirmed })
        }
        let (there, missing) = (try finding(.present), try finding(.absent))
        #expect(there.crossings.map(\.vector) == ["0x51"])
        #expect(there.crossings == missing.crossings)
        #expect(there.limits.contains { $0.contains("the fix is broken") })
        #expect(there.advice.contains("has the fix, and it does not help here"))
        #expect(missing.advice.hasPrefix("Run a host kernel with"))
    }

    @Test func `C1: what is held back is a whole class; a vector in service below it is not stuck`() throws {
        var trace = LiveTrace()
        trace.state()
        for _ in 0..<2 { trace.words(.l1Exit, irr: [0x5f], isr: [0x31], ppr: 0x50) }
        #expect(trace.findings.map(\.grade) == [.confirmed])
        #expect(trace.findings.map(\.vectors) == [[0x5f]])
        #expect(trace.findings.map(\.stuck) == [[]])
    }

    @Test func `C1: all exits are counted, and the first pair is shown`() throws {
        var trace = LiveTrace()
        trace.state()
        for _ in 0..<5 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
        let finding = try #require(trace.findings.first)
        #expect(finding.count == 4)
        #expect(finding.statement.contains("at 5 exits"))
        #expect(finding.evidence.total == 2)
    }

    @Test
    func `C1: words outside of the window that is asked for prove nothing, those in it need no event beside them`() {
        // The state comes at 1 us, the words at 2, 3, 4 and 5.
        func found(_ window: ClosedRange<UInt64>) -> Bool {
            var trace = LiveTrace(window: window)
            trace.state()
            for _ in 0..<4 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
            return !trace.findings.isEmpty
        }
        #expect(found(0...3000))
        #expect(!found(0...2999))
        #expect(found(4000...5000))
        #expect(!found(5000...9000))
    }

    @Test func `C1: what is requested no more was late, as far as nothing else took it away`() {
        func statement(_ between: (inout LiveTrace) -> Void) -> String? {
            var trace = LiveTrace()
            trace.state()
            for _ in 0..<2 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
            trace.after(ms: 400)
            between(&trace)
            trace.words(.l1Exit)
            return trace.findings.first?.statement
        }
        #expect(statement { _ in }?.contains("It came late: 0x41 was requested for 400.0 ms more.") == true)
        #expect(statement { $0.lost() }?.contains("late") == false)
        #expect(statement { $0.words(.l1Exit, irr: [0x41], ppr: 0x50) }?.contains("late") == true)
    }

    @Test func `C1 says what it can't claim`() {
        var trace = LiveTrace(sviFix: FixState(state: .present, basis: .btf, evidence: "a member"))
        trace.state()
        for _ in 0..<2 { trace.words(.l1Exit, ppr: 0x50) }
        #expect(trace.findings.map(\.limits.count) == [2])
        #expect(trace.findings.first?.limits.first?.text.contains("No interrupt was seen to be held back") == true)
        #expect(trace.findings.first?.limits.last?.text.contains("the fix is broken") == true)
        for _ in 0..<2 { trace.words(.l1Exit, irr: [0x41], ppr: 0x50) }
        #expect(trace.findings.map(\.limits.count) == [1])
    }

    /// Words read at every exit, of a vCPU whose VMX controls can't be read.
    private func readAtEachExit(hasNested: Bool = false, isActive: Bool = true) -> [Grade] {
        var trace = LiveTrace()
        trace.state(guestMode: hasNested)
        trace.analysis.state(
            VCPUState(
                vm: 0x1000, process: 100, vcpu: 0, inhibits: 0, isAPICvActive: isActive, isGuestMode: false,
                hasLAPIC: true, vmx: nil), at: EventStamp(time: trace.time, cpu: 0, tid: 101))
        for _ in 0..<2 { trace.words(.exit, irr: [0x41], ppr: 0x50) }
        return trace.findings.map(\.grade)
    }

    @Test func `C1: each exit is L1's on a vCPU that has run no L2, while it uses APICv itself`() {
        #expect(readAtEachExit() == [.confirmed])
        #expect(readAtEachExit(hasNested: true) == [])
        #expect(readAtEachExit(isActive: false) == [])
    }

    // MARK: C2

    private func enterL2(
        _ trace: inout LiveTrace, _ pending: LAPICReading.Pending = [], irr: [UInt8] = [0x41], isr: [UInt8] = [],
        intrInfo: UInt32 = 0
    ) {
        trace.words(.l2Entry(pending), irr: irr, isr: isr)
        trace.emit(.entry(.init(vcpu: 0, intrInfo: intrInfo)))
        trace.emit(.leave(.msrRead), .nested(.msrRead))
    }

    @Test func `C2: deliverable at two entries of L2 and nothing done: confirmed`() throws {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        enterL2(&trace)
        #expect(trace.findings == [])
        enterL2(&trace)
        let finding = try #require(trace.findings.first)
        #expect((finding.rule, finding.grade, finding.vectors) == (.lostAccept, .confirmed, [0x41]))
        #expect(finding.evidence.entries.map(\.event) == ["kvm_entry", "kvm_entry"])
        #expect(
            finding.evidence.entries.last?.text
                == "and again: vIRR 0x41, vISR none, VTPR 0x00, VPPR 0x00; 0x41 outranks 0x00, and no window is asked for"
        )
    }

    @Test(arguments: [
        LAPICReading.Pending.request, .immediateExit, .nestedRun, .blockIRQ, .interruptWindow,
    ])
    func `C2: what KVM is about to do, or holds back on purpose, is no fault`(pending: LAPICReading.Pending) {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        for _ in 0..<3 { enterL2(&trace, pending) }
        #expect(trace.findings == [])
    }

    @Test func `C2: an injection, a masked vector and L1 in between end the wait`() {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        enterL2(&trace)
        enterL2(&trace, intrInfo: 0x8000_0041)
        enterL2(&trace, isr: [0x51])
        enterL2(&trace)
        trace.emit(.nestedVMExitInject(.init(exitCode: 10)), .enter, .leave(.vmresume), .nestedVMEnter(.init()))
        enterL2(&trace)
        #expect(trace.findings == [])
    }

    @Test func `C2: before 6.14 the injection's own event tells`() {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        for _ in 0..<3 {
            trace.emit(.injVIRQ(.init(vector: 0x61)))
            trace.words(.l2Entry([]), irr: [0x41])
            trace.emit(.enter, .leave(.msrRead), .nested(.msrRead))
        }
        #expect(trace.findings == [])
    }

    @Test func `C2: an L2 that has interrupts off waits rightly`() {
        var off = LiveTrace()
        off.state(guestMode: true)
        var on = LiveTrace()
        on.state(guestMode: true)
        for _ in 0..<3 {
            off.words(.l2Entry([]), irr: [0x41], interruptFlag: false)
            on.words(.l2Entry([]), irr: [0x41], interruptFlag: true)
            off.emit(.enter, .leave(.msrRead), .nested(.msrRead))
            on.emit(.enter, .leave(.msrRead), .nested(.msrRead))
        }
        #expect(off.findings == [])
        #expect(on.findings.map(\.grade) == [.confirmed])
    }

    @Test func `C2: lost events and another mask in between prove nothing; another VM's mask takes nothing away`() {
        func found(_ between: (inout LiveTrace) -> Void) -> Bool {
            var trace = LiveTrace()
            trace.state(guestMode: true)
            enterL2(&trace)
            between(&trace)
            enterL2(&trace)
            return !trace.findings.isEmpty
        }
        #expect(found { _ in })
        #expect(!found { $0.lost() })
        #expect(!found { $0.emit(.apicvInhibitChanged(.init(reason: 7, set: true, inhibits: 0x80))) })
        let other = found {
            let thread = $0.thread
            $0.thread = EventStamp(time: 0, cpu: 1, tid: 201)
            $0.state(vm: 0x2000, process: 200)
            $0.emit(.apicvInhibitChanged(.init(reason: 7, set: true, inhibits: 0x80)))
            $0.thread = thread
        }
        #expect(other)
    }

    @Test func `C1 and C2 of one interrupt are one finding; C2 and C3 of two are one of lost-accept's`() {
        var one = LiveTrace()
        one.state()
        for _ in 0..<2 { one.words(.l1Exit, irr: [0x41], ppr: 0x50) }
        one.emit(.leave(.vmresume), .nestedVMEnter(.init()))
        for _ in 0..<2 { enterL2(&one) }
        #expect(one.findings.map(\.rule) == [.staleSVI])
        #expect(one.findings.map(\.symptoms) == [[.lostAccept]])
        var two = LiveTrace()
        two.state(guestMode: true)
        for _ in 0..<2 { enterL2(&two) }
        two.emit(.accept(0x51), .leave(.hlt), .nested(.hlt))
        two.after(ms: 101)
        two.tick()
        #expect(two.findings.map(\.rule) == [.lostAccept])
        #expect(two.findings.map(\.vectors) == [[0x41, 0x51]])
    }
}
