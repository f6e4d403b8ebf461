// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// `analyze --what-if inhibit-on-l2-access`.
@Suite struct InhibitOnL2AccessTests {
    private func whatIf(_ trace: Trace, window: ClosedRange<UInt64>? = nil) throws -> Report.WhatIf {
        try #require(trace.outcome(window: window, policy: .inhibitOnL2Access).report.whatIf)
    }

    private func vm(_ trace: Trace, window: ClosedRange<UInt64>? = nil) throws -> Report.WhatIf.VM {
        let vms = try whatIf(trace, window: window).vms
        #expect(vms.count == 1)
        return try #require(vms.first)
    }

    /// L2 faults on the page, and an MMIO SPTE is installed.
    private func faultIn(_ trace: inout Trace) {
        trace.exitOfL2(.eptViolation, info1: 2)
        trace.emit(
            .pageFault(.init(vcpu: 0, address: Trace.page + 0xb0, errorCode: 2)), .markMMIOSPTE(.init(gfn: 0xfee00)),
            .mmio(.init(type: 2, gpa: Trace.page + 0xb0)))
        trace.enter()
    }

    /// A vector acknowledged in L1 and ended by L2.
    private func cross(_ trace: inout Trace) {
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        trace.endDirectly(0x30)
    }

    @Test func `nobody asks, and nothing is told`() {
        var trace = Trace.inL2()
        trace.accessDirectly(0x20, write: false)
        #expect(trace.outcome().report.whatIf == nil)
    }

    @Test func `the inhibit comes with L2's first fault on the page, and the verdict stays`() throws {
        var trace = Trace.inL2()
        let before = trace.time
        faultIn(&trace)
        trace.accessDirectly(0x20, write: false)
        let vm = try vm(trace)
        #expect(vm.outcome == .inhibited)
        #expect(vm.trigger?.event == "mark_mmio_spte")
        // After the exit, its nested twin and the fault.
        #expect(vm.trigger?.time == before + 4000)
        #expect(!vm.isLate)
        #expect(vm.l2Direct.reads == 1 && vm.l2Direct.writes == 1)
        #expect(vm.l2Direct.registers["ID"]?.reads == 1)
        let asked = trace.outcome(policy: .inhibitOnL2Access).report
        var report = asked
        report.whatIf = nil
        #expect(report == trace.outcome().report)
        #expect(asked.verdict == .exposed)
    }

    @Test func `without MMIO caching the fault is the page fault itself`() throws {
        var trace = Trace.inL2()
        trace.exitOfL2(.eptViolation, info1: 2)
        trace.emit(
            .pageFault(.init(vcpu: 0, address: Trace.page + 0xb0, errorCode: 2)),
            .mmio(.init(type: 2, gpa: Trace.page + 0xb0)))
        trace.enter()
        let vm = try vm(trace)
        #expect(vm.trigger?.event == "kvm_page_fault")
        #expect(!vm.isLate)
    }

    @Test func `an SPTE that was there before shows that the inhibit would have come earlier`() throws {
        var trace = Trace.inL2()
        trace.accessDirectly(0x20, write: false)
        let vm = try vm(trace)
        #expect(vm.trigger?.event == "handle_mmio_page_fault")
        #expect(vm.isLate)
        #expect(try whatIf(trace).limits.contains { $0.contains("at the latest") })
    }

    @Test func `an L2 whose accesses L1 hooks changes nothing`() throws {
        var trace = Trace.inL2()
        trace.accessHooked(0x80, write: true)
        let vm = try vm(trace)
        #expect(vm.outcome == .notReached)
        #expect(vm.trigger == nil && vm.cost == nil && vm.l2Direct.reads == nil)
    }

    @Test func `without kvm_mmio or kvm_nested_vmexit no access is no news`() throws {
        for missing in [EventKind.mmio, .nestedVMExit] {
            var trace = Trace(recorded: EventKindSet(rawValue: .max).subtracting(EventKindSet(missing)))
            trace.createVM()
            trace.exitOfL1()
            trace.enter()
            #expect(try vm(trace).outcome == .unknown)
        }
    }

    @Test func `with APICv inhibited KVM's check fails; once it is active L2's next access sets the inhibit`() throws {
        var trace = Trace.inL2()
        trace.blockIRQ(true)
        faultIn(&trace)
        #expect(try vm(trace).outcome == .alreadyInhibited)
        trace.blockIRQ(false)
        trace.accessDirectly(0x20, write: false)
        let vm = try vm(trace)
        #expect(vm.outcome == .inhibited)
        #expect(vm.isLate)
        #expect(vm.l2Direct.reads == 1 && vm.l2Direct.writes == 0)
    }

    @Test func `what APICv was at L2's access is told by what comes later, or not at all`() throws {
        var trace = Trace()
        trace.resumeL2()
        faultIn(&trace)
        #expect(try vm(trace).outcome == .unknown)
        #expect(try vm(trace).trigger == nil)
        var active = trace
        active.exitOfL2()
        active.emit(.apicvAcceptIRQ(.init(vcpu: 0, deliveryMode: 0, vector: 0x31)))
        active.enter()
        #expect(try vm(active).outcome == .inhibited)
        #expect(try vm(active).trigger?.event == "mark_mmio_spte")
        // It ran before the trace, and may have reached the page then.
        #expect(try vm(active).isLate)
        // BLOCKIRQ was set before this event, which changes another bit.
        trace.inhibit(reason: 5, set: true, mask: 0x28)
        #expect(try vm(trace).outcome == .unknown)
    }

    @Test func `x2APIC's registers are none of its business`() throws {
        var trace = Trace.inL2()
        trace.exitOfL2(.msrWrite)
        trace.emit(.msr(.init(isWrite: true, index: 0x83f, value: 0x41)))
        trace.enter()
        #expect(try vm(trace).outcome == .notReached)
        #expect(try whatIf(trace).limits.contains { $0.contains("x2APIC's registers once,") })
    }

    @Test func `a loss whose chain begins after the inhibit would have been on the emulation path`() throws {
        var trace = Trace.inL2()
        faultIn(&trace)
        cross(&trace)
        let seen = trace.outcome(policy: .inhibitOnL2Access).report
        let loss = try #require(seen.findings.first { $0.rule == .staleSVI })
        #expect(loss.grade > .exposed)
        #expect(seen.whatIf?.vms[0].findings == [.init(id: loss.id, path: .emulated)])
    }

    @Test func `a loss whose chain begins before it is not claimed`() throws {
        var trace = Trace.inL2()
        trace.accept(0x30)
        trace.offer(passingOn: 0x30)
        // What ended it was L2's very first access.
        trace.exitOfL2(.eptViolation, info1: 2)
        trace.emit(
            .pageFault(.init(vcpu: 0, address: Trace.page + 0xb0, errorCode: 2)), .markMMIOSPTE(.init(gfn: 0xfee00)),
            .mmio(.init(type: 2, gpa: Trace.page + 0xb0)), .eoi(.init(vcpu: 0, vector: 0x30)))
        trace.enter()
        let seen = trace.outcome(policy: .inhibitOnL2Access).report
        let loss = try #require(seen.findings.first { $0.rule == .staleSVI })
        #expect(seen.whatIf?.vms[0].findings == [.init(id: loss.id, path: .before)])
    }

    @Test func `of a VM that ran before the trace, or lost events, an earlier trigger may be missing`() throws {
        var late = Trace()
        late.resumeL2()
        late.exitOfL2()
        late.emit(.apicvAcceptIRQ(.init(vcpu: 0, deliveryMode: 0, vector: 0x31)))
        late.enter()
        var lossy = Trace.inL2()
        lossy.gap(cpu: 9)
        for var trace in [late, lossy] {
            #expect(try vm(trace).outcome == .unknown)
            trace.accept(0x30)
            trace.offer(passingOn: 0x30)
            faultIn(&trace)
            trace.endDirectly(0x30)
            let report = trace.outcome(policy: .inhibitOnL2Access).report
            #expect(report.whatIf?.vms[0].outcome == .inhibited)
            #expect(report.whatIf?.vms[0].isLate == true)
            let loss = report.findings.first { $0.rule == .staleSVI }
            #expect(loss != nil)
            #expect(report.whatIf?.vms[0].findings.map(\.path) == [.unknown])
        }
    }

    @Test func `a time that ends may end before L2 reaches the page`() throws {
        let trace = Trace.inL2()
        #expect(try vm(trace).outcome == .notReached)
        #expect(try vm(trace, window: 0...trace.time).outcome == .unknown)
    }

    @Test func `where no event shows the acknowledgement it may have come before`() throws {
        var trace = Trace.inL2()
        faultIn(&trace)
        // L1 took it in silence, before or after.
        trace.accept(0x61)
        trace.endDirectly(0x61)
        let report = trace.outcome(policy: .inhibitOnL2Access).report
        for finding in report.findings where finding.rule == .staleSVI {
            #expect(!finding.crossings.contains { !$0.inferred })
            #expect(report.whatIf?.vms[0].findings.first { $0.id == finding.id }?.path == .unknown)
        }
    }

    @Test func `a loss without a cause that shows is no business of the inhibit's that shows`() throws {
        var trace = Trace.takingInterrupts()
        trace.accept(0x41)
        trace.runL2(entries: 60, over: 400)
        let report = trace.outcome(policy: .inhibitOnL2Access).report
        let loss = try #require(report.findings.first { $0.rule == .lostAccept })
        #expect(report.whatIf?.vms[0].findings == [.init(id: loss.id, path: .unknown)])
    }

    @Test func `the cost counts what was accepted, not merged and not ended by an exit, while nothing else inhibits`()
        throws
    {
        var trace = Trace.inL2()
        trace.exitOfL2()
        trace.accept(0x41)
        trace.enter()
        faultIn(&trace)
        let since = trace.time - 2000
        trace.exitOfL2()
        trace.accept(0x30)
        trace.accept(0x30)
        trace.inject(0x30)
        trace.enter()
        trace.endDirectly(0x30)
        trace.deliver(0x51)
        trace.after(ms: 5)
        trace.exitOfL2()
        trace.enter()
        let cost = try #require(try vm(trace).cost)
        #expect(cost.accepted == 3)
        #expect(cost.coalesced == 1)
        #expect(cost.eoiExits == 1)
        #expect(cost.duration == trace.time - since)
        let exits = cost.exits
        trace.blockIRQ(true)
        trace.after(ms: 7)
        trace.deliver(0x52)
        trace.blockIRQ(false)
        let until = trace.time
        trace.deliver(0x53)
        let later = try #require(try vm(trace).cost)
        #expect(later.accepted == 4)
        #expect(later.exits == exits + 1)
        #expect(later.duration.map { $0 < until - 7_000_000 } == true)
        // An interrupt that was taken before ends after: its EOI is none of those that were counted.
        var early = Trace.inL2()
        early.accept(0x61)
        early.offer(passingOn: 0x61)
        faultIn(&early)
        early.exitOfL2()
        early.accept(0x41)
        early.enter()
        early.endDirectly(0x61)
        #expect(try vm(early).cost?.eoiExits == 1)
    }

    @Test func `without kvm_apic_accept_irq there is no cost`() throws {
        var trace = Trace(recorded: EventKindSet(rawValue: .max).subtracting(EventKindSet(.apicAcceptIRQ)))
        trace.createVM()
        trace.resumeL2()
        faultIn(&trace)
        #expect(try vm(trace).outcome == .inhibited)
        #expect(try vm(trace).cost == nil)
    }

    @Test func `an inhibit from before the time that is asked for still holds, and its counts begin there`() throws {
        var trace = Trace.inL2()
        faultIn(&trace)
        trace.deliver(0x31)
        trace.after(ms: 1)
        let window = trace.time...(trace.time + 50_000_000)
        trace.after(ms: 1)
        trace.deliver(0x32)
        trace.accessDirectly(0x20, write: false)
        let vm = try vm(trace, window: window)
        #expect(vm.outcome == .inhibited)
        #expect(vm.trigger.map { $0.time < window.lowerBound } == true)
        #expect(vm.l2Direct.reads == 1 && vm.l2Direct.writes == 0)
        #expect(vm.cost?.accepted == 1)
        #expect(vm.cost?.exits == 2)
        #expect(vm.cost?.duration == trace.time - window.lowerBound)
    }

    @Test func `lost events are told`() throws {
        var trace = Trace.inL2()
        trace.gap(cpu: 0)
        trace.resumeL2()
        faultIn(&trace)
        #expect(try whatIf(trace).limits.contains { $0.contains("Events were lost") })
    }

    @Test(arguments: [
        (["DISABLED", "HYPERV", "ABSENT", "L2_PASSTHROUGH_ACCESS", "NESTED"], "L2_PASSTHROUGH_ACCESS", 3),
        (["DISABLED", "", "NESTED", "NESTED_APIC_ACCESS"], "NESTED_APIC_ACCESS", 3),
        (InhibitNames.from617 + ["L2_APIC_DIRECT"], "L2_APIC_DIRECT", 13),
    ])
    func `a kernel's own inhibit of that kind is known by its name, whatever its number`(
        spelled: [String], name: String, bit: Int
    ) throws {
        var trace = Trace()
        trace.info.inhibitNames = spelled
        trace.createVM()
        trace.resumeL2()
        let report = trace.outcome(policy: .inhibitOnL2Access).report
        #expect(report.host.inhibitOnL2Access == .init(name: name, bit: bit))
        #expect(report.host.description.contains("(\(name), bit \(bit))"))
        #expect(
            report.text(style: TextStyle()).contains("This kernel has such an inhibit itself: \(name), bit \(bit)."))
    }

    @Test func `no kernel so far has one`() {
        for names in [
            InhibitNames.from510, InhibitNames.from518, InhibitNames.from519, InhibitNames.from61, InhibitNames.from65,
            InhibitNames.from612, InhibitNames.from617,
        ] {
            #expect(InhibitNames(spelled: names, kernel: nil).onL2Access == nil)
        }
    }

    @Test func `text and mail tell it, and the mail's command asks for it`() throws {
        var trace = Trace.inL2()
        faultIn(&trace)
        cross(&trace)
        let report = trace.outcome(policy: .inhibitOnL2Access).report
        for text in [report.text(style: TextStyle()), report.mail()] {
            let words = text.split(whereSeparator: { " \n".contains($0) }).joined(separator: " ")
            #expect(words.contains("(inhibit-on-l2-access)?"))
            #expect(words.contains("mark_mmio_spte, L2 faults on L1's APIC page."))
            #expect(words.contains("all that shows it came later"))
            #expect(words.contains("Cost, as far as it can be counted: "))
        }
        #expect(report.mail().contains("--what-if inhibit-on-l2-access"))
        #expect(!trace.outcome().report.text(style: TextStyle()).contains("What if"))
    }
}
