// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Perfetto's trace of a report: packets in, lines out. Perfetto itself opens such files in Tests/Outputs/perfetto.py.
@Suite struct PerfettoTests {
    static func lines(_ report: Report, _ timeline: borrowing Timeline = Timeline()) throws -> [String] {
        final class Bytes {
            var all: [UInt8] = []
        }
        let bytes = Bytes()
        try report.perfetto(timeline) { bytes.all += $0 }
        return try PerfettoPackets(bytes.all).lines
    }

    @Test func `an IPI, what it leads to, and the exits meanwhile`() throws {
        let watched = WatchedTrace(.ipiTakenByL2)
        let lines = try Self.lines(watched.report, watched.timeline)
        let steps = lines.filter { $0.contains("[interrupt=") }
        for step in [
            "IPIs of vCPU 1 of VM 0: instant IPI 0x41 ->1 [interrupt=1]",
            "/ 0x41 waits: begin 0x41 ->1 [level=L2] [interrupt=1]",
            "/ 0x41 in service: begin 0x41 ->1 [level=L2] [by=kvm_inj_virq] [fate=ended] [interrupt=1]",
            "/ EOI: instant EOI 0x41 -|1 [level=L2] [interrupt=1]",
        ] {
            #expect(steps.count { $0.hasSuffix(step) } == 1, "\(step): \(steps)")
        }
        #expect(steps.count == 4)
        #expect(lines.count { $0.hasSuffix(" / vCPU 1, thread 102 / exits: begin APIC_WRITE [level=L1]") } == 1)
        #expect(lines.contains { $0.hasSuffix(" / vCPU 0, thread 101 / level: begin L2") })
        // Each begin has its end.
        #expect(lines.count { $0.contains(": begin") } == lines.count { $0.hasSuffix(": end") })
    }

    @Test func `findings are instants with their text, and so is each event of their evidence`() throws {
        let lines = try Self.lines(SampleReports.lost)
        let findings = "qemu-system-x86 (pid 214) / vCPU 0, thread 216 / findings"
        #expect(
            lines.filter { $0.contains("/ findings") } == [
                "72372469000 \(findings): instant stale-svi-0-0 stale-svi, confirmed [id=stale-svi-0-0] [rule=stale-svi] "
                    + "[grade=confirmed] [vectors=0x30] [stuck=0x51] [count=399] [inferred=1] "
                    + "[why=L1 acknowledged vector 0x30 and L2 ended it; every later 0x30 was accepted and none delivered.] "
                    + "[do=Run a kernel that has the fix.]",
                "72372427000 \(findings) / evidence of stale-svi-0-0: instant kvm_nested_vmenter [text=event_inj 0x80000030]",
                "72372469000 \(findings) / evidence of stale-svi-0-0: instant kvm_eoi [text=vcpu 0 vector 0x30]",
                "72376427000 \(findings) / evidence of stale-svi-0-0: instant kvm_apic_accept_irq "
                    + "[text=vcpu 0 vector 0x30]",
                "72376517000 \(findings) / evidence of stale-svi-0-0: instant kvm_nested_vmenter "
                    + "[text=event_inj 0x00000030: L1 got nothing]",
            ])
    }

    @Test func `a healthy guest's changes of the mask are slices and counters`() throws {
        let vm = "qemu-system-x86 (pid 214)"
        #expect(
            try Self.lines(SampleReports.clean).filter { $0.contains(vm) } == [
                "38514727000 \(vm) / APICv: begin inhibited 0x28 (BLOCKIRQ, APIC_ID_MODIFIED), set by thread 214",
                "47514727000 \(vm) / APICv: end",
                "38514727000 \(vm) / inhibit mask: counter 40",
                "38514727000 \(vm) / APICv active: counter 0",
                "47514727000 \(vm) / APICv: begin active, set by thread 214",
                "78191177000 \(vm) / APICv: end",
                "47514727000 \(vm) / inhibit mask: counter 0",
                "47514727000 \(vm) / APICv active: counter 1",
            ])
    }

    @Test func `names and texts from a hostile file stay text`() throws {
        var report = SampleReports.lost
        let name = "\u{1b}[31m\n\"}]</script>\u{202e}\0\u{8}%s"
        report.vms[0].command = name
        report.findings[0].explanation = name
        let lines = try Self.lines(report)
        #expect(lines.contains { $0.contains("\(name) (pid 214) / APICv: begin") })
        #expect(lines.contains { $0.contains("[why=\(name)]") })
        #expect(try lines.count == Self.lines(SampleReports.lost).count)
    }

    @Test func `a failed write ends it`() {
        struct Full: Error {}
        #expect(throws: Full.self) { try SampleReports.lost.perfetto(Timeline()) { _ in throw Full() } }
    }

    @Test func `lost events are slices, by CPU and on the vCPU`() throws {
        var trace = Trace.inL2()
        trace.runL2(entries: 2)
        trace.gap(cpu: 0, events: 7)
        trace.exitOfL2()
        trace.enter()
        let watched = WatchedTrace(trace)
        let lines = try Self.lines(watched.report, watched.timeline)
        #expect(lines.contains { $0.hasSuffix("Events lost / CPU 0: begin events lost [events=7]") })
        #expect(lines.count { $0.hasSuffix("vCPU 0, thread 101 / exits: begin events lost") } == 1)
    }
}
