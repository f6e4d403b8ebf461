// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Rules l2-apic-direct and l2-apic-direct-x2apic: L2 reaches L1's APIC by itself while APICv is active.
@Suite struct L2APICDirectTests {
    private static let fourEvents = EventKindSet(.exit, .pageFault, .apicvInhibitChanged, .apicIPI)

    private func inL2(mask: UInt64 = 0) -> Trace {
        var trace = Trace()
        trace.createVM()
        if mask != 0 { trace.inhibit(reason: 3, set: true, mask: mask) }
        trace.resumeL2()
        // An ordinary interrupt of L1's, so that kvm_apic_accept_irq is on.
        trace.accept(0x22)
        trace.exitOfL2(.externalInterrupt)
        trace.forward(.externalInterrupt, intInfo: 0x8000_0022)
        trace.enter()
        trace.resumeL2()
        return trace
    }

    @Test func `accesses through the page are exposed, register by register`() throws {
        var trace = inL2()
        trace.accessDirectly(0x20, write: false)
        trace.accessDirectly(0x300, write: true)
        trace.accessDirectly(0x300, write: true)
        let seen = trace.outcome()
        let finding = try #require(seen.finding(.l2APICDirect))
        #expect(finding.grade == .exposed)
        #expect(finding.count == 3)
        #expect(finding.registers[.id].reads == 1)
        #expect(finding.registers[.icr].writes == 2)
        #expect(seen.verdict == .exposed)
    }

    @Test func `accesses through x2APIC MSRs have a rule of their own`() throws {
        var trace = inL2()
        trace.accessDirectly(0x20, write: false)
        trace.after(ms: 1)
        trace.exitOfL2(.msrWrite)
        trace.emit(.msr(.init(isWrite: true, index: 0x83f, value: 0x41)))
        trace.enter()
        let seen = trace.outcome()
        let x2apic = try #require(seen.finding(.l2APICDirectX2APIC))
        let mmio = try #require(seen.finding(.l2APICDirect))
        #expect(x2apic.registers.byRegister.map(\.register.name) == ["SELF_IPI"])
        #expect(mmio.last < x2apic.first)
    }

    @Test func `with APICv inhibited the pattern is clean, and counted`() {
        var trace = inL2(mask: 0x8)
        trace.accessDirectly(0x20, write: false)
        let seen = trace.outcome()
        #expect(seen.verdict == .clean)
        #expect(seen.report.vms[0].vcpus[0].apicAccess.l2Direct.reads == 1)
    }

    @Test func `on SVM AVIC is off while L2 runs: counted, not exposed`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1(.svmVMRUN)
        trace.emit(.nestedVMEnter(.init(isa: 2)))
        trace.enter()
        trace.exitOfL2(.svmNPF)
        trace.emit(
            .pageFault(.init(vcpu: 0, address: Trace.page + 0x20, errorCode: 0xd)),
            .mmio(.init(type: 1, gpa: Trace.page + 0x20)))
        trace.enter()
        #expect(trace.outcome().verdict == .clean)
        #expect(trace.outcome().vcpus[0].accessesDirect.whileActive.reads == 1)
    }

    @Test func `hooked accesses alone are clean`() {
        var trace = inL2()
        trace.accessHooked(0x80, write: true)
        trace.resumeL2()
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `L1's own accesses are nothing`() {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1(.eptMisconfig)
        trace.emit(.mmio(.init(type: 2, gpa: Trace.page + 0x300)))
        trace.enter()
        #expect(trace.outcome().verdict == .clean)
    }

    @Test func `what came before APICv's state was known counts if it was active then`() {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        #expect(trace.outcome().finding(.l2APICDirect) == nil)
        #expect(trace.outcome().verdict == .inconclusive)
        var active = trace
        active.emit(.apicvAcceptIRQ(.init(vcpu: 0, vector: 0x41)))
        #expect(active.outcome().finding(.l2APICDirect)?.count == 1)
        // APIC_BASE_MODIFIED had been set; then APICv comes on, and one more access with it.
        trace.inhibit(reason: 3, set: true, mask: 0x28)
        trace.inhibit(reason: 5, set: false, mask: 0)
        #expect(trace.outcome().finding(.l2APICDirect) == nil)
        trace.accessDirectly(0x20, write: false)
        #expect(trace.outcome().finding(.l2APICDirect)?.count == 1)
    }

    @Test func `a start that stays unknown is never clean, whatever comes later`() {
        var trace = Trace()
        trace.exitOfL1()
        trace.enter()
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        trace.blockIRQ(true)
        #expect(trace.outcome().verdict == .inconclusive)
    }

    // MARK: Four-event files

    /// A guest that was created in the trace, recorded with four events.
    private func fourEvents() -> Trace {
        var trace = Trace(recorded: Self.fourEvents)
        trace.createVM()
        trace.exitOfL1(.vmlaunch)
        return trace
    }

    @Test func `an IPI in an EPT_MISCONFIG bracket is L2's ICR write`() throws {
        var trace = fourEvents()
        trace.exitOfL1(.eptMisconfig)
        trace.emit(.apicIPI(.init(icrLow: 0x61, destination: 1)))
        let finding = try #require(trace.outcome().finding(.l2APICDirect))
        #expect(finding.grade == .exposed)
        #expect(finding.inferred)
        #expect(finding.registers[.icr].writes == 1)
        #expect(!finding.limits.isEmpty)
    }

    @Test func `an IPI of L1's own, by APIC_WRITE, is not`() {
        var trace = fourEvents()
        trace.exitOfL1(.eptMisconfig)
        trace.exitOfL1(.apicWrite, info1: 0x300)
        trace.emit(.apicIPI(.init(icrLow: 0x61, destination: 1)))
        let seen = trace.outcome()
        #expect(seen.findings.isEmpty)
        #expect(seen.verdict == .inconclusive)
    }

    @Test func `nor are a misconfiguration and a fault on the page: inconclusive, with what to record`() {
        var trace = fourEvents()
        trace.exitOfL1(.eptViolation)
        trace.emit(.pageFault(.init(vcpu: 0, address: Trace.page, errorCode: 1)))
        trace.exitOfL1(.eptMisconfig)
        let seen = trace.outcome()
        #expect(seen.verdict == .inconclusive)
        #expect(seen.report.recordCommand?.contains("-e kvm:kvm_nested_vmexit ") == true)
    }
}
