// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Every recording among the tests that a text can hold, as the tools would have printed it.
@Suite struct TextTwinTests {
    static let recordings =
        ["intel", "amd", "bitvisor"].flatMap { BundledRecording.all(below: $0).map(\.path) }
        + AttackedRecording.all.map(\.path)

    /// A debug build takes a second for so many events: what has more is read in one layout.
    static let large = 5000
    private static let largest = 25_000

    /// Nil for a recording that no text can hold, or that is too long here.
    static func twin(of path: String, below limit: Int = large) throws -> TextTwin? {
        do {
            let twin = try TextTwin(of: path)
            return twin.events < limit ? twin : nil
        } catch is TextTwin.Obstacle {
            return nil
        }
    }

    /// What a layout holds of a recording, without a text in between: told by a source that knows no more than a text does.
    private static func told(_ twin: TextTwin, _ layout: TextTwin.Layout, as info: TraceInfo) -> Report {
        var analysis = Analysis(info: info)
        var totals = TraceTotals()
        for item in twin.carriedItems(by: layout) {
            switch item {
            case .event(let event, let stamp):
                totals.first = totals.first ?? stamp.time
                totals.last = stamp.time
                analysis.event(event, at: stamp)
            case .gap(let gap):
                totals.add(gap)
                analysis.take(.lost(gap), at: gap.stamp)
            }
        }
        analysis.finish()
        return ReportBuilder(analysis, totals: totals, path: nil).report()
    }

    private struct Held: Equatable {
        var event: KVMEvent
        var stamp: EventStamp
    }

    private static func name(_ path: String) -> String { String(path.split(separator: "Fixtures/").last ?? "") }

    /// Which events were on is in no text, and decides what is told where some of them never happened.
    private static let dependOnSelection: Set = [
        "attack/G10-lost-accept-no-crossing.dat.zst", "attack/G5-init-sipi-never-runs.dat.zst",
        "attack/G6-level-storm-nested.dat.zst",
        "attack/G8-no-progress-ept.dat.zst", "attack/G9-blockirq-backport.dat.zst",
        "attack/f11-nested-pi-nv-cpu-pm.dat.zst", "attack/f7-init-sipi-after-reboot.dat.zst",
        "attack/h1-svm-400-accepts-undelivered.dat.zst", "attack/real-bitvisor-undone-clean-window.dat.zst",
        "attack/real-nofix-hooked-only-attached-late.dat.zst", "intel/6.1.192/hooked-only.dat",
        "intel/6.1.192/passthrough-2v.dat", "intel/6.1.192/passthrough.dat", "intel/6.12.107/hooked-only.dat",
        "intel/6.12.107/nofix-stale-svi-recheck.dat", "intel/6.12.107/nofix-stale-svi.dat",
        "intel/6.12.107/passthrough-2v.dat", "intel/6.12.107/passthrough.dat", "intel/6.12.107/stale-svi-recheck.dat",
        "intel/6.12.107/stale-svi.dat",
    ]

    /// The kernel's symbols tell that it has the fix, and are in no text.
    private static let dependOnSymbols: Set = [
        "attack/f1-pic-then-level-eoi.dat.zst", "attack/f2-x2apic-hooked-level-eoi.dat.zst",
        "attack/f3b-throttled-wake-60ms.dat.zst", "attack/f4-if0-6ms-then-cpuid.dat.zst", "attack/f5-cr8-masks.dat.zst",
    ]

    @Test(arguments: recordings, TextTwin.Layout.all)
    func `a recording tells the same as text`(path: String, layout: TextTwin.Layout) throws {
        let limit = layout == .report ? Self.largest : Self.large
        guard let twin = try Self.twin(of: path, below: limit), twin.canBePrinted(layout) else { return }
        var file = try TestFile.open(twin.text(layout).utf8)

        // Each event is read back from its line.
        var collector = TextTwin.Collector()
        let totals = try file.read(into: &collector)
        #expect(totals.illegible == nil)
        #expect(totals.unplaced == 0)
        #expect(totals.cut == nil)
        var held: [Held] = []
        for case .event(let event, let stamp) in collector.items { held.append(Held(event: event, stamp: stamp)) }
        let expected = twin.carried(by: layout).map { Held(event: $0.event, stamp: $0.stamp) }
        #expect(held.count == expected.count)
        if let (read, written) = zip(held, expected).first(where: { $0 != $1 }) { #expect(read == written) }

        // Nothing else comes in between.
        let report = try TestText.report(file)
        let told = Self.told(twin, layout, as: file.info)
        #expect(report.verdict == told.verdict)
        #expect(report.findings == told.findings)
        #expect(report.vms == told.vms)
        #expect(report.observations == told.observations)

        // With what the recording knows beside its events it is the recording's verdict, and mostly without that.
        let original = try BundledRecording.report(of: path)
        let restored = Self.told(twin, layout, as: twin.info)
        #expect(restored.verdict == original.verdict)
        #expect(restored.graded == original.graded)
        guard !Self.dependOnSelection.contains(Self.name(path)), !Self.dependOnSymbols.contains(Self.name(path)) else {
            return
        }
        #expect(report.verdict == original.verdict)
        #expect(report.graded == original.graded)
    }

    @Test(arguments: recordings)
    func `a recording of one thread is told by times and events alone`(path: String) throws {
        guard let twin = try Self.twin(of: path), twin.isOneThread, twin.hasNanoseconds else { return }
        let report = try TestText.report(twin.text(.bare))
        let told = try TestText.report(twin.text(.reportWithoutPlugins))
        #expect(report.verdict == told.verdict)
        #expect(report.graded == told.graded)
    }

    @Test func `most recordings have a twin`() throws {
        let twins = try Self.recordings.filter { try Self.twin(of: $0, below: Self.largest) != nil }
        #expect(twins.count > 80, "\(twins.count) of \(Self.recordings.count)")
    }
}
