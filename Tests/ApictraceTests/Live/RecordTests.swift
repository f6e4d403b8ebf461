// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// Recordings of live tracing on real KVM.
@Suite(.serialized, RunsGuests(), LiveHost.needs[0], LiveHost.needs[1], LiveHost.needs[2], LiveHost.needs[3])
struct RecordTests {
    private let path = FileManager.default.temporaryDirectory.appending(path: "apictrace-\(UUID().uuidString).dat").path

    private func read() throws -> (info: TraceInfo, seen: SeenEvents, totals: TraceTotals) {
        var file = try Recording(path: path)
        var seen = SeenEvents()
        let totals = try file.read(into: &seen)
        return (file.info, seen, totals)
    }

    @Test func `a recording of probes holds what was seen`() throws {
        defer { unlink(path) }
        let types = try KernelTypes()
        var source = try LiveSource.start(LiveOptions(), host: .current, types: types)
        let info = TraceInfo(.current, types, kinds: source.kinds)
        var recorder = try LiveRecorder(SeenEvents(), path: path, info: info)
        let guest = try Guest(ipis: 1000, timers: 5)
        while guest.isRunning {
            try source.drain(into: &recorder)
            usleep(5000)
        }
        try source.finish(into: &recorder)
        let totals = source.totals()
        try recorder.finish(totals)

        let recorded = try read()
        #expect(recorded.seen.byCPU == recorder.next.byCPU)
        #expect(recorded.seen.processes == recorder.next.processes)
        #expect(recorded.seen.events(of: guest.thread).count { $0.kind == .apicIPI } == 1000)
        #expect(recorded.totals == totals)
        #expect(recorded.info.recordedKinds == info.recordedKinds)
        #expect(recorded.info.eventsSelected == info.eventsSelected)
        #expect(recorded.info.clock == info.clock)
        #expect(recorded.info.kernel == info.kernel)
        #expect(recorded.info.sviFix == info.sviFix)
        #expect(recorded.info.inhibitNames == info.inhibitNames)
        #expect(recorded.info.commands[guest.thread] == "apictrace-guest")
    }

    /// The direct map and all that is mapped beside it, and the kernel's text with its modules.
    private static let addresses: [Range<UInt64>] = [
        0xffff_8000_0000_0000..<0xffff_ff00_0000_0000, 0xffff_ffff_8000_0000..<0xffff_ffff_ff00_0000,
    ]

    /// The guest here uses no address up there itself.
    @Test(arguments: LiveBackend.allCases)
    func `a recording tells no address of the kernel's`(_ backend: LiveBackend) throws {
        defer { unlink(path) }
        let guest = Command.directory.appendingPathComponent("apictrace-guest").path
        let words = backend == .bpf ? ["--lapic"] : []
        let run = try Command(
            running: Command.directory.appendingPathComponent("apictrace"),
            ["live", "--quiet", "--backend", backend.rawValue, "--record", path] + words + ["--", guest, "300", "5"])
        #expect(run.status == 0, "\(run.errors)")
        let found = try Data(contentsOf: URL(filePath: path)).withUnsafeBytes { bytes in
            // Fields lie at multiples of four.
            stride(from: 0, to: bytes.count - 8, by: 4).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self))
            }.filter { word in Self.addresses.contains { $0.contains(word) } }
        }
        #expect(Set(found) == [])
    }

    @Test func `a recording of ftrace holds what was seen`() throws {
        defer { unlink(path) }
        var source = try FtraceSource(in: "/sys/kernel/tracing")
        var info = TraceInfo(format: "live", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: 1)
        info.take(source.formats)
        var recorder = try LiveRecorder(SeenEvents(), path: path, info: info, countsHits: false)
        let guest = try Guest(ipis: 1000, timers: 5)
        while guest.isRunning {
            try source.drain(into: &recorder)
            usleep(5000)
        }
        try source.finish(into: &recorder)
        let totals = source.totals()
        try recorder.finish(totals)

        let recorded = try read()
        #expect(recorded.seen.byCPU == recorder.next.byCPU)
        #expect(recorded.totals.byName == totals.byName.filter { $0.value > 0 })
        #expect(recorded.totals.overrun == totals.overrun)
        #expect(recorded.info.recordedKinds == info.recordedKinds)
    }

    @Test(arguments: LiveBackend.allCases)
    func `what live writes can be analysed`(_ backend: LiveBackend) throws {
        defer { unlink(path) }
        let guest = Command.directory.appendingPathComponent("apictrace-guest").path
        let run = try Command(
            "live", "--json", "--quiet", "--backend", backend.rawValue, "--record", path, "--duration", "60", "--",
            guest,
            "300", "5")
        #expect(run.status == 0, "\(run.errors)")
        let analysis = try Command("analyze", "--json", path)
        let (live, recorded) = (try Report(json: run.output), try Report(json: analysis.output))
        #expect(recorded.verdict == .clean)
        #expect(recorded.verdict == live.verdict)
        #expect(recorded.findings == live.findings)
        #expect(recorded.vms.map(\.vcpus) == live.vms.map(\.vcpus))
        #expect(recorded.vms.map(\.apicv) == live.vms.map(\.apicv))
        let hits = live.source.events.byName
        #expect(recorded.source.events.byName == (backend == .bpf ? hits : hits.filter { $0.value > 0 }))
    }

    @Test func `a recording to standard output goes through a pipe, and the report to standard error`() throws {
        let (tool, guest) = (Command.directory.path + "/apictrace", Command.directory.path + "/apictrace-guest")
        let pipe = "'\(tool)' live --json --record - -- '\(guest)' 300 5 | '\(tool)' analyze --json -"
        let run = try Command(running: URL(filePath: "/bin/bash"), ["-o", "pipefail", "-c", pipe])
        #expect(run.status == 0, "\(run.errors)")
        let recorded = try Report(json: run.output)
        let lastLine = try #require(run.errors.split(separator: "\n").last { $0.hasPrefix("{") }.map(String.init))
        let live = try Report(json: lastLine)
        #expect(live.vms.flatMap(\.vcpus).compactMap(\.ipisSent) == [300])
        #expect(recorded.vms.map(\.vcpus) == live.vms.map(\.vcpus))
        #expect(recorded.verdict == .clean)
    }

    @Test func `a file that can't be made ends it before anything is traced`() throws {
        let run = try Command("live", "--record", "/nonexistent/trace.dat", "--duration", "60")
        #expect(run.status != 0)
        #expect(run.errors.contains("/nonexistent/trace.dat: can't be created: No such file or directory"))
    }
}
