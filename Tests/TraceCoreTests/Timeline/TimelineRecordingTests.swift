// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Recordings of real guests.
@Suite struct TimelineRecordingTests {
    static let recordings = ["intel", "amd", "bitvisor", "live"].flatMap(BundledRecording.all)

    @Test(arguments: recordings)
    func `what buckets add up to is what the report says`(recording: BundledRecording) throws {
        let watched = try WatchedTrace(recording: recording.path)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
        #expect(try watched.report.findings == recording.report().findings)
    }

    @Test func `in a sixteenth of the memory what evidence names is kept whole`() throws {
        let recording = BundledRecording(name: "bitvisor/6.1.192-asshipped-smp2/trace")
        let watched = try WatchedTrace(recording: recording.path, chunks: 1 << 10)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
        let base = UInt64(watched.report.source.span.base) ?? 0
        for (index, vcpu) in watched.timeline.vcpus.enumerated() {
            let times = Set(watched.events(index).map(\.time))
            for finding in watched.report.findings where finding.vcpu == vcpu.id {
                for evidence in finding.evidence { #expect(times.contains(base + evidence.time), "\(evidence)") }
            }
        }
    }
}
