// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ListingTests {
    /// An L2 that writes L1's EOI register, on vCPU 0 of thread 500.
    private static let nested: [Listing.Line] = [
        .at(1_000_000_000, .exit(.init(reason: 24, vcpu: 0, rip: 0x100))),
        .at(1_000_000_500, .nestedVMEnter(.init(rip: 0x100, nestedRIP: 0x2000, eventInj: 0x8000_0030))),
        .at(1_000_001_499, .entry(.init(vcpu: 0, rip: 0x2000))),
        .at(1_000_001_500, .exit(.init(reason: 49, vcpu: 0, rip: 0x2004))),
        .at(1_000_002_000, .nestedVMExit(.init(reason: 49, vcpu: 0, rip: 0x2004))),
        .at(1_000_003_000, .mmio(.init(type: 2, gpa: 0xfee0_00b0))),
        .at(1_000_004_000, .eoi(.init(vcpu: 0, vector: 0x30))),
        .at(1_000_005_000, .entry(.init(vcpu: 0, rip: 0x2008))),
        .at(1_000_006_000, .exit(.init(reason: 1, vcpu: 0, rip: 0x2008))),
        .at(1_000_007_000, .nestedVMExit(.init(reason: 1, vcpu: 0, rip: 0x2008))),
        .at(1_000_008_000, .nestedVMExitInject(.init(exitCode: 1))),
        .at(1_000_009_000, .entry(.init(vcpu: 0, rip: 0x104))),
    ]

    @Test func `brackets spell out whose exit it is and what belongs to it`() {
        var listing = Listing()
        listing.options.brackets = true
        #expect(
            listing.text(Self.nested) == """
                    1.000000 [000]     500 0/0    L1 { kvm_exit:             vcpu 0 reason VMRESUME rip 0x100 info1 0x0 info2 0x0 intr_info 0x0
                    1.000001 [000]     500 0/0    L1     kvm_nested_vmenter:   rip 0x100 nested_rip 0x2000 int_ctl 0x0 event_inj 0x80000030
                    1.000001 [000]     500 0/0    L2 } kvm_entry:            vcpu 0 rip 0x2000
                    1.000002 [000]     500 0/0    L2 { kvm_exit:             vcpu 0 reason EPT_MISCONFIG rip 0x2004 info1 0x0 info2 0x0 intr_info 0x0
                    1.000002 [000]     500 0/0    L2     kvm_nested_vmexit:    vcpu 0 reason EPT_MISCONFIG rip 0x2004 info1 0x0 info2 0x0 intr_info 0x0
                    1.000003 [000]     500 0/0    L2     kvm_mmio:             type write len 4 gpa 0xfee000b0 val 0x0 reg EOI
                    1.000004 [000]     500 0/0    L2     kvm_eoi:              apicid 0 vector 0x30
                    1.000005 [000]     500 0/0    L2 } kvm_entry:            vcpu 0 rip 0x2008
                    1.000006 [000]     500 0/0    L2 { kvm_exit:             vcpu 0 reason EXTERNAL_INTERRUPT rip 0x2008 info1 0x0 info2 0x0 intr_info 0x0
                    1.000007 [000]     500 0/0    L2     kvm_nested_vmexit:    vcpu 0 reason EXTERNAL_INTERRUPT rip 0x2008 info1 0x0 info2 0x0 intr_info 0x0
                    1.000008 [000]     500 0/0    L2     kvm_nested_vmexit_inject: reason EXTERNAL_INTERRUPT info1 0x0 info2 0x0 int_info 0x0
                    1.000009 [000]     500 0/0    L1 } kvm_entry:            vcpu 0 rip 0x104

                """)
    }

    @Test func `an exit waits for its thread's next event, and what comes meanwhile waits behind it`() {
        let lines = Listing().text([
            .at(1_000_000_000, cpu: 0, tid: 500, .exit(.init(reason: 48, vcpu: 0))),
            .at(1_000_001_000, cpu: 1, tid: 501, .exit(.init(reason: 12, vcpu: 1))),
            .at(1_000_002_000, cpu: 1, tid: 501, .vcpuWakeup(.init(nanoseconds: 7, waited: true))),
            .at(1_000_003_000, cpu: 0, tid: 500, .nestedVMExit(.init(reason: 48, vcpu: 0))),
        ])
        #expect(
            lines == """
                    1.000000 [000]     500 0/0    L2 kvm_exit:             vcpu 0 reason EPT_VIOLATION rip 0x0 info1 0x0 info2 0x0 intr_info 0x0
                    1.000001 [001]     501 0/1    L1 kvm_exit:             vcpu 1 reason HLT rip 0x0 info1 0x0 info2 0x0 intr_info 0x0
                    1.000002 [001]     501 0/1    L1 kvm_vcpu_wakeup:      wait ns 7
                    1.000003 [000]     500 0/0    L2 kvm_nested_vmexit:    vcpu 0 reason EPT_VIOLATION rip 0x0 info1 0x0 info2 0x0 intr_info 0x0

                """)
    }

    @Test func `an exit whose next event is lost, or never comes, is of an unknown level`() {
        let gap = EventGap(instance: 0, cpu: 0, from: 1_000_000_000, to: 1_500_000_000, events: 12)
        let lines = Listing().text([
            .at(1_000_000_000, .exit(.init(reason: 12, vcpu: 0))),
            .lost(gap),
            .at(1_500_000_000, .exit(.init(reason: 12, vcpu: 0))),
            .lost(EventGap(instance: 0, cpu: 1, from: nil, to: nil, events: nil)),
        ])
        #expect(
            lines == """
                    1.000000 [000]     500 0/0    -  kvm_exit:             vcpu 0 reason HLT rip 0x0 info1 0x0 info2 0x0 intr_info 0x0
                    1.000000 [000] lost 12 events until 1.500000
                    1.500000 [000]     500 0/0    -  kvm_exit:             vcpu 0 reason HLT rip 0x0 info1 0x0 info2 0x0 intr_info 0x0
                    1.000000 [001] lost an unknown number of events, all that follow on this CPU

                """)
    }

    @Test func `where events of a process are lost any thread's exit may be of an unknown level`() {
        let gap = EventGap(
            instance: 0, cpu: 1, process: 100, from: 1_000_000_000, to: 1_500_000_000, events: 12)
        let lines: [Listing.Line] = [
            .at(1_000_000_000, .exit(.init(reason: 12, vcpu: 0))), .lost(gap),
            .at(1_500_000_000, .entry(.init(vcpu: 0))),
        ]
        #expect(
            Listing().text(lines) == """
                    1.000000 [000]     500 0/0    -  kvm_exit:             vcpu 0 reason HLT rip 0x0 info1 0x0 info2 0x0 intr_info 0x0
                    1.000000 [001] lost 12 events of process 100 until 1.500000
                    1.500000 [000]     500 0/0    -  kvm_entry:            vcpu 0 rip 0x0

                """)
    }

    @Test func `a thread that rests behind its exit doesn't hold up all the others for ever`() {
        let others = (0..<20_000).map { index in
            Listing.Line.at(1_000_000_001 + index, cpu: 1, tid: 501, .entry(.init(vcpu: 1)))
        }
        let lines = Listing().tails([.at(1_000_000_000, .exit(.init(reason: 12, vcpu: 0)))] + others)
        #expect(lines.count == 20_001)
        #expect(lines[0].hasPrefix("-  kvm_exit:"))
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("-  kvm_entry:") })
    }

    @Test func `with no nested exits recorded nobody waits and the level stays open`() {
        var listing = Listing()
        listing.recorded = [EventKindSet(.exit, .entry)]
        #expect(
            listing.tails([.at(1, .exit(.init(reason: 12, vcpu: 0))), .at(2, .entry(.init(vcpu: 0)))]) == [
                "-  kvm_exit:             vcpu 0 reason HLT rip 0x0 info1 0x0 info2 0x0 intr_info 0x0",
                "-  kvm_entry:            vcpu 0 rip 0x0",
            ])
    }

    @Test func `of an exit that is filtered out only its level's filter has to know the level`() {
        var listing = Listing()
        listing.options.level = .l2
        listing.options.kinds = EventKindSet(.exit, .entry)
        #expect(
            listing.text(Self.nested).split(separator: "\n").map { $0.prefix(12) } == [
                "    1.000001", "    1.000002", "    1.000005", "    1.000006",
            ])
        listing.options.level = .l1
        #expect(
            listing.text(Self.nested).split(separator: "\n").map { $0.prefix(12) } == ["    1.000000", "    1.000009"])
    }

    @Test func `a window keeps what came before it`() {
        var listing = Listing()
        listing.options.window = 1_000_005_000...1_000_007_000
        #expect(
            listing.tails(Self.nested) == [
                "L2 kvm_entry:            vcpu 0 rip 0x2008",
                "L2 kvm_exit:             vcpu 0 reason EXTERNAL_INTERRUPT rip 0x2008 info1 0x0 info2 0x0 intr_info 0x0",
                "L2 kvm_nested_vmexit:    vcpu 0 reason EXTERNAL_INTERRUPT rip 0x2008 info1 0x0 info2 0x0 intr_info 0x0",
            ])
        // The exit is the window's last, and its level becomes known behind it.
        listing.options.window = 1_000_006_000...1_000_006_000
        #expect(listing.tails(Self.nested).map { $0.prefix(12) } == ["L2 kvm_exit:"])
    }

    @Test func `a vCPU's events are its thread's and those aimed at it`() {
        let lines: [Listing.Line] = [
            .at(1_000_000_000, cpu: 0, tid: 500, .entry(.init(vcpu: 0))),
            .at(1_000_001_000, cpu: 1, tid: 501, .entry(.init(vcpu: 1))),
            .at(1_000_002_000, cpu: 0, tid: 500, .apicAcceptIRQ(.init(vcpu: 1, vector: 0x41))),
            .at(1_000_003_000, cpu: 0, tid: 400, .apicAcceptIRQ(.init(vcpu: 1, vector: 0x51))),
        ]
        var listing = Listing()
        listing.options.selection = Selection(vcpu: 1)
        #expect(
            listing.text(lines) == """
                    1.000001 [001]     501 0/1    -  kvm_entry:            vcpu 1 rip 0x0
                    1.000002 [000]     500 0/0    -  kvm_apic_accept_irq:  apicid 1 vec 0x41 mode fixed
                    1.000003 [000]     400 0/-    -  kvm_apic_accept_irq:  apicid 1 vec 0x51 mode fixed

                """)
    }

    @Test func `a VM goes by any of its vCPUs' threads`() {
        let lines: [Listing.Line] = [
            .at(1, tid: 500, .entry(.init(vcpu: 0))), .at(2, tid: 501, .entry(.init(vcpu: 1))),
            .at(3, tid: 900, .entry(.init(vcpu: 0))), .at(4, tid: 500, .entry(.init(vcpu: 0))),
            .at(5, tid: 900, .entry(.init(vcpu: 0))),
        ]
        var listing = Listing()
        listing.options.selection = Selection(vm: 900)
        #expect(
            listing.text(lines).split(separator: "\n").map { $0.dropFirst(19).prefix(12) } == [
                "    900 1/0 ", "    900 1/0 ",
            ])
        listing.options.selection = Selection(vm: 500)
        #expect(
            listing.text(lines).split(separator: "\n").map { $0.dropFirst(19).prefix(12) } == [
                "    500 0/0 ", "    501 0/1 ", "    500 0/0 ",
            ])
    }

    @Test(arguments: [
        ("local", TraceClock.Unit.nanoseconds, "    1.500000 [000]"), ("boot", .nanoseconds, "  1499999500 [000]"),
        ("x86-tsc", .ticks, "  1499999500 [000]"),
    ])
    func `times are as trace-cmd prints them`(clock: String, unit: TraceClock.Unit, expected: String) {
        let listing = Listing(clock: TraceClock(name: clock, unit: unit))
        #expect(listing.text([.at(1_499_999_500, .entry(.init(vcpu: 0)))]).hasPrefix(expected))
    }
}
