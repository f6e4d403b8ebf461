// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What a timer notices, and what stays in the kernel, through a file.
@Suite struct RecordedLiveTests {
    private var info: TraceInfo {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 2)
        info.recordedKinds = EventKindSet(rawValue: .max)
        info.kernel = "6.12.0"
        return info
    }

    /// vCPU 0 sleeps on 0x41 with interrupts on for 150 ms, another one goes on; a look every 10 ms.
    private static func tell(_ sink: inout some EventSink & ~Copyable) {
        let (sleeping, busy): (Int32, Int32) = (101, 102)
        for (vcpu, tid) in [sleeping, busy].enumerated() {
            sink.thread(tid, of: 100)
            sink.state(
                VCPUState(
                    vm: 0x1000, process: 100, vcpu: Int32(vcpu), inhibits: 2, isAPICvActive: false,
                    isGuestMode: vcpu == 0, hasLAPIC: true, vmx: nil),
                at: EventStamp(time: 1_000_000, cpu: 0, tid: tid))
        }
        sink.event(.leave(.hlt), at: EventStamp(time: 2_000_000, cpu: 0, tid: sleeping))
        sink.event(.nested(.hlt), at: EventStamp(time: 2_000_000, cpu: 0, tid: sleeping))
        sink.event(.accept(0x41), at: EventStamp(time: 3_000_000, cpu: 0, tid: sleeping))
        sink.lapic(
            LAPICReading(
                vcpu: 0, occasion: .asleep, words: LAPICWords(irr: [0x41] as [UInt8], isr: [], tpr: 0, ppr: 0),
                interruptFlag: true, isAPICEnabled: true),
            at: EventStamp(time: 60_000_000, cpu: 0, tid: sleeping))
        for beat in 1...15 as ClosedRange<UInt64> {
            let time = 3_000_000 + beat * 10_000_000
            sink.event(
                .eoi(.init(vcpu: 1, vector: 0x51)), at: EventStamp(time: time - 1_000_000, cpu: 1, tid: busy))
            sink.tick(at: time)
        }
        sink.event(
            .vcpuWakeup(.init(nanoseconds: 1, waited: true)), at: EventStamp(time: 160_000_000, cpu: 0, tid: sleeping))
        sink.exits(7000, .msrWrite, of: busy)
    }

    private func recording() throws -> TestRecording {
        try TestRecording(info) { writer in
            Self.tell(&writer)
            try writer.finish(TraceTotals())
        }
    }

    private func analysis(_ path: String, window: ClosedRange<UInt64>? = nil) throws -> Report {
        var file = try Recording(path: path)
        var analysis = Analysis(info: file.info, window: window)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    @Test func `a sleeper that live noticed is found in the file, at the same time`() throws {
        var live = Analysis(info: info)
        Self.tell(&live)
        let seen = try #require(live.findings.first)
        #expect((seen.rule, seen.grade, seen.last) == (.lostAccept, .suspect, 103_000_000))

        let written = try recording()
        let report = try analysis(written.path)
        let finding = try #require(report.findings.first)
        #expect((finding.rule, finding.grade, finding.vectors) == (.lostAccept, .suspect, ["0x41"]))
        #expect(finding.evidence.map(\.text) == seen.evidence.entries.map(\.text))
        #expect(finding.last + 1_000_000 == 103_000_000)
    }

    @Test
    func `a window that ends before it was noticed doesn't show it, and counts of the whole are not the window's`()
        throws
    {
        let written = try recording()
        let report = try analysis(written.path, window: 0...102_000_000)
        #expect(report.findings == [])
        #expect(report.vms[0].vcpus[1].exits.l1 == [:])
    }

    /// Two VMs, of which one loses events; with others, so does anybody.
    private static func lose(_ sink: inout some EventSink & ~Copyable, _ totals: inout TraceTotals, others: Bool) {
        tell(&sink)
        sink.thread(201, of: 200)
        sink.state(
            VCPUState(
                vm: 0x2000, process: 200, vcpu: 0, inhibits: 2, isAPICvActive: false, isGuestMode: false,
                hasLAPIC: true, vmx: nil),
            at: EventStamp(time: 170_000_000, cpu: 1, tid: 201))
        for process: Int32? in [200, 300, 200] + (others ? [nil] : []) {
            let gap = EventGap(
                instance: 0, cpu: 1, process: process, from: 180_000_000, to: 190_000_000, events: 7)
            sink.lost(gap)
            totals.add(gap)
            totals.overrun = (totals.overrun ?? 0) + 7
        }
        sink.thread(301, of: 300)
        sink.event(.eoi(.init(vcpu: 0, vector: 0x51)), at: EventStamp(time: 190_000_000, cpu: 1, tid: 301))
    }

    @Test(arguments: [false, true]) func `whose events were lost is reported by the file as it was live`(
        _ others: Bool
    ) throws {
        var live = Analysis(info: info)
        var totals = TraceTotals()
        (totals.first, totals.last) = (1_000_000, 190_000_000)
        Self.lose(&live, &totals, others: others)
        live.finish()
        let reported = ReportBuilder(live, totals: totals, path: nil).report()
        let written = try TestRecording(info) { writer in
            var totals = TraceTotals()
            Self.lose(&writer, &totals, others: others)
            try writer.finish(totals)
        }
        let read = try analysis(written.path)
        #expect(reported.vms.map(\.eventsLost) == [nil, 14, 7])
        #expect(reported.loss.ofVMs == 21)
        #expect(read.vms.map(\.eventsLost) == reported.vms.map(\.eventsLost))
        #expect(read.limits == reported.limits)
        #expect(read.limits.contains { $0.hasPrefix("Events were lost while recording") } == others)
        // Where a page tells of a gap it is as long as the CPU's records leave it.
        if others {
            #expect(read.loss.known == reported.loss.known)
            #expect(read.loss.overrun == reported.loss.overrun)
            #expect(read.loss.ofVMs == reported.loss.ofVMs)
            #expect(read.loss.gaps.map(\.process) == reported.loss.gaps.map(\.process))
        } else {
            #expect(read.loss == reported.loss)
        }
    }

    @Test func `exits that were counted in the kernel are in the file`() throws {
        let written = try recording()
        let report = try analysis(written.path)
        #expect(report.vms[0].vcpus[1].exits.l1 == ["MSR_WRITE": 7000])
    }
}
