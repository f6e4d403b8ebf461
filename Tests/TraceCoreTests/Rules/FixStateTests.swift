// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Whether the kernel has the fix, how that is known, and what it does to grades.
@Suite struct FixStateTests {
    private static let fixed = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true)
    private static let unfixed = KernelSymbols(hasKVM: true, hasUpdateHwapicISR: false)

    @Test func `symbols of a fixed kernel take the hazard away`() {
        var trace = Trace.endedByL1(0x51)
        trace.info.symbols = Self.fixed
        let seen = trace.outcome()
        #expect(seen.fix.state == .present)
        #expect(seen.fix.basis == .kallsyms)
        #expect(seen.finding(.staleSVI) == nil)
    }

    @Test func `the fix excuses stale SVI, never a vector that is not delivered`() {
        var trace = Trace.endedByL1(0x51)
        trace.info.symbols = Self.fixed
        trace.accept(0x41)
        trace.runL2(entries: 4, over: 5)
        #expect(trace.outcome().findings.map(\.grade) == [.exposed])
        trace.runL2(entries: 20, over: 101)
        #expect(trace.outcome().finding(.staleSVI) == nil)
        #expect(trace.outcome().grade(.lostAccept) == .hazard)
    }

    @Test func `a stuck vector contradicts the symbols, and both are reported`() {
        var trace = Trace.endedByL1(0x51)
        trace.info.symbols = Self.fixed
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        trace.missEOI()
        let seen = trace.outcome()
        #expect(seen.fix.state == .absent)
        #expect(seen.fix.basis == .behaviour)
        #expect(seen.fix.evidence.contains("kallsyms"))
        #expect(seen.grade(.staleSVI) == .suspect)
    }

    @Test(arguments: [0x41, 0x5f] as [UInt8])
    func `behaviour shows the fix: a vector of the class or below is injected after L1's EOI`(_ vector: UInt8) {
        var trace = Trace.endedByL1(0x51)
        trace.deliver(vector)
        let seen = trace.outcome()
        #expect(seen.fix.state == .present)
        #expect(seen.fix.basis == .behaviour)
        #expect(seen.finding(.staleSVI) == nil)
    }

    @Test func `what interrupts show never overrules symbols that say the fix is absent`() {
        var trace = Trace.endedByL1(0x51)
        trace.info.symbols = Self.unfixed
        trace.deliver(0x41)
        let seen = trace.outcome()
        #expect(seen.fix.state == .absent)
        #expect(seen.fix.basis == .kallsyms)
        #expect(seen.fix.evidence.contains("behaviour"))
        #expect(seen.grade(.staleSVI) == .hazard)
    }

    @Test func `a vector that the local APIC never accepted shows nothing`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.inject(0x41)
        trace.enter()
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test func `L1's own EOI after the crossing may have put SVI right, so that a delivery shows nothing`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2(Trace.vmcall)
        trace.forward(Trace.vmcall)
        trace.enter()
        trace.exitOfL1(.eoiInduced)
        trace.eoi(0x22)
        trace.enter()
        trace.resumeL2()
        trace.deliver(0x41)
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test func `an EOI of L2's, which L0 carries out on the APIC in memory, puts nothing right`() {
        var trace = Trace.endedByL1(0x51)
        // The PIC's, whose delivery shows nothing either.
        trace.exitOfL2()
        trace.inject(0x76)
        trace.enter()
        trace.endDirectly(0x76)
        trace.deliver(0x41)
        #expect(trace.outcome().fix.state == .present)
    }

    @Test func `interrupts that the IOMMU posts may have put SVI right unseen`() {
        var trace = Trace()
        trace.thread(.vmm)
        trace.createVM()
        trace.thread(.vcpu0)
        trace.resumeL2()
        trace.emit(.piIRTEUpdate(.init(vcpu: 0, vector: 0x22, set: true)))
        trace.deliver(0x51)
        trace.endHooked()
        trace.deliver(0x41)
        #expect(trace.outcome().fix.state == .unknown)
    }

    @Test(arguments: [(15, FixState.State.unknown), (16, .present)])
    func `in a VM whose devices nobody saw, it takes sixteen deliveries, each after a crossing of its own`(
        _ times: Int, _ state: FixState.State
    ) {
        var trace = Trace()
        trace.exitOfL1(.apicWrite, info1: 0xf0)
        trace.enter()
        trace.resumeL2()
        for _ in 0..<(times + 1) {
            trace.deliver(0x51)
            trace.endHooked()
        }
        #expect(trace.outcome().fix.state == state)
    }

    @Test func `L1 that acknowledges on exit shows nothing: KVM picks the vector and loads SVI itself`() {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        for vector in [0x51, 0x41] as [UInt8] {
            trace.accept(vector)
            trace.exitOfL2(.externalInterrupt)
            trace.forward(.externalInterrupt, intInfo: 0x8000_0000 | UInt32(vector))
            trace.enter()
            trace.resumeL2(injecting: vector)
            trace.endDirectly(Int32(vector))
        }
        #expect(trace.outcome().fix.state == .unknown)
        #expect(trace.outcome().grade(.staleSVI) == .hazard)
    }

    @Test func `a higher vector shows nothing`() {
        var trace = Trace.endedByL1(0x51)
        trace.exitOfL2()
        trace.inject(0x61)
        trace.enter()
        #expect(trace.outcome().fix.state == .unknown)
    }

    /// L1 takes 0x30 in silence and passes it on, and L2 ends it, so many times over; each time something comes between the
    /// crossing and the next.
    private func passedOn(_ times: Int, isTold: Bool = true, then: (inout Trace) -> Void = { _ in }) -> FixState.State {
        var trace = Trace.endedByL2(0x30)
        // The PIC's interrupts of the same number would be reported of.
        if isTold { trace.inject(0x77, reinjected: true) }
        for _ in 0..<times {
            then(&trace)
            trace.accept(0x30)
            trace.offer(passingOn: 0x30)
            trace.endDirectly(0x30)
        }
        return trace.outcome().fix.state
    }

    @Test
    func `after L2's EOI of what L1 took, L1's next interrupts show it: one may have been repaired by L1's own IPI`() {
        #expect(passedOn(16) == .present)
        #expect(passedOn(15) == .unknown)
        #expect(passedOn(16, isTold: false) == .unknown)
    }

    @Test func `after L2's EOI of what L1 took, an injection into L2 shows nothing`() {
        // KVM computes L2's priority from ISR, which is right; only vmcs01.SVI, for L1, is stale.
        var trace = Trace.endedByL2(0x30)
        trace.accept(0x30)
        trace.exitOfL2()
        trace.inject(0x30)
        trace.enter()
        let seen = trace.outcome()
        #expect(seen.fix.state == .unknown)
        #expect(seen.grade(.staleSVI) == .hazard)
    }

    @Test func `a delivery that something of L1's made possible shows nothing`() {
        // A higher vector that L1 takes and ends in silence loads SVI anew.
        #expect(passedOn(20) { $0.accept(0x81) } == .unknown)
        // So does APICv that goes off and on, or a reset.
        let toggled = passedOn(20) {
            $0.blockIRQ(true)
            $0.blockIRQ(false)
        }
        #expect(toggled == .unknown)
        let reset = passedOn(20) {
            $0.exitOfL2()
            $0.emit(.entry(.init(vcpu: 0, rip: 0xfff0)))
            $0.exitOfL1()
            $0.enter()
            $0.resumeL2()
        }
        #expect(reset == .unknown)
    }

    @Test func `the fix's absence means something below 7_0 only`() {
        let absent = FixState.fromSymbols(Self.unfixed, release: KernelRelease(6, 8))
        #expect(absent?.state == .absent)
        #expect(FixState.fromSymbols(Self.unfixed, release: KernelRelease(7, 0)) == nil)
        #expect(FixState.fromSymbols(Self.unfixed, release: nil) == nil)
        #expect(FixState.fromSymbols(Self.fixed, release: nil)?.state == .present)
        #expect(
            FixState.fromSymbols(KernelSymbols(hasKVM: false, hasUpdateHwapicISR: false), release: .init(6, 1)) == nil)
    }

    @Test(arguments: [
        ("kvm_entry.intr_info", FixState.Basis.format), ("kvm_apicv_update_request.activate", .format),
        ("kvm_entry.immediate_exit", .format), ("kvm_exit.guest_rip", .release),
    ])
    func `fields and the release are hints that change nothing`(_ field: String, _ basis: FixState.Basis) {
        var trace = Trace.endedByL1(0x51)
        trace.info.formatFields = [field]
        let seen = trace.outcome()
        #expect(seen.fix.state == .unknown)
        #expect(seen.fix.basis == basis)
        #expect(seen.grade(.staleSVI) == .hazard)
    }
    @Test(arguments: [
        ("6.1.0-55-amd64", "a 6.1 with "), ("6.12.26", "kvm_entry.immediate_exit is recorded: 6.9 or later"),
        ("5.14.0-427.13.1.el9_4", "kvm_entry.immediate_exit came with 6.9 and 6.1.149: this kernel has later code"),
        ("6.4.0-150600.23-default", "kvm_entry.immediate_exit came with 6.9 and 6.1.149: this kernel has later code"),
    ])
    func `what came with a later kernel is a distributor's addition to an earlier one`(
        _ release: String, _ hint: String
    ) {
        var info = Trace.endedByL1().info
        info.formatFields = ["kvm_entry.immediate_exit"]
        info.kernel = "Linux host-a \(release) x86_64"
        #expect(FixState.hint(info).evidence.hasPrefix(hint))
    }
}
