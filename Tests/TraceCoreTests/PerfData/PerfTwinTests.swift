// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Every recording among the tests that perf could have made, as perf would have written it.
@Suite struct PerfTwinTests {
    static let recordings =
        ["intel", "amd", "bitvisor"].flatMap { BundledRecording.all(below: $0).map(\.path) }
        + AttackedRecording.all.map(\.path)

    /// A debug build takes a second for so many; the largest recordings have a hundred times as many.
    private static let largest: UInt64 = 30_000

    /// Its own words on where it comes from are all that may differ.
    private static func comparable(_ report: Report, loss: Bool = true) -> Report {
        var report = report
        report.source.format = ""
        report.source.path = nil
        report.source.clock = Report.Clock(name: "", unit: .nanoseconds)
        report.source.kernel = ""
        report.source.cpus = 0
        if !loss { report.loss.gaps = [] }
        return report
    }

    private static func report(_ bytes: [UInt8]) throws -> Report {
        var file = try TestFile.open(bytes)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    @Test(arguments: recordings)
    func `a recording tells the same as a perf data`(path: String) throws {
        let original = try BundledRecording.report(of: path)
        guard original.source.events.total < Self.largest, let twin = try PerfTwin(of: path) else { return }
        let file = Self.comparable(try Self.report(twin.perf.file()))
        #expect(file.verdict == original.verdict)
        #expect(file.source.events == original.source.events)
        #expect(file.findings == original.findings)
        #expect(file.vms == original.vms)
        #expect(file.observations == original.observations)
        #expect(file.host == original.host)
        #expect(file.loss.known == original.loss.known + original.loss.unknownGaps)
        #expect(file.source.cut == nil)
        #expect(file == Self.comparable(try Self.report(twin.perf.pipe())))
    }

    @Test(arguments: recordings.filter { $0.contains("intel") || $0.contains("attack") })
    func `samples that name their process give the same verdict without inference`(path: String) throws {
        let original = try BundledRecording.report(of: path)
        guard original.source.events.total < Self.largest else { return }
        var processes: [Int32: Int32] = [:]
        for vm in original.vms {
            for tid in [vm.pid].compactMap(\.self) + vm.vcpus.compactMap(\.tid) {
                processes[tid] = vm.pid ?? vm.vcpus[0].tid ?? 0
            }
        }
        guard let twin = try PerfTwin(of: path, processes: processes) else { return }
        let report = try Self.report(twin.perf.file())
        #expect(report.verdict == original.verdict)
        #expect(report.findings.map(\.rule) == original.findings.map(\.rule))
        #expect(report.findings.map(\.vectors) == original.findings.map(\.vectors))
        #expect(report.vms.map(\.vcpus) == original.vms.map(\.vcpus))
        #expect(!report.limits.contains { $0.contains("by inference") })
    }

    @Test func `most recordings have a twin`() throws {
        let small = try Self.recordings.filter {
            try BundledRecording.report(of: $0).source.events.total < Self.largest
        }
        let twins = try small.filter { try PerfTwin(of: $0) != nil }
        #expect(twins.count > 60, "\(twins.count) of \(small.count)")
    }
}
