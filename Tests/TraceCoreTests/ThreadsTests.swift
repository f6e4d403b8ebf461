// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TraceCore

/// A second thread changes when things happen, never what is reported.
@Suite struct ThreadsTests {
    /// Those of a guest alone, to which the cut ones are added.
    static let recordings =
        ["intel", "amd"].flatMap(BundledRecording.all) + [
            BundledRecording(name: "amd/6.12-force_avic/truncated-v7-zstd-90pct")
        ]

    private func report(of recording: BundledRecording, threads: Int) throws -> String {
        var file = try Recording(path: recording.path)
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis, threads: threads)
        analysis.finish()
        return try ReportBuilder(analysis, totals: totals, path: recording.name).report().json()
    }

    @Test(arguments: recordings)
    func `one thread and two make the same report`(recording: BundledRecording) throws {
        #expect(try report(of: recording, threads: 2) == report(of: recording, threads: 1))
    }

    @Test func `one thread and two tell a long trace in the same order`() throws {
        let path = TestFile.fixture("bitvisor/6.1.192-asshipped-smp2/trace.dat")
        let alone = try EventDigest(of: path)
        #expect(alone.events > 1_500_000)
        #expect(try EventDigest(of: path, threads: 2) == alone)
    }

    @Test func `gaps and facts keep their places among events`() throws {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 1)
        info.recordedKinds = EventKindSet(.eoi)
        let written = try TestRecording(info) { writer in
            for time in stride(from: UInt64(10), to: 1_500_000, by: 10) {
                let stamp = EventStamp(time: time, cpu: 0, tid: 7)
                if time % 7 == 0 { writer.fact(.tick, at: stamp) }
                if time % 81_920 == 0 {
                    writer.lost(EventGap(instance: 0, cpu: 0, from: time - 10, to: time, events: 3))
                }
                writer.event(.eoi(.init(vcpu: 0, vector: Int32(time % 251))), at: stamp)
            }
            try writer.finish(TraceTotals())
        }
        var reported: [[LiveTestSink.Item]] = []
        for threads in 1...2 {
            var file = try Recording(path: written.path)
            var sink = LiveTestSink()
            _ = try file.read(into: &sink, threads: threads)
            reported.append(sink.items)
        }
        #expect(reported[0].count > 150_000)
        #expect(reported[0] == reported[1])
    }

    @Test func `progress comes on the caller's thread, up to the end`() throws {
        var file = try Recording(path: TestFile.fixture("bitvisor/6.1.192-svifix-undone-smp2/trace.dat"))
        var shown: [(read: UInt64, total: UInt64)] = []
        let caller = pthread_self()
        var sink = EventDigest()
        _ = try file.read(into: &sink, threads: 2) { read, total in
            #expect(pthread_equal(pthread_self(), caller) != 0)
            shown.append((read, total))
        }
        #expect(shown.count > 1)
        #expect(zip(shown, shown.dropFirst()).allSatisfy { $0.read <= $1.read })
        // All but the sizes of chunks.
        #expect(shown.last.map { $0.read > $0.total / 100 * 98 } == true)
    }
}
