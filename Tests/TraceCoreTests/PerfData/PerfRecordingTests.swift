// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// Recordings that perf made of one kernel's guests (6.12 on SVM), held to what perf counts in them.
@Suite struct PerfRecordingTests {
    struct Recorded: CustomTestStringConvertible, Sendable {
        var name: String
        var format: String
        var verdict = Grade.clean
        /// Of each VM the process and the threads of its vCPUs, as the guest program said itself.
        var vms: [[Int32]]
        var notes: [String] = []

        var testDescription: String { name }
        var path: String { TestFile.fixture("perf/\(name).data.zst") }
    }

    private struct Counts: Decodable {
        /// By `perf script`; of what a guest ran into `perf report --stats`, which hides nothing.
        var events: [String: UInt64]
        var lost: UInt64
    }

    static let all = [
        Recorded(name: "file", format: "perf.data", vms: [[219, 222]]),
        Recorded(name: "pipe", format: "perf.data pipe", vms: [[285, 288]]),
        Recorded(name: "pipe-z", format: "perf.data pipe zstd", vms: [[301, 304]]),
        Recorded(name: "z-sid", format: "perf.data zstd", vms: [[669, 672]]),
        Recorded(name: "z22", format: "perf.data zstd", vms: [[372, 375]]),
        Recorded(name: "twovms", format: "perf.data", vms: [[350, 354], [353, 356]]),
        Recorded(name: "four", format: "perf.data", vms: [[252, 255]]),
        Recorded(name: "lost", format: "perf.data", verdict: .inconclusive, vms: [[317, 320, 321]]),
        Recorded(
            name: "mixed", format: "perf.data", verdict: .inconclusive, vms: [[470, 473]],
            notes: ["perf took samples of the events"]),
        Recorded(
            name: "group", format: "perf.data", vms: [[486, 489]],
            notes: ["counted by perf and not recorded: kvm_entry"]),
        Recorded(name: "kvmstat", format: "perf.data", vms: [[591, 594]], notes: ["perf kvm stat record takes"]),
    ]

    private static func counts() throws -> [String: Counts] {
        let data = try Data(contentsOf: URL(filePath: TestFile.fixture("perf/counts.json")))
        return try JSONDecoder().decode([String: Counts].self, from: data)
    }

    @Test(arguments: all)
    func `what a recording of perf's tells`(_ recorded: Recorded) throws {
        let report = try BundledRecording.report(of: recorded.path)
        #expect(report.source.format == recorded.format)
        #expect(report.source.clock == Report.Clock(name: "perf", unit: .nanoseconds))
        #expect(report.source.kernel == "Linux (none) 6.12.117+deb13-amd64 x86_64")
        #expect(report.source.cpus == 2)
        #expect(report.source.cut == nil)
        #expect(report.verdict == recorded.verdict)
        #expect(report.host.isa == .svm)
        let threads = report.vms.map { vm in [vm.pid].compactMap(\.self) + vm.vcpus.compactMap(\.tid) }
        #expect(threads == recorded.vms)
        #expect(report.vms.allSatisfy { $0.command == "lab-vmm" })
        #expect(!report.limits.contains { $0.contains("by inference") })
        for note in recorded.notes { #expect(report.limits.contains { $0.hasPrefix(note) }) }
    }

    @Test(arguments: all)
    func `counts by event are perf's`(_ recorded: Recorded) throws {
        let counts = try #require(try Self.counts()[recorded.name])
        let report = try BundledRecording.report(of: recorded.path)
        #expect(report.source.events.byName == counts.events)
        guard recorded.name != "mixed" else { return }
        #expect(report.loss.known == counts.lost)
        #expect(report.loss.overrun == (counts.lost == 0 ? nil : counts.lost))
    }

    @Test func `of two VMs the one that is asked for is told by its process`() throws {
        let path = TestFile.fixture("perf/twovms.data.zst")
        var file = try Recording(path: path)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        let selection = Selection(vms: [.process(353)])
        let report = ReportBuilder(analysis, totals: totals, path: nil, selection: selection).report()
        #expect(report.vms.map(\.pid) == [353])
        #expect(report.verdict == .clean)
    }

    @Test(arguments: ["file", "pipe", "pipe-z", "z-sid"])
    func `a part of the time is read as in a trace dat`(name: String) throws {
        let path = TestFile.fixture("perf/\(name).data.zst")
        let begin = try Recording(path: path).begin()
        let whole = try TestFile.read(Recording(path: path))
        #expect(begin == whole.totals.first)
        #expect(begin > 0)
    }

    @Test func `perf that was killed has written no formats, which is said`() throws {
        let path = TestFile.fixture("perf/killed.data.zst")
        let error = #expect(throws: InputError.foreign(file: path, .unfinishedPerfData)) { try Recording(path: path) }
        #expect(error?.description.contains("-o - >perf.data") == true)
    }

    @Test func `a directory of perf's is named`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "apictrace-test-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(TestPerf().file()).write(to: folder.appending(path: "data"))
        #expect(throws: InputError.foreign(file: folder.path, .perfDirectory)) { try Recording(path: folder.path) }
    }
}
