// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// What KVM emits, on VMX unless said otherwise, for one thing that happens. Orders are those of kvm-facts and of
/// recordings: exit, nested exit, fault, emulation, what it leads to, entry.
extension Trace {
    static let cpuid = ExitReason(isa: .vmx, recorded: 10)
    static let vmcall = ExitReason(isa: .vmx, recorded: 18)
    static let page: UInt64 = 0xfee0_0000

    // MARK: Levels

    /// A VM that was created in the trace, with APICv active; L2 runs.
    static func inL2() -> Trace {
        var trace = Trace()
        trace.createVM()
        trace.resumeL2()
        return trace
    }

    mutating func exitOfL1(_ reason: ExitReason = vmcall, info1: UInt64 = 0, info2: UInt64 = 0) {
        if isFirstExit() { enter() }
        emit(.exit(exit(reason, info1, info2)))
    }

    mutating func exitOfL2(_ reason: ExitReason = cpuid, info1: UInt64 = 0, info2: UInt64 = 0) {
        if isFirstExit() { enter() }
        emit(.exit(exit(reason, info1, info2)), .nestedVMExit(exit(reason, info1, info2)))
    }

    /// L0 hands the exit to L1.
    mutating func forward(_ reason: ExitReason, intInfo: UInt32 = 0) {
        let isa: UInt32 = reason.isa == .svm ? 2 : 1
        emit(.nestedVMExitInject(.init(exitCode: UInt64(reason.code), intInfo: intInfo, isa: isa)))
    }

    mutating func enter() {
        emit(.entry(.init(vcpu: thread.vcpu)))
    }

    /// L1 does VMRESUME, with an external interrupt to inject or without.
    mutating func resumeL2(injecting vector: UInt8? = nil) {
        exitOfL1(.vmresume)
        emit(.nestedVMEnter(.init(eventInj: vector.map { 0x8000_0000 | UInt32($0) } ?? 0)))
        enter()
    }

    /// L2 runs and L0 handles its exits: so many entries, the last that many milliseconds after the first.
    mutating func runL2(entries: Int, over ms: Double = 0) {
        for index in 0..<entries {
            if index > 0 { after(ms: ms / Double(entries - 1)) }
            exitOfL2()
            enter()
        }
    }

    /// L2 does something that L1 handles, and goes on.
    mutating func visitL1() {
        exitOfL2(Self.vmcall)
        forward(Self.vmcall)
        enter()
        resumeL2()
    }

    private func exit(_ reason: ExitReason, _ info1: UInt64, _ info2: UInt64) -> KVMEvent.Exit {
        .init(reason: reason.code, isa: reason.isa == .svm ? 2 : 1, vcpu: thread.vcpu, info1: info1, info2: info2)
    }

    // MARK: APICv

    mutating func inhibit(reason: Int32, set: Bool, mask: UInt64) {
        // KVM_CREATE_VM's: a vCPU's thread sets DISABLED and ABSENT for another VM only.
        if set, mask == 1 << UInt64(reason), thread.vcpu == nil || [0, 2].contains(reason) { beginsAnew() }
        emit(.apicvInhibitChanged(.init(reason: reason, set: set, inhibits: mask)))
    }

    /// KVM_CREATE_VM and KVM_CREATE_IRQCHIP with APICv enabled: ABSENT set and cleared by the VMM's thread.
    mutating func createVM(by creator: Thread = .vmm) {
        let before = thread
        thread(creator)
        inhibit(reason: 2, set: true, mask: 0x4)
        inhibit(reason: 2, set: false, mask: 0)
        thread(before)
    }

    /// KVM_GUESTDBG_BLOCKIRQ, bit 3.
    mutating func blockIRQ(_ set: Bool) {
        inhibit(reason: 3, set: set, mask: set ? 0x8 : 0)
    }

    // MARK: Interrupts

    mutating func accept(_ vector: UInt8, on vcpu: UInt32 = 0, mode: UInt16 = 0) {
        emit(.apicAcceptIRQ(.init(vcpu: vcpu, deliveryMode: mode, vector: vector)))
    }

    /// KVM injects an interrupt; the entry follows.
    mutating func inject(_ vector: UInt8, reinjected: Bool? = false) {
        emit(.injVIRQ(.init(vector: UInt32(vector), reinjected: reinjected)))
    }

    /// An interrupt is accepted while L2 runs, and KVM injects it at the next entry.
    mutating func deliver(_ vector: UInt8) {
        exitOfL2()
        accept(vector)
        inject(vector)
        enter()
    }

    mutating func eoi(_ vector: Int32) {
        emit(.eoi(.init(vcpu: UInt32(thread.vcpu ?? 0), vector: vector)))
    }

    // MARK: The APIC page

    /// L2 reaches L1's APIC by itself: EPT_MISCONFIG, emulated.
    mutating func accessDirectly(
        _ offset: UInt64, write: Bool, value: UInt64 = 0, then: (inout Trace) -> Void = { _ in }
    ) {
        exitOfL2(.eptMisconfig)
        emit(
            .handleMMIOPageFault(.init(address: Self.page + offset, gfn: 0xfee00)),
            .mmio(.init(type: write ? 2 : 1, gpa: Self.page + offset, value: value)))
        then(&self)
        enter()
    }

    /// L2's write of EOI reaches L1's APIC, which ends this vector.
    mutating func endDirectly(_ vector: Int32) {
        accessDirectly(0xb0, write: true) { $0.eoi(vector) }
    }

    /// L1 hooks the page: L2's access is handed to it. L1 runs now.
    mutating func accessHooked(_ offset: UInt64, write: Bool) {
        exitOfL2(.eptViolation, info1: write ? 2 : 1)
        emit(.pageFault(.init(vcpu: thread.vcpu, address: Self.page + offset, errorCode: write ? 2 : 1)))
        forward(.eptViolation)
        enter()
    }

    /// L2's EOI is hooked; L1 writes it, hardware says nothing, and L2 goes on.
    mutating func endHooked() {
        accessHooked(0xb0, write: true)
        resumeL2()
    }
}
