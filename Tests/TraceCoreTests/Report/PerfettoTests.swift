// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Perfetto's trace of a report: packets in, lines out. Perfetto itself opens such files in Tests/Outputs/perfetto.py.
@Suite struct PerfettoTests {
    static func lines(_ report: Report, _ timeline: borrowing Timeline = Timeline()) throws -> [String] {
        var bytes: [UInt8] = []
        try withoutActuallyEscaping({ bytes += $0 }) { try report.perfetto(timeline, write: $0) }
        return try PerfettoPackets(bytes).lines
    }

    @Test func `an IPI, what it leads to, and the exits meanwhile`() throws {
        var trace = Trace()
        trace.createVM()
        trace.thread(.vcpu1)
        trace.enter()
        trace.thread(.vcpu0)
        trace.resumeL2()
        trace.exitOfL2()
        trace.thread(.vcpu1)
        trace.exitOfL1(.apicWrite)
        trace.emit(.apicIPI(.init(icrLow: 0x41, destination: 0)))
        trace.accept(0x41)
        trace.enter()
        trace.thread(.vcpu0)
        trace.inject(0x41)
        trace.enter()
        trace.endDirectly(0x41)
        let watched = WatchedTrace(trace)
        let lines = try Self.lines(watched.report, watched.timeline)
        let own = lines.filter {
            $0.contains("vCPU 0, thread 101 / ") && !$0.contains("counter") && !$0.contains("findings")
        }
        #expect(own == [])
        #expect(lines.filter { $0.contains("IPIs of") } == [])
    }

    @Test func `findings are instants with their text, and so is each event of their evidence`() throws {
        let lines = try Self.lines(SampleReports.lost)
        #expect(lines == [])
    }

    @Test func `a healthy guest's changes of the mask are slices and counters`() throws {
        let lines = try Self.lines(SampleReports.clean)
        #expect(lines == [])
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
