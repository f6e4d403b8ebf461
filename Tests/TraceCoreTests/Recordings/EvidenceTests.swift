// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Evidence is what the recording holds: each line's event, time, CPU and thread are a record of the file.
@Suite struct EvidenceTests {
    @Test(arguments: ["intel", "amd", "bitvisor"].flatMap { BundledRecording.all(below: $0) })
    func `each evidence line of a recording is one of its records`(_ recording: BundledRecording) throws {
        try check(recording.report(), of: recording.path)
    }

    @Test(arguments: AttackedRecording.all)
    func `each evidence line of an attacked recording is one of its records`(_ attack: AttackedRecording) throws {
        try check(BundledRecording.report(of: attack.path), of: attack.path)
    }

    private func check(_ report: Report, of path: String) throws {
        let lines = report.findings.flatMap(\.evidence)
        if lines.isEmpty { return }
        let base = try #require(UInt64(report.source.span.base))
        var file = try Recording(path: path)
        var records = Records(times: Set(lines.map { base + $0.time }))
        _ = try file.read(into: &records)
        for line in lines {
            let (cpu, tid) = (try #require(line.cpu), try #require(line.tid))
            let stamp = EventStamp(time: base + line.time, cpu: cpu, tid: tid)
            let isHeld = records.held.contains { $0.stamp == stamp && $0.kind.tracepoints.contains(line.event) }
            #expect(isHeld, "\(line.event) at +\(line.time), CPU \(cpu), thread \(tid): \(line.text)")
        }
    }

    /// The events at the times that evidence lines have: a recording may have a million others.
    private struct Records: EventSink {
        let times: Set<UInt64>
        var held: [(kind: EventKind, stamp: EventStamp)] = []

        init(times: Set<UInt64>) {
            self.times = times
        }

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            if case .event(let event) = item, times.contains(stamp.time) { held.append((event.kind, stamp)) }
        }
    }
}
