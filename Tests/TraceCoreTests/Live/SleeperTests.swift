// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// C3: a HLT that sleeps on. First where the words of the vCPU were read.
@Suite struct SleeperTests {
    /// A vCPU that runs no L2 sleeps on 0x41, and its words are asked for.
    private func sleeping() -> LiveTrace {
        var trace = LiveTrace()
        trace.state()
        trace.emit(.enter, .leave(.hlt), .accept(0x41))
        trace.after(ms: 60)
        trace.tick()
        return trace
    }

    private func grades(after words: (inout LiveTrace) -> Void) -> [Grade] {
        var trace = sleeping()
        words(&trace)
        trace.after(ms: 60)
        trace.tick()
        return trace.findings.map(\.grade)
    }

    @Test func `with interrupts on it is suspect, nesting or not`() throws {
        var trace = sleeping()
        trace.words(.asleep, irr: [0x41], interruptFlag: true, isAPICEnabled: true)
        trace.after(ms: 60)
        trace.tick()
        let finding = try #require(trace.findings.first)
        #expect((finding.rule, finding.grade, finding.vectors) == (.lostAccept, .suspect, [0x41]))
        #expect(finding.limits == [])
        #expect(
            finding.statement
                == "A HLT slept on for 100 ms and more though 0x41 had been accepted, and the vCPU's words show nothing that "
                + "masks it.")
    }

    @Test func `with interrupts off, the APIC off or the priority above, it sleeps rightly`() {
        #expect(grades { $0.words(.asleep, irr: [0x41], interruptFlag: false) } == [])
        #expect(grades { $0.words(.asleep, irr: [0x41], interruptFlag: true, isAPICEnabled: false) } == [])
        #expect(grades { $0.words(.asleep, irr: [0x41], tpr: 0x40, interruptFlag: true) } == [])
        #expect(grades { $0.words(.asleep, irr: [0x41], isr: [0x51], interruptFlag: true) } == [])
    }

    @Test func `what is not among the requests was refused, or taken before`() {
        #expect(grades { $0.words(.asleep, irr: [0x31], interruptFlag: true) } == [])
    }

    @Test func `where the flag isn't known, nothing is said of a vCPU that ran no L2`() {
        #expect(grades { $0.words(.asleep, irr: [0x41], isAPICEnabled: true) } == [])
        #expect(grades { _ in } == [])
    }

    @Test func `the task priority at the HLT's own exit excuses as well`() {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        trace.emit(.enter)
        trace.words(.exit, tpr: 0x70)
        trace.emit(.leave(.hlt), .nested(.hlt), .accept(0x41))
        trace.after(ms: 500)
        trace.tick()
        #expect(trace.findings == [])
    }

    @Test func `without words a vector in service, or the task priority, excuses its whole class and no more`() {
        func grades(of vector: UInt8, after event: KVMEvent) -> [Grade] {
            var trace = LiveTrace()
            trace.state(guestMode: true)
            trace.emit(.enter, .leave(.cpuidOfL2), .nested(.cpuidOfL2), .accept(0x41), event, .enter)
            trace.emit(.leave(.hlt), .nested(.hlt), .accept(vector))
            trace.after(ms: 500)
            trace.tick()
            return trace.findings.map(\.grade)
        }
        let injected = KVMEvent.injVIRQ(.init(vector: 0x41, reinjected: false))
        let raised = KVMEvent.cr(.init(isWrite: true, register: 8, value: 4))
        for event in [injected, raised] {
            #expect(grades(of: 0x4f, after: event) == [])
            #expect(grades(of: 0x50, after: event) == [.hazard])
        }
    }

    @Test func `words of an earlier exit don't count`() {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        trace.words(.exit, tpr: 0x70)
        trace.emit(.enter, .leave(.hlt), .nested(.hlt), .accept(0x41))
        trace.after(ms: 500)
        trace.tick()
        #expect(trace.findings.map(\.grade) == [.hazard])
    }

    @Test func `words that come late settle what was noticed before`() {
        for (flag, grade) in [(true, [Grade.suspect]), (false, [])] {
            var trace = LiveTrace()
            trace.state(guestMode: true)
            trace.emit(.enter, .leave(.hlt), .nested(.hlt), .accept(0x41))
            trace.after(ms: 500)
            trace.tick()
            #expect(trace.findings.map(\.grade) == [.hazard])
            trace.words(.asleep, irr: [0x41], interruptFlag: flag)
            trace.after(ms: 10)
            trace.tick()
            #expect(trace.findings.map(\.grade) == grade)
        }
    }

    @Test func `an L1 that takes external interrupts gets them whatever L2's flag says`() {
        var trace = LiveTrace()
        let choices = VCPUState.VMXChoices(
            deliversVirtualInterrupts: true, l1InterceptsInterrupts: true, l1DeliversVirtualInterrupts: false)
        trace.state(guestMode: true, vmx: choices)
        trace.emit(.enter, .leave(.hlt), .nested(.hlt), .accept(0x41))
        trace.words(.asleep, irr: [0x41], interruptFlag: false)
        trace.after(ms: 500)
        trace.tick()
        #expect(trace.findings.map(\.grade) == [.suspect])
    }

    @Test func `words are asked for after 50 ms, until they are there`() {
        var trace = LiveTrace()
        trace.state()
        trace.emit(.enter, .leave(.hlt), .accept(0x41))
        trace.after(ms: 40)
        trace.tick()
        #expect(trace.analysis.unexplainedSleepers == [])
        trace.after(ms: 20)
        trace.tick()
        #expect(trace.analysis.unexplainedSleepers == [101])
        trace.words(.asleep, irr: [0x41], interruptFlag: true)
        trace.after(ms: 10)
        trace.tick()
        #expect(trace.analysis.unexplainedSleepers == [])
    }

    // MARK: Without words

    @Test func `C3: what comes late was not lost`() {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        trace.emit(.leave(.hlt), .nested(.hlt), .accept(0x41))
        trace.after(ms: 101)
        trace.tick()
        #expect(trace.findings.map(\.vectors) == [[0x41]])
        trace.emit(.injVIRQ(.init(vector: 0x41)), .enter)
        #expect(trace.findings == [])
    }

    @Test func `C3: a HLT of L2's that sleeps on an accepted vector for 100 ms may have interrupts off: a hazard`()
        throws
    {
        var trace = LiveTrace()
        trace.state(guestMode: true)
        trace.emit(.leave(.hlt), .nested(.hlt))
        trace.after(ms: 5)
        trace.emit(.accept(0x41))
        trace.after(ms: 99)
        trace.tick()
        #expect(trace.findings == [])
        trace.after(ms: 2)
        trace.tick()
        let finding = try #require(trace.findings.first)
        #expect((finding.rule, finding.grade, finding.vectors) == (.lostAccept, .hazard, [0x41]))
        #expect(finding.evidence.entries.map(\.event) == ["kvm_exit", "kvm_apic_accept_irq"])
        trace.tick()
        #expect(trace.findings.first?.count == 1)
    }

    @Test func `C3: a wakeup, a masked vector and BLOCKIRQ excuse the sleeper`() {
        var woken = LiveTrace()
        woken.state()
        woken.emit(.leave(.hlt), .accept(0x41), .vcpuWakeup(.init(nanoseconds: 1, waited: true)))
        var masked = LiveTrace()
        masked.state()
        masked.emit(.mmio(.init(type: 2, gpa: 0xfee0_0080, value: 0x40)), .leave(.hlt), .accept(0x41))
        var blocked = LiveTrace()
        blocked.state(inhibits: 8)
        blocked.emit(.leave(.hlt), .accept(0x41))
        woken.after(ms: 500)
        masked.after(ms: 500)
        blocked.after(ms: 500)
        woken.tick()
        masked.tick()
        blocked.tick()
        #expect(woken.findings == [])
        #expect(masked.findings == [])
        #expect(blocked.findings == [])
    }

    @Test func `C3: a parked vCPU where no L2 ever ran is nobody's loss`() {
        var parked = LiveTrace()
        parked.state()
        parked.emit(.leave(.hlt), .accept(0x41))
        parked.after(ms: 500)
        parked.tick()
        #expect(parked.findings == [])
    }

    @Test func `C3: what was accepted before the HLT counts only if hardware can't have taken it`() {
        var silent = LiveTrace()
        silent.state()
        silent.emit(.leave(.vmresume), .nestedVMEnter(.init()), .enter, .leave(.cpuidOfL2), .nested(.cpuidOfL2))
        silent.emit(.nestedVMExitInject(.init(exitCode: 10)), .enter, .accept(0x41), .leave(.hlt))
        silent.after(ms: 500)
        silent.tick()
        #expect(silent.findings == [])
        var certain = LiveTrace()
        certain.state(guestMode: true)
        certain.emit(.accept(0x41), .leave(.hlt), .nested(.hlt))
        certain.after(ms: 500)
        certain.tick()
        #expect(certain.findings.map(\.grade) == [.hazard])
    }

    @Test func `S2: after a crossing the timer needs 50 ms, and the finding is stale-svi's`() {
        var trace = LiveTrace()
        trace.state()
        trace.emit(.leave(.vmresume), .nestedVMEnter(.init()), .enter)
        // L1 takes 0x61 in silence, and L2 ends it.
        trace.emit(.leave(.msrRead), .nested(.msrRead), .accept(0x61), .enter)
        trace.emit(.leave(.eptMisconfig), .nested(.eptMisconfig), .eoi(.init(vcpu: 0, vector: 0x61)), .enter)
        trace.emit(.leave(.hlt), .nested(.hlt), .accept(0x41))
        trace.after(ms: 51)
        trace.tick()
        #expect(trace.findings.map(\.rule) == [.staleSVI])
        #expect(trace.findings.map(\.symptoms) == [[.lostAccept]])
        trace.after(ms: 100)
        trace.tick()
        #expect(trace.findings.map(\.rule) == [.staleSVI])
    }
}
