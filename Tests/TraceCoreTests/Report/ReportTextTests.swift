// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ReportTextTests {
    @Test func `a lost interrupt is reported on one screen`() {
        #expect(
            SampleReports.lost.text(style: .init()) == """
                CONFIRMED     Interrupts are lost: vector 0x30, vCPU 0 of qemu-system-x86 (pid 214), since
                              +33.857742 s (trace time 72.372469).
                              bitvisor.dat, trace.dat v7 zstd, 754251 events in 39.676450 s, 2 CPUs, clock local,
                              Linux host 6.1.0-55-amd64 x86_64

                stale-svi, confirmed, in part inferred: vCPU 0 of qemu-system-x86 (pid 214)
                  When      +33.857742 s (trace time 72.372469) to +39.676450 s (trace time 78.191177), 399 times
                  Why       L1 acknowledged vector 0x30 and L2 ended it; every later 0x30 was accepted and none
                            delivered.
                  Do now    Run a kernel that has the fix.
                  Not known L1's own deliveries are silent under virtual-interrupt delivery.
                  Crossing  0x30 acknowledged in L1, ended in L2 (inferred)
                  Stuck     0x51: received, in service still, and blocking
                  Shown by  lost-accept
                  APICv     active, inferred
                  Registers EOI 1 write; ISR 8 reads
                  Ledger    0x30: accepted 401 in L2; acknowledged 1 in L1, reinjected 0; ended 1 in L2; coalesced
                            ?; outstanding 399: unexplained
                  Chain     4 of 801 events: since begin, trace time, thread, event
                    +33.857700  72.372427  216  kvm_nested_vmenter   event_inj 0x80000030
                    +33.857742  72.372469  216  kvm_eoi              vcpu 0 vector 0x30
                    +33.861700  72.376427  216  kvm_apic_accept_irq  vcpu 0 vector 0x30
                    +33.861790  72.376517  216  kvm_nested_vmenter   event_inj 0x00000030: L1 got nothing
                  More      apictrace explain stale-svi; https://git.kernel.org/linus/04bc93cf49d1

                  Noticed   vCPU 0 of qemu-system-x86 (pid 214): 0x81, level-triggered: accepted 80 times. From
                            +33.000000 s (trace time 71.514727) to +33.004400 s (trace time 71.519127).

                  Doubt     Whether APICv was inhibited before the trace began: the inhibit mask was never recorded.

                  Record next time, while it happens:
                    trace-cmd record -b 16384 -e kvm:kvm_apicv_inhibit_changed

                """)
    }

    @Test func `a clean report says what was looked at`() {
        #expect(
            SampleReports.clean.text(style: .init()) == """
                CLEAN         Nothing that loses interrupts between L1 and L2 shows in this trace.
                              bitvisor.dat, trace.dat v7 zstd, 754251 events in 39.676450 s, 2 CPUs, clock local,
                              Linux host 6.1.0-55-amd64 x86_64

                Host: VMX; KVM's fix for stale SVI unknown (release): 6.1.0-55-amd64 is of an unknown build
                qemu-system-x86 (pid 214)
                  APICv inhibited 0x28 (BLOCKIRQ, APIC_ID_MODIFIED), set by thread 214: +0.000000 to +9.000000 s
                  APICv active, set by thread 214: +9.000000 to +39.676450 s
                  vCPU 0, thread 216: exits 3 from L1, 3110 from L2; L1's APIC used by L2: direct never, hooked by
                  L1 2990 writes

                """)
    }

    @Test func `the verdict fits in a line`() {
        #expect(
            SampleReports.lost.verdictLine == """
                confirmed: Interrupts are lost: vector 0x30, vCPU 0 of qemu-system-x86 (pid 214), since +33.857742 s \
                (trace time 72.372469).
                """)
        #expect(
            SampleReports.clean.verdictLine
                == "clean: Nothing that loses interrupts between L1 and L2 shows in this trace.")
    }

    @Test func `a long chain keeps its begin and its end`() {
        var report = SampleReports.lost
        let event = report.findings[0].evidence[0]
        report.findings[0].evidence = (1...32).map { number in
            var event = event
            event.text = "event \(number)"
            return event
        }
        let lines = report.text(style: .init()).split(separator: "\n")
        #expect(lines.count < 50)
        #expect(
            lines.compactMap { $0.firstMatch(of: /event (\d+)$/)?.1 ?? ($0 == "    ..." ? "..." : nil) }
                == ["1", "2", "3", "4", "5", "6", "7", "8", "9", "...", "28", "29", "30", "31", "32"])
        #expect(lines.contains("  Chain     14 of 801 events: since begin, trace time, thread, event"))
    }

    @Test func `many vectors leave the answer on one screen`() {
        var report = SampleReports.lost
        report.findings[0].vectors = (0x30..<0x50).map { Hex.vector($0) }
        report.findings[0].crossings = report.findings[0].vectors.map {
            .init(vector: $0, ackLevel: .l2, eoiLevel: .l1, inferred: false)
        }
        report.vms[0].vcpus[0].interrupts = report.findings[0].vectors.map { vector in
            var line = report.vms[0].vcpus[0].interrupts[0]
            line.vector = vector
            return line
        }
        let text = report.text(style: .init())
        #expect(text.contains("vectors 0x30, 0x31, 0x32, 0x33, 0x34, 0x35 and 26 more, vCPU 0"))
        #expect(
            text.contains(
                """
                  Crossing  0x33 acknowledged in L2, ended in L1
                            and 28 more

                """))
        #expect(text.split(separator: "\n").count < 50)
    }

    @Test func `further findings are short`() {
        var report = SampleReports.lost
        var exposed = report.findings[0]
        (exposed.rule, exposed.grade, exposed.vectors) = (.l2APICDirect, .exposed, [])
        exposed.explanation = "L2 wrote EOI."
        report.findings += Array(repeating: exposed, count: 10)
        let text = report.text(style: .init())
        #expect(
            text.contains(
                """

                exposed       l2-apic-direct: vCPU 0 of qemu-system-x86 (pid 214), 399 times since +33.857742 s
                              (trace time 72.372469). L2 wrote EOI.
                exposed       l2-apic-direct: vCPU 0

                """.dropLast(1)))
        #expect(text.contains("              and 2 more: --json has them all\n"))
    }

    @Test func `losses and a cut are doubts`() {
        var report = SampleReports.clean
        report.verdict = .inconclusive
        report.loss = .init(
            known: 12, unknownGaps: 1, overrun: 40, gapsTotal: 3,
            gaps: [.init(instance: 0, cpu: 1, from: 5, to: 9, events: nil)])
        report.source.cut = .init(offset: 4096, expected: "a page header")
        #expect(
            report.text(style: .init()).hasSuffix(
                """

                  Doubt     40 events were lost in 3 gaps. Larger buffers (trace-cmd's -b) or fewer events help.
                  Doubt     The file is cut or damaged at byte 4096, where a page header was expected; what can be
                            read counts.

                """))
    }

    @Test func `of what one VM lost its name is reported, and nothing where others alone were asked for`() {
        var report = SampleReports.clean
        report.loss = .init(
            known: 12, unknownGaps: 0, overrun: 12, ofVMs: 12, gapsTotal: 1,
            gaps: [.init(instance: 0, cpu: 1, process: 214, from: 5, to: 9, events: 12)])
        report.vms[0].eventsLost = 12
        #expect(report.text(style: .init()).contains("12 events were lost in 1 gap, all of VM 0. Larger buffers"))
        report.selection = .init(
            vm: 214, vcpu: nil, vms: ["process 214"], vcpus: [], from: nil, to: nil)
        #expect(report.text(style: .init()).contains("12 events were lost in 1 gap, all of VM 0."))
        report.vms[0].eventsLost = nil
        #expect(!report.text(style: .init()).contains("were lost in"))
        report.loss.overrun = 13
        #expect(report.text(style: .init()).contains("13 events were lost in 1 gap. Larger buffers"))
    }

    @Test func `no word of a file gets into the line that root is to paste`() {
        var trace = Trace(recorded: EventKindSet(rawValue: .max).subtracting(.init(.eoi)))
        let hostile = "x: trace-cmd record -e sched; reboot"
        trace.info.commands = [Trace.Thread.vmm.tid: hostile, Trace.Thread.vcpu0.tid: hostile]
        trace.info.kernel = "6.1.0 trace-cmd record -e sched; reboot"
        trace.createVM()
        trace.resumeL2()
        trace.accessDirectly(0x20, write: false)
        let report = trace.outcome().report
        #expect(report.recordCommand?.contains("-e kvm:kvm_eoi") == true)
        #expect(report.recordCommand?.wholeMatch(of: /trace-cmd record -b \d+( -e [a-z]+:[a-z_]+)+/) != nil)
        let text = report.text(style: .init(width: 4000))
        #expect(text.contains(hostile))
        #expect(text.contains("  Record next time, while it happens:\n    \(report.recordCommand ?? "")\n"))
    }

    @Test func `what holds for every recording is no doubt about this one`() {
        var report = SampleReports.clean
        report.unknowns = [.init(text: "L1's own deliveries leave no event.", standing: true)]
        let text = report.text(style: .init())
        #expect(!text.contains("Doubt"))
        #expect(text.hasSuffix("\n  Always    L1's own deliveries leave no event.\n"))
    }

    @Test func `a page that is longer than the terminal ends with its verdict`() {
        let text = SampleReports.lost.text(style: .init())
        #expect(SampleReports.lost.text(style: .init(), rows: 200) == text)
        let long = SampleReports.lost.text(style: .init(), rows: 24)
        #expect(long.hasPrefix(text))
        #expect(long.hasSuffix("\n\n" + text.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n"))
    }

    @Test func `of an exposed trace the headline says whether a loss could have shown`() {
        var report = SampleReports.clean
        report.verdict = .exposed
        report.findings = SampleReports.lost.findings
        (report.findings[0].rule, report.findings[0].grade, report.findings[0].vectors) = (.l2APICDirect, .exposed, [])
        #expect(report.verdictLine.contains("while APICv is active; no loss is shown: vCPU 0"))
        report.unknowns = SampleReports.lost.unknowns
        #expect(report.verdictLine.contains("; a loss could not show, for events are missing: vCPU 0"))
        report.unknowns = []
        report.loss.gapsTotal = 1
        #expect(report.verdictLine.contains("; what was lost of the trace may hold a loss: vCPU 0"))
        (report.loss.known, report.loss.ofVMs) = (5, 5)
        #expect(report.verdictLine.contains("; no loss is shown: vCPU 0"))
        report.vms[0].eventsLost = 5
        #expect(report.verdictLine.contains("; what was lost of the trace may hold a loss: vCPU 0"))
        report.host.sviFix = .init(state: .present, basis: .kallsyms, evidence: "symbol")
        #expect(report.verdictLine.contains("; KVM has the fix, which makes that harmless: vCPU 0"))
    }

    @Test func `vectors that are lost elsewhere are in the headline too`() {
        var report = SampleReports.lost
        var other = report.findings[0]
        (other.vcpu, other.vectors, other.grade) = (1, ["0x81", "0x91"], .suspect)
        report.findings.append(other)
        #expect(report.verdictLine.hasSuffix(" Also vectors 0x81 and 0x91 on vCPU 1 (suspect)."))
    }

    @Test func `what a format lets one guess of the fix does not stand beside a loss that says otherwise`() {
        var report = SampleReports.lost
        #expect(!report.text(style: .init()).contains("KVM's fix"))
        report.findings[0].grade = .hazard
        #expect(report.text(style: .init()).contains("  KVM's fix unknown (release): "))
        report.findings[0].grade = .confirmed
        report.host.sviFix = .init(state: .absent, basis: .kallsyms, evidence: "no symbol")
        #expect(report.text(style: .init()).contains("  KVM's fix absent (kallsyms): no symbol"))
    }

    @Test func `a clock that doesn't count time keeps its numbers`() {
        var report = SampleReports.lost
        report.source.clock = .init(name: "x86-tsc", unit: .ticks)
        let text = report.text(style: .init())
        #expect(
            text.contains("  When      +33857742000 (trace time 72372469000) to +39676450000 (trace time 78191177000)"))
        #expect(text.contains("    +33857742000  72372469000  216  kvm_eoi              vcpu 0 vector 0x30\n"))
        #expect(text.contains("754251 events, 2 CPUs, clock x86-tsc"))
    }

    @Test func `a trace can't write to the terminal`() {
        var report = SampleReports.lost
        report.vms[0].command = "qemu\u{1b}[2J\u{9b}1m\r"
        report.findings[0].evidence[0].event = "kvm\u{7}"
        let text = report.text(style: .init())
        #expect(text.contains(#"vCPU 0 of qemu\x1b[2J\x9b1m\x0d (pid 214)"#))
        #expect(report.verdictLine.contains(#"vCPU 0 of qemu\x1b[2J\x9b1m\x0d (pid 214)"#))
        #expect(!text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || (0x7f...0x9f).contains($0.value) })
    }

    @Test func `colour adds nothing but colour`() throws {
        let coloured = SampleReports.lost.text(style: .init(colour: true))
        #expect(coloured.hasPrefix("\u{1b}[31;1mCONFIRMED\u{1b}[0m     Interrupts are lost"))
        #expect(coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "") == SampleReports.lost.text(style: .init()))
    }

    @Test func `a clean report has the busiest vectors' ledger, and what it rests on`() {
        var report = SampleReports.clean
        report.reasons = ["No L2 ran."]
        let line = SampleReports.lost.vms[0].vcpus[0].interrupts[0]
        report.vms[0].vcpus[0].interrupts = (1...5).map { count in
            var line = line
            (line.vector, line.accepted.l2) = ("0x4\(count)", UInt64(count))
            return line
        }
        let text = report.text(style: .init(width: 200))
        #expect(text.contains("              No L2 ran.\n"))
        let lines = text.split(separator: "\n").filter { $0.contains("accepted") }
        #expect(
            lines.map { $0.prefix(18) }
                == ["  vCPU 0, 0x45: acc", "  vCPU 0, 0x44: acc", "  vCPU 0, 0x43: acc"].map { $0.prefix(18) })
    }

    @Test func `of many observations the first are shown`() {
        var report = SampleReports.clean
        report.observations = Array(repeating: SampleReports.lost.observations[0], count: 11)
        let text = report.text(style: .init(width: 200))
        #expect(text.split(separator: "\n").count { $0.contains("Noticed") } == 8)
        #expect(text.contains("and 3 more: --json has them all"))
    }

    @Test func `a narrow terminal gets narrow lines`() {
        let lines = SampleReports.lost.text(style: .init(width: 70)).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 70 })
    }
}
