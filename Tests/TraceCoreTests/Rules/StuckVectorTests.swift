// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Sign S3: L1's EOI ends something else than what KVM injected into L2. What it may rest on, and what it proves.
@Suite struct StuckVectorTests {
    private func goToL1(_ trace: inout Trace, _ reason: ExitReason = Trace.vmcall, intInfo: UInt32 = 0) {
        trace.exitOfL2(reason)
        trace.forward(reason, intInfo: intInfo)
        trace.enter()
    }

    /// L1's EOI, of which KVM is reported.
    private func end(_ vector: Int32, _ trace: inout Trace) {
        trace.exitOfL1(.eoiInduced)
        trace.eoi(vector)
        trace.enter()
    }

    private func stuck(_ trace: Trace) -> [UInt8] {
        trace.transitions().compactMap { if case .missedEOI(let stuck, _) = $0 { stuck } else { nil } }
    }

    // MARK: Vectors below 16, which nobody can have

    @Test func `SVI was nobody's: what is in service for certain is stuck, whomever L1 writes the EOI for`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        goToL1(&trace)
        end(0, &trace)
        #expect(stuck(trace) == [0x61])
    }

    @Test func `what may be the PIC's is stuck where L1 writes the EOI for L2`() {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        var own = trace
        goToL1(&own)
        end(0, &own)
        #expect(stuck(own) == [])
        trace.accessHooked(0xb0, write: true)
        end(0, &trace)
        #expect(stuck(trace) == [0x61])
    }

    // MARK: Other vectors, which may be L1's by right

    /// 0x61 was injected into L2, L1 writes an EOI for L2, and KVM is notified of 0x22's.
    private func told22(
        sure: Bool = true, hooked: Bool = true, before: (inout Trace) -> Void = { _ in },
        meanwhile: (inout Trace) -> Void = { _ in }
    ) -> [UInt8] {
        var trace = Trace.inL2()
        before(&trace)
        trace.exitOfL2()
        if sure { trace.accept(0x61) }
        trace.inject(0x61)
        trace.enter()
        if hooked { trace.accessHooked(0xb0, write: true) } else { goToL1(&trace) }
        meanwhile(&trace)
        end(0x22, &trace)
        return stuck(trace)
    }

    @Test func `0x22 was in service for nobody: 0x61 is stuck`() {
        #expect(told22() == [0x61])
    }

    @Test func `not if 0x61 may be the PIC's, or the EOI L1's own`() {
        #expect(told22(sure: false) == [])
        #expect(told22(hooked: false) == [])
    }

    @Test func `not if 0x22 waits to be taken by L1, or is in service itself`() {
        #expect(told22(meanwhile: { $0.accept(0x22) }) == [])
        #expect(told22(before: { $0.deliver(0x22) }) == [])
    }

    @Test func `not if 0x22 may have gone into service before the trace`() {
        var trace = Trace()
        trace.exitOfL1(.apicWrite, info1: 0xf0)
        trace.enter()
        trace.resumeL2()
        trace.deliver(0x61)
        trace.accessHooked(0xb0, write: true)
        end(0x22, &trace)
        #expect(stuck(trace) == [])
    }

    // MARK: What speaks against it later on

    /// 0x61 stays in service after its EOI, and KVM puts another interrupt into L2.
    private func stillStuck(after vector: UInt8, accepted: Bool) -> [UInt8]? {
        var trace = Trace.endedByL1(0x51)
        trace.deliver(0x61)
        trace.missEOI()
        trace.exitOfL2()
        if accepted { trace.accept(vector) }
        trace.inject(vector)
        trace.enter()
        return trace.outcome().finding(.staleSVI)?.stuck
    }

    @Test(arguments: [(0x5f, []), (0x6f, []), (0x70, [0x61])] as [(UInt8, [UInt8])])
    func `KVM picks by ISR: where it injects an interrupt nothing of its class or above is stuck`(
        _ vector: UInt8, _ stuck: [UInt8]
    ) {
        #expect(stillStuck(after: vector, accepted: true) ?? [] == stuck)
    }

    @Test func `the PIC's interrupt, which nobody accepted, asks no priority and shows nothing`() {
        #expect(stillStuck(after: 0x22, accepted: false) == [0x61])
    }

    // MARK: What is in service

    @Test func `what L1 itself took is L1's to end in its own order`() {
        var trace = Trace.inL2()
        trace.accept(0x61)
        goToL1(&trace, .externalInterrupt, intInfo: 0x8000_0061)
        end(0, &trace)
        #expect(stuck(trace) == [])
    }

    @Test func `what KVM injected stays in service while L1 runs, whichever event reported of it`() {
        for isToldByEntry in [false, true] {
            var trace = Trace.inL2()
            trace.exitOfL2()
            trace.accept(0x61)
            if !isToldByEntry { trace.inject(0x61) }
            trace.emit(.entry(.init(vcpu: 0, intrInfo: isToldByEntry ? 0x8000_0061 : 0)))
            trace.visitL1()
            goToL1(&trace)
            end(0, &trace)
            #expect(stuck(trace) == [0x61])
        }
    }

    @Test func `what L1 may have ended through an MSR is not known to be in service`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        goToL1(&trace, .msrWrite)
        trace.resumeL2()
        trace.accessHooked(0xb0, write: true)
        end(0, &trace)
        #expect(stuck(trace) == [])
    }

    @Test func `what L1's EOI should end is the highest for certain, not the PIC's above it`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.accessHooked(0xb0, write: true)
        end(0, &trace)
        #expect(stuck(trace) == [0x61])
    }

    // MARK: What waits behind it

    /// 0x61 is stuck after the crossing of 0x51.
    private func stuckAfterCrossing() -> Trace {
        var trace = Trace.endedByL1(0x51)
        trace.deliver(0x61)
        trace.missEOI()
        return trace
    }

    @Test func `a vector that is stuck holds nothing back by right: S1 counts, and both confirm it`() {
        var trace = stuckAfterCrossing()
        trace.accept(0x41)
        trace.runL2(entries: 4, over: 5)
        let finding = trace.outcome().finding(.staleSVI)
        #expect(finding?.grade == .confirmed)
        #expect(finding?.vectors == [0x41])
    }

    /// Live: the words of the APIC at exits, each so many milliseconds after the trace.
    private func judged(_ words: [(ms: UInt64, irr: [UInt8], isr: [UInt8])]) -> (grade: Grade?, vectors: [UInt8]?) {
        let trace = stuckAfterCrossing()
        var analysis = Analysis(info: trace.info)
        trace.feed(&analysis)
        for (ms, irr, isr) in words {
            analysis.lapic(
                LAPICReading(vcpu: 0, occasion: .exit, words: LAPICWords(irr: irr, isr: isr, tpr: 0, ppr: 0x60)),
                at: EventStamp(time: trace.time + ms * 1_000_000, cpu: 0, tid: 101))
        }
        let finding = analysis.findings.first { $0.rule == .staleSVI }
        return (finding?.grade, finding?.vectors)
    }

    @Test func `the APIC's words show what waits behind it for five milliseconds: confirmed`() {
        #expect(judged([(1, [0x41], [0x61]), (6, [0x41], [0x61])]) == (.confirmed, [0x41]))
        #expect(judged([(1, [0x41], [0x61]), (5, [0x41], [0x61])]) == (.suspect, []))
        // It holds back its whole class.
        #expect(judged([(1, [0x6f], [0x61]), (6, [0x6f], [0x61])]) == (.confirmed, [0x6f]))
        #expect(judged([(1, [0x70], [0x61]), (6, [0x70], [0x61])]) == (.suspect, []))
    }

    @Test(arguments: [(0x6f, Grade.confirmed, [0x6f]), (0x70, .suspect, [])] as [(UInt8, Grade, [UInt8])])
    func `what is stuck holds back its whole class, which confirms it where that is not injected`(
        _ vector: UInt8, _ grade: Grade, _ vectors: [UInt8]
    ) {
        var trace = Trace.endedByL1(0x51, tpr: nil)
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        trace.missEOI()
        trace.accept(vector)
        trace.runL2(entries: 4, over: 5)
        #expect(trace.outcome().grade(.staleSVI) == grade)
        #expect(trace.outcome().lostToStaleSVI == vectors)
    }

    @Test func `another vector, nothing that waits or nothing stuck in between starts it anew`() {
        #expect(judged([(1, [0x41], [0x61]), (3, [0x42], [0x61]), (7, [0x42], [0x61])]) == (.suspect, []))
        #expect(judged([(1, [0x41], [0x61]), (3, [], [0x61]), (7, [0x41], [0x61])]) == (.suspect, []))
        #expect(judged([(1, [0x41], [0x61]), (3, [0x41], []), (7, [0x41], [0x61])]) == (.suspect, []))
    }

    @Test func `what waits behind another one in service, which isn't stuck, waits by right`() {
        #expect(judged([(1, [0x41], [0x81]), (6, [0x41], [0x81])]) == (.suspect, []))
    }

    // MARK: EOIs of L1's that end nothing

    @Test func `after the PIC's interrupt L1's EOI may be for that one`() {
        var trace = Trace.inL2()
        trace.deliver(0x61)
        trace.accessHooked(0xb0, write: true)
        trace.exitOfL1()
        trace.inject(0x30)
        trace.enter()
        end(0, &trace)
        #expect(stuck(trace) == [])
    }

    @Test func `an L1 that ends what isn't there does so again`() {
        for isHabit in [false, true] {
            var trace = Trace.inL2()
            goToL1(&trace)
            if isHabit { end(0, &trace) }
            trace.resumeL2()
            trace.deliver(0x61)
            trace.accessHooked(0xb0, write: true)
            end(0, &trace)
            #expect(stuck(trace) == (isHabit ? [] : [0x61]))
        }
    }

    @Test func `what L1 ended before, unseen when it came, may be in service again`() {
        let seen = told22(before: { trace in
            goToL1(&trace)
            end(0x22, &trace)
            trace.resumeL2()
        })
        #expect(seen == [])
    }

    @Test(arguments: [(0.9, true), (1.1, false)])
    func `an EOI of the vector itself at once says that it wasn't missed`(_ ms: Double, _ isFree: Bool) {
        for crosses in [false, true] {
            var trace = crosses ? Trace.endedByL1(0x51) : Trace.inL2()
            trace.deliver(0x61)
            trace.accessHooked(0xb0, write: true)
            end(0, &trace)
            trace.after(ms: ms)
            trace.resumeL2()
            trace.endDirectly(0x61)
            let stuck = trace.outcome().findings.flatMap(\.stuck)
            #expect(stuck == (isFree ? [] : [0x61]))
        }
    }

    @Test func `only what is stuck first, and in the way, makes a wait a proof`() {
        func grade(_ vector: UInt8, before: Bool = false) -> Grade? {
            var trace = Trace.endedByL1(0x81)
            trace.deliver(0x61)
            if before {
                trace.accept(vector)
                trace.runL2(entries: 10, over: 10)
            }
            trace.missEOI()
            if !before {
                trace.accept(vector)
                trace.runL2(entries: 10, over: 10)
            }
            return trace.outcome().grade(.staleSVI)
        }
        #expect(grade(0x41) == .confirmed)
        #expect(grade(0x71) == .suspect)
        #expect(grade(0x71, before: true) == .suspect)
    }
}
