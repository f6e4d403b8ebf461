// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// Every layout of text that trace-cmd, tracefs and perf print.
@Suite struct TextRecordingTests {
    /// Lines by event's name, counted by grep.
    private static func counts() throws -> [String: [String: UInt64]] {
        let data = try Data(contentsOf: URL(filePath: TestFile.fixture("text/counts.json")))
        return try JSONDecoder().decode([String: [String: UInt64]].self, from: data)
    }

    @Test(arguments: TextRecording.all)
    func `what a text tells`(_ recorded: TextRecording) throws {
        let report = try BundledRecording.report(of: recorded.path)
        let printer = recorded.printer
        #expect(report.source.format == (printer == .unknown ? "text" : "text of \(printer.rawValue)"))
        #expect(report.source.clock.unit == recorded.unit)
        #expect(report.source.cut == nil)
        #expect(report.verdict == recorded.verdict)
        #expect(report.graded == recorded.findings)
        #expect(report.host.isa == (recorded.name.hasPrefix("case") ? .vmx : .svm))
        let vms = report.vms.map { vm in
            TextRecording.VM(vm.pid, Dictionary(vm.vcpus.map { ($0.id ?? -1, $0.tid ?? -2) }) { $1 }, vm.command)
        }
        #expect(vms == [recorded.vm])
        for words in recorded.tells {
            #expect(report.limits.contains { $0.contains(words) }, "\(words): \(report.limits)")
        }
    }

    @Test(arguments: TextRecording.all)
    func `counts by event are grep's`(_ recorded: TextRecording) throws {
        let counts = try #require(try Self.counts()[recorded.name])
        #expect(try BundledRecording.report(of: recorded.path).source.events.byName == counts)
    }

    @Test(arguments: TextRecording.all)
    func `what was lost is told`(_ recorded: TextRecording) throws {
        let loss = try BundledRecording.report(of: recorded.path).loss
        #expect(loss.known == recorded.lost)
        #expect(loss.unknownGaps == recorded.uncounted)
        #expect(loss.overrun == recorded.overrun)
    }

    @Test(arguments: TextRecording.all)
    func `no line of KVM's is one that can't be read`(_ recorded: TextRecording) throws {
        let totals = try TestFile.read(Recording(path: recorded.path)).totals
        #expect(totals.illegible == nil)
        #expect(totals.unplaced == 0)
        #expect(totals.unread.isEmpty)
    }

    @Test func `perf's header names the kernel`() throws {
        let report = try BundledRecording.report(of: TestFile.fixture("text/perfscript-header.txt.zst"))
        #expect(report.source.kernel == "Linux (none) 6.12.117+deb13-amd64 x86_64")
    }

    @Test(arguments: TextRecording.all.filter { $0.name.hasPrefix("case") })
    func `the vector that crossed is the recording's`(_ recorded: TextRecording) throws {
        let report = try BundledRecording.report(of: recorded.path)
        let original = try BundledRecording.report(of: TestFile.fixture("intel/6.1.192/stale-svi.dat"))
        #expect(report.findings.first?.crossings.map(\.vector) == ["0x61"])
        #expect(original.findings.first?.crossings.map(\.vector) == ["0x61"])
        #expect(report.findings.map(\.vectors) == original.findings.map(\.vectors))
    }

    @Test(arguments: ["ns", "F-nocpu", "reltime", "F-all"])
    func `other columns of perf script tell the same`(name: String) throws {
        let report = try BundledRecording.report(of: TestFile.fixture("text/perfscript-\(name).txt.zst"))
        let expected = try BundledRecording.report(of: TestFile.fixture("text/perfscript-default.txt.zst"))
        #expect(report.vms.map { $0.vcpus.map(\.interrupts) } == expected.vms.map { $0.vcpus.map(\.interrupts) })
        #expect(report.source.events == expected.source.events)
        #expect(report.host == expected.host)
    }
}
