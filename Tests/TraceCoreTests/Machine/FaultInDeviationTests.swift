// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Observation fault-in: what KVM did about the APIC page, held against its own table.
@Suite struct FaultInDeviationTests {
    /// How KVM handled an access that faulted.
    private enum Way {
        case map, mmioSPTE, emulateOnly, misconfig
    }

    private func vm(kernel: String = "6.12.0", mask: UInt64 = 0, isa: UInt32 = 1) -> Trace {
        var trace = Trace()
        trace.info.kernel = kernel
        trace.createVM()
        if mask != 0 {
            trace.thread(.vmm)
            trace.inhibit(reason: Int32(mask.trailingZeroBitCount), set: true, mask: mask)
            trace.thread(.vcpu0)
        }
        trace.after(ms: 5)
        trace.exitOfL1(isa == 2 ? ExitReason(isa: .svm, recorded: 0x72) : Trace.vmcall)
        trace.enter()
        return trace
    }

    private func access(_ trace: inout Trace, _ way: Way, inL2: Bool, isa: ISA = .vmx) {
        let reason: ExitReason = way == .misconfig ? .eptMisconfig : isa == .svm ? .svmNPF : .eptViolation
        if inL2 { trace.exitOfL2(reason) } else { trace.exitOfL1(reason) }
        if way != .misconfig { trace.emit(.pageFault(.init(vcpu: 0, address: Trace.page + 0x20, errorCode: 1))) }
        switch way {
        case .map: trace.emit(.mmuSetSPTE(.init(gfn: 0xfee00)))
        case .mmioSPTE: trace.emit(.markMMIOSPTE(.init(gfn: 0xfee00)))
        case .emulateOnly, .misconfig: break
        }
        if way != .map { trace.emit(.mmio(.init(type: 1, gpa: Trace.page + 0x20))) }
        trace.enter()
    }

    private func texts(_ trace: Trace) -> [String] {
        trace.outcome().report.observations.filter { $0.kind == .faultIn }.map(\.text)
    }

    /// Another page's MMIO SPTE shows that kvm.mmio_caching is on.
    private func showCaching(_ trace: inout Trace) {
        trace.emit(.markMMIOSPTE(.init(gfn: 0xfed00)))
    }

    // MARK: L1's APIC page is MMIO to L2

    @Test(arguments: [0, 8] as [UInt64]) func `an ordinary SPTE for L2 is reported, whatever APICv's state`(
        _ mask: UInt64
    ) {
        var trace = vm(mask: mask)
        trace.resumeL2()
        access(&trace, .map, inL2: true)
        access(&trace, .map, inL2: true)
        #expect(
            texts(trace) == [
                "KVM installed an ordinary SPTE for L2 on the APIC page, where this kernel makes an MMIO SPTE, as far as "
                    + "its state is known."
            ])
        #expect(trace.outcome().report.observations.map(\.count) == [2])
    }

    @Test func `L2's access without an SPTE is reported where KVM caches MMIO`() {
        var trace = vm()
        trace.resumeL2()
        access(&trace, .emulateOnly, inL2: true)
        #expect(texts(trace).isEmpty)
        showCaching(&trace)
        access(&trace, .emulateOnly, inL2: true)
        #expect(texts(trace).count == 1)
    }

    @Test func `an MMIO SPTE for L2, and later hits of it, are as they should be`() {
        var trace = vm()
        trace.resumeL2()
        access(&trace, .mmioSPTE, inL2: true)
        access(&trace, .misconfig, inL2: true)
        #expect(texts(trace).isEmpty)
    }

    // MARK: L1 with APICv active

    @Test func `mapped for L1 while APICv is active`() {
        var trace = vm()
        access(&trace, .map, inL2: false)
        #expect(texts(trace).isEmpty)
    }

    @Test(arguments: [false, true])
    func `an MMIO SPTE for L1 is reported once KVM's page is known to be there`(_ isKnown: Bool) {
        var trace = vm()
        if isKnown { trace.exitOfL1(.apicAccess) }
        access(&trace, .mmioSPTE, inL2: false)
        access(&trace, .misconfig, inL2: false)
        // Without the page (kvm_intel.flexpriority=0) that is what KVM does.
        #expect(texts(trace).count == (isKnown ? 1 : 0))
    }

    @Test func `an access of L1's that is emulated without an SPTE is reported while APICv is active`() {
        var trace = vm()
        showCaching(&trace)
        access(&trace, .emulateOnly, inL2: false)
        #expect(texts(trace).count == 1)
    }

    // MARK: L1 with APICv inhibited

    @Test func `emulated without an SPTE for L1 while APICv is inhibited, from 5_15 on`() {
        var trace = vm(mask: 8)
        showCaching(&trace)
        access(&trace, .emulateOnly, inL2: false)
        #expect(texts(trace).isEmpty)
    }

    @Test(arguments: ["5.15.0", "6.12.0", "5.14.0-427.el9"])
    func `an ordinary SPTE for L1 while APICv is inhibited is reported`(_ kernel: String) {
        var trace = vm(kernel: kernel, mask: 8)
        access(&trace, .map, inL2: false)
        #expect(texts(trace).count == 1)
    }

    @Test func `5_10 maps it whatever APICv's state`() {
        var trace = vm(kernel: "5.10.223", mask: 8)
        trace.info.recordedKinds.remove(EventKindSet(.apicvInhibitChanged))
        access(&trace, .map, inL2: false)
        #expect(texts(trace).isEmpty)
        access(&trace, .emulateOnly, inL2: false)
        #expect(texts(trace).count == 1)
    }

    // MARK: No page behind it

    @Test func `without AVIC nothing is behind L1's page: an MMIO SPTE, no ordinary one`() {
        var trace = vm(mask: 1, isa: 2)
        access(&trace, .mmioSPTE, inL2: false, isa: .svm)
        #expect(texts(trace).isEmpty)
        access(&trace, .emulateOnly, inL2: false, isa: .svm)
        #expect(texts(trace).count == 1)
    }

    @Test func `AVIC's page is gone once another vCPU is in x2APIC mode`() {
        var trace = vm(isa: 2)
        access(&trace, .map, inL2: false, isa: .svm)
        access(&trace, .mmioSPTE, inL2: false, isa: .svm)
        #expect(texts(trace).isEmpty)
    }

    @Test func `KVM's page shows by an access that makes no MMIO SPTE, where KVM makes them elsewhere`() {
        var trace = vm(mask: 8)
        access(&trace, .emulateOnly, inL2: false)
        showCaching(&trace)
        access(&trace, .mmioSPTE, inL2: false)
        #expect(texts(trace).count == 1)
    }

    // MARK: What isn't known

    @Test func `a change a moment ago may not have been stored yet`() {
        for (pause, found) in [(0.5, 0), (1.5, 1)] {
            var trace = vm()
            trace.thread(.vmm)
            trace.inhibit(reason: 3, set: true, mask: 8)
            trace.thread(.vcpu0)
            trace.after(ms: pause)
            access(&trace, .map, inL2: false)
            #expect(texts(trace).count == found)
        }
    }

    @Test func `nothing is said while APICv's state is unknown`() {
        var trace = Trace()
        trace.exitOfL1()
        showCaching(&trace)
        access(&trace, .map, inL2: false)
        access(&trace, .emulateOnly, inL2: false)
        #expect(texts(trace).isEmpty)
    }

    @Test func `without kvm_nested_vmexit an exit may be either level's`() {
        var trace = vm()
        trace.resumeL2()
        trace.info.recordedKinds.remove(EventKindSet(.nestedVMExit))
        access(&trace, .map, inL2: true)
        #expect(texts(trace).isEmpty)
    }

    @Test func `an access that is forwarded to L1 is L1's to decide`() {
        var trace = vm()
        trace.resumeL2()
        trace.exitOfL2(.eptViolation)
        trace.emit(.pageFault(.init(vcpu: 0, address: Trace.page, errorCode: 1)))
        trace.forward(.eptViolation)
        trace.emit(.mmuSetSPTE(.init(gfn: 0xfee00)))
        trace.enter()
        #expect(texts(trace).isEmpty)
    }
}
