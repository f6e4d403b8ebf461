// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What the APIC page is to each level, as faults show it.
@Suite struct APICPageTests {
    private func active() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.exitOfL1()
        trace.enter()
        return trace
    }

    private func pages(_ trace: Trace) -> (l1: APICPage.State, l2: APICPage.State) {
        let vcpu = trace.outcome().vcpus[0]
        return (vcpu.pageOfL1.state, vcpu.pageOfL2.state)
    }

    /// The first access of L2's: EPT_VIOLATION, the MMIO SPTE installed, emulated in the same exit.
    private func firstAccess(_ trace: inout Trace, marks: Bool = true) {
        trace.exitOfL2(.eptViolation)
        trace.emit(.pageFault(.init(vcpu: 0, address: Trace.page + 0x20, errorCode: 0x181)))
        if marks { trace.emit(.markMMIOSPTE(.init(gfn: 0xfee00))) }
        trace.emit(.mmio(.init(type: 1, gpa: Trace.page + 0x20)))
        trace.enter()
    }

    @Test func `the first access installs an MMIO SPTE and is emulated in the same exit`() {
        var trace = active()
        trace.resumeL2()
        firstAccess(&trace)
        #expect(pages(trace) == (.untouched, .mmioSPTE))
        #expect(trace.outcome().vcpus[0].accessesDirect.whileActive[.id].reads == 1)
    }

    @Test func `N misconfigurations after it are N + 1 accesses in all`() {
        var trace = active()
        trace.resumeL2()
        firstAccess(&trace)
        for _ in 0..<3 { trace.accessDirectly(0x20, write: false) }
        let vcpu = trace.outcome().vcpus[0]
        #expect(vcpu.exits[.l2, .eptMisconfig] == 3)
        #expect(vcpu.accessesDirect.total.reads == 4)
    }

    @Test func `with mmio_caching off each access faults and none installs anything`() {
        var trace = active()
        trace.resumeL2()
        firstAccess(&trace, marks: false)
        firstAccess(&trace, marks: false)
        #expect(pages(trace).l2 == .emulateOnly)
    }

    @Test func `without mark_mmio_spte in the trace the two can't be reported apart`() {
        var trace = active()
        trace.info.recordedKinds.remove(.init(.markMMIOSPTE))
        trace.resumeL2()
        firstAccess(&trace, marks: false)
        #expect(pages(trace).l2 == .untouched)
    }

    @Test func `hooked, then unhooked`() {
        var trace = active()
        trace.resumeL2()
        trace.accessHooked(0x80, write: true)
        trace.resumeL2()
        #expect(pages(trace).l2 == .hookedByL1)
        firstAccess(&trace)
        #expect(pages(trace).l2 == .mmioSPTE)
        let vcpu = trace.outcome().vcpus[0]
        #expect(vcpu.accessesHooked[.tpr].writes == 1)
        #expect(vcpu.accessesDirect.total[.id].reads == 1)
    }

    @Test func `an L1 that marks the page by a misconfiguration hooks it too`() {
        // KVM as L1 does for MMIO; L0 hands the fault on as EPT_MISCONFIG.
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.eptViolation)
        trace.emit(.pageFault(.init(vcpu: 0, address: Trace.page + 0x300, errorCode: 2)))
        trace.forward(.eptMisconfig)
        trace.enter()
        #expect(pages(trace).l2 == .hookedByL1)
        #expect(trace.outcome().vcpus[0].accessesHooked[.icr].writes == 1)
    }

    @Test func `a violation elsewhere that is forwarded hooks nothing`() {
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.eptViolation)
        trace.emit(.pageFault(.init(vcpu: 0, address: 0xfec0_0000, errorCode: 2)))
        trace.forward(.eptViolation)
        trace.enter()
        #expect(pages(trace).l2 == .untouched)
        #expect(trace.outcome().vcpus[0].accessesHooked.isEmpty)
    }

    @Test func `a fault that is only retried leaves no mark on a later exit`() {
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.eptViolation)
        trace.emit(.pageFault(.init(vcpu: 0, address: Trace.page, errorCode: 1)))
        trace.enter()
        trace.exitOfL2(.eptMisconfig)
        trace.emit(.mmio(.init(type: 1, gpa: Trace.page + 0x20)))
        trace.enter()
        #expect(pages(trace).l2 == .untouched)
    }

    @Test func `L1's page is mapped at its first fault, while APICv is active`() {
        var trace = active()
        trace.exitOfL1(.eptViolation)
        trace.emit(
            .pageFault(.init(vcpu: 0, address: Trace.page + 0x20, errorCode: 1)), .mmuSetSPTE(.init(gfn: 0xfee00)))
        trace.enter()
        #expect(pages(trace) == (.mapped, .untouched))
    }

    @Test func `L1's page is emulated each time, while APICv is inhibited`() {
        var trace = active()
        trace.blockIRQ(true)
        for _ in 0..<2 {
            trace.exitOfL1(.eptViolation)
            trace.emit(
                .pageFault(.init(vcpu: 0, address: Trace.page + 0xb0, errorCode: 2)),
                .mmio(.init(type: 2, gpa: Trace.page + 0xb0)))
            trace.enter()
        }
        #expect(pages(trace) == (.emulateOnly, .untouched))
        #expect(trace.outcome().vcpus[0].accessesByL1[.eoi].writes == 2)
    }

    @Test func `APIC_ACCESS is one access, with the kvm_mmio in its bracket or without`() {
        var trace = active()
        trace.exitOfL1(.apicAccess, info1: 0x1300)
        trace.emit(.mmio(.init(type: 2, gpa: Trace.page + 0x300)))
        trace.enter()
        trace.exitOfL1(.apicAccess, info1: 0x10b0)
        trace.enter()
        let accesses = trace.outcome().vcpus[0].accessesByL1
        #expect(accesses[.icr].writes == 1)
        #expect(accesses[.eoi].writes == 1)
        #expect(accesses.writes == 2)
    }

    @Test func `APIC_ACCESS of an instruction fetch or an event's delivery is no access to a register`() {
        for type in [2, 3] as [UInt64] {
            var trace = active()
            trace.exitOfL1(.apicAccess, info1: type << 12 | 0xb0)
            trace.enter()
            #expect(trace.outcome().vcpus[0].accessesByL1.isEmpty)
        }
    }

    @Test func `an SPTE that is set while L2 runs maps nothing for L1`() {
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.eptViolation)
        trace.emit(
            .pageFault(.init(vcpu: 0, address: Trace.page, errorCode: 1)), .mmuSetSPTE(.init(gfn: 0xfee00)))
        trace.enter()
        #expect(pages(trace).l1 == .untouched)
    }

    @Test func `the page moves with APIC_BASE, and is no APIC in x2APIC mode`() {
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.msrWrite)
        trace.emit(.msr(.init(isWrite: true, index: 0x1b, value: 0xfee1_0900)))
        trace.enter()
        trace.accessDirectly(0x20, write: false)
        trace.exitOfL2(.eptMisconfig)
        trace.emit(.mmio(.init(type: 1, gpa: 0xfee1_0020)))
        trace.enter()
        trace.exitOfL2(.msrWrite)
        trace.emit(.msr(.init(isWrite: true, index: 0x1b, value: 0xfee1_0d00)))
        trace.enter()
        trace.exitOfL2(.eptMisconfig)
        trace.emit(.mmio(.init(type: 1, gpa: 0xfee1_0020)))
        #expect(trace.outcome().vcpus[0].accessesDirect.total.reads == 1)
    }

    @Test func `a read that nobody has answered is not the APIC's`() {
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.eptMisconfig)
        trace.emit(.mmio(.init(type: 0, gpa: Trace.page + 0x20)))
        #expect(trace.outcome().vcpus[0].accessesDirect.total.isEmpty)
    }

    @Test func `x2APIC registers of L2's are L1's APIC, unless the access raised an exception`() {
        var trace = active()
        trace.resumeL2()
        trace.exitOfL2(.msrWrite)
        trace.emit(.msr(.init(isWrite: true, index: 0x80b)))
        trace.enter()
        trace.exitOfL2(.msrRead)
        trace.emit(.msr(.init(isWrite: false, index: 0x802, exception: true)))
        trace.enter()
        trace.exitOfL2(.msrRead)
        trace.emit(.msr(.init(isWrite: false, index: 0x10)))
        let accesses = trace.outcome().vcpus[0].accessesDirect.whileActive
        #expect(accesses[.eoi].writes == 1)
        #expect(accesses.reads == 0)
    }
}
