// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// Recordings of real guests.
@Suite struct TimelineRecordingTests {
    /// Every recording among the tests, whole or cut, in any format, but for one that is refused: perf was killed over it.
    static let recordings = ["amd", "attack", "bitvisor", "intel", "live", "perf", "text"].flatMap { folder in
        let root = BundledRecording.folder.appending(path: folder)
        let files = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return files.filter { $0.hasSuffix(".dat") || $0.hasSuffix(".zst") }.sorted().map { "\(folder)/\($0)" }
            .filter { $0 != "perf/killed.data.zst" }
    }

    @Test(arguments: recordings)
    func `what buckets add up to is what the report says, which is the same without`(recording: String) throws {
        let path = TestFile.fixture(recording)
        let watched = try WatchedTrace(recording: path)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
        #expect(try watched.report == BundledRecording.report(of: path))
    }

    @Test func `there are recordings`() { #expect(Self.recordings.count > 100) }

    @Test func `in a sixteenth of the memory what evidence names is kept whole`() throws {
        let recording = BundledRecording(name: "bitvisor/6.1.192-asshipped-smp2/trace")
        let watched = try WatchedTrace(recording: recording.path, chunks: 1 << 10)
        #expect(TimelineSums(watched) == TimelineSums(watched.report))
        let base = UInt64(watched.report.source.span.base) ?? 0
        for (index, vcpu) in watched.timeline.vcpus.enumerated() {
            let times = Set(watched.events(index).map(\.time))
            for finding in watched.report.findings where finding.vcpu == vcpu.id {
                for evidence in finding.evidence {
                    #expect(times.contains(base + evidence.time) == true, "\(evidence)")
                }
            }
        }
    }
}
