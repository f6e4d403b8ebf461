// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import TraceCore

@testable import apictrace

/// A live run without a kernel: a clock that is set, events that are made up, and a folder, which is gone with the value.
final class TestRun {
    /// What a source would know.
    struct Progress: LiveProgress {
        var settled: UInt64
        var base: UInt64?
        var known: TraceTotals

        func totals() -> TraceTotals { known }
    }

    /// Keeps what passes the recorder.
    struct Sink: LiveSink {
        var seen = SeenEvents()
        var news: Grade?

        mutating func take(_ item: TraceItem, at stamp: EventStamp) { seen.take(item, at: stamp) }
        mutating func drained(_ progress: borrowing some LiveProgress & ~Copyable) -> Bool { true }
        var sleepers: [Int32] { [] }
        mutating func resized() {}
        mutating func pressed(_ key: Keyboard.Key) {}

        mutating func takeNews() -> Grade? {
            defer { news = nil }
            return news
        }
    }

    /// What one file has.
    struct File {
        var name: String
        var seen: SeenEvents
        var totals: TraceTotals

        /// The vectors of its EOIs, by which events are told apart here.
        var vectors: [Int32] {
            seen.byCPU.values.joined().sorted { $0.stamp.time < $1.stamp.time }.compactMap { item -> Int32? in
                if case .event(.eoi(let eoi)) = item.item { eoi.vector } else { nil }
            }
        }
    }

    private final class Clock: Sendable {
        let time = Mutex<UInt64>(1_000_000_000)
    }

    static let second: UInt64 = 1_000_000_000
    /// It is in the files' names, and stands still.
    private static let timeOfDay: Int64 = 1_790_000_000
    let path = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString)").path
    private let clock = Clock()
    var recorder: LiveRecorder<Sink>
    private(set) var sent: Int32 = 0
    private var totals = TraceTotals()
    private var hits: UInt64 = 0

    static var info: TraceInfo {
        var info = TraceInfo(format: "live (BPF)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 2)
        info.recordedKinds = EventKindSet(.exit, .entry, .eoi)
        info.eventsSelected = ["kvm_entry", "kvm_eoi", "kvm_exit"]
        return info
    }

    init() {
        let clock = clock
        recorder = LiveRecorder(Sink(), clock: { clock.time.withLock { $0 } })
        totals.overrun = 0
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var now: UInt64 {
        get { clock.time.withLock { $0 } }
        set { clock.time.withLock { $0 = newValue } }
    }

    func rotate(_ limits: RotatedRecording.Limits) throws {
        let folder = try RecordingFolder(path: path)
        let parts = RotatedRecording(
            in: folder, info: Self.info, limits: limits, countsHits: true, timeOfDay: { Self.timeOfDay })
        try recorder.begin(parts)
    }

    func fly(_ limits: FlightRecorder.Limits) throws -> FlightRecorder {
        let folder = try RecordingFolder(path: path)
        let flight = FlightRecorder(
            in: folder, info: Self.info, limits: limits, countsHits: true, timeOfDay: { Self.timeOfDay })
        try recorder.begin(flight)
        return flight
    }

    /// So many events, which have the next numbers as their vectors, over some time, and a drain.
    func send(_ count: Int = 1, over time: UInt64 = 1000, drains: Bool = true) {
        let step = max(1, time / UInt64(max(count, 1)))
        for _ in 0..<count {
            now += step
            sent += 1
            hits += 1
            recorder.event(.eoi(.init(vcpu: 0, vector: sent)), at: EventStamp(time: now, cpu: sent % 2, tid: 7))
        }
        if drains { drain() }
    }

    func lose(_ events: UInt64, from: UInt64, to: UInt64) {
        totals.overrun = (totals.overrun ?? 0) + events
        let gap = EventGap(instance: 0, cpu: 0, from: from, to: to, events: events)
        totals.add(gap)
        recorder.take(.lost(gap), at: gap.stamp)
    }

    /// As ``LiveTracing`` does it.
    /// - Parameter retells: false to leave the recorder with its wish.
    func drain(retells: Bool = true) {
        totals.byName = ["kvm_eoi": hits]
        let progress = Progress(settled: now, base: 1, known: totals)
        _ = recorder.drained(progress)
        guard retells, recorder.wantsAllAnew else { return }
        now += 1
        recorder.willBeToldAnew(from: now, totals)
    }

    func finish() throws {
        totals.byName = ["kvm_eoi": hits]
        recorder.noteLastNews()
        try recorder.finish(totals)
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }

    func files() throws -> [File] {
        try names.map { name in
            var file = try Recording(path: path + "/" + name)
            var seen = SeenEvents()
            let totals = try file.read(into: &seen)
            return File(name: name, seen: seen, totals: totals)
        }
    }
}
