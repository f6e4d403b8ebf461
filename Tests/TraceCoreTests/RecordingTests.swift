// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// Real recordings, held to what trace-cmd reads from them.
@Suite struct RecordingTests {
    /// Debian's trace-cmd can't read zlib.
    static let whole = ["intel", "amd", "bitvisor"].flatMap(BundledRecording.all).filter { !$0.name.hasSuffix("zlib") }
    /// One of each kind is enough for what depends on the container alone.
    static let kinds = [
        "intel/6.1.192/passthrough-2v.dat", "intel/6.12.107/nofix-hooked-only.dat", "amd/6.12-force_avic/instances.dat",
        "amd/6.12-force_avic/clock-tsc.dat", "amd/6.12-force_avic/lost.dat",
    ]

    @Test(.enabled(if: TraceCmd.isInstalled, "trace-cmd is not installed"), arguments: whole)
    func `counts by name are trace-cmd's`(recording: BundledRecording) throws {
        let counts = TraceCmd.counts(of: recording.path)
        try #require(!counts.isEmpty)
        #expect(try recording.report().source.events.byName == counts)
    }

    @Test(
        .enabled(if: TraceCmd.isInstalled, "trace-cmd is not installed"),
        arguments: kinds,
        [
            "--file-version 6", "--file-version 7 --compression none", "--file-version 7 --compression zstd",
            "--file-version 7 --compression zlib",
        ])
    func `containers of one recording yield the same stream`(name: String, options: String) throws {
        // A trace-cmd without a compression can't make that twin.
        if options.hasSuffix("zlib"), !TraceCmd.has("zlib") { return }
        let path = TestFile.fixture(name)
        let original = try TestFile.read(Recording(path: path))
        let bytes = try TraceCmd.converted(path, options)
        let twin = try TestFile.read(bytes)
        #expect(twin.lines == original.lines)
        #expect(twin.totals.byName == original.totals.byName)
        #expect(twin.totals.gaps == original.totals.gaps)
        #expect(twin.info.recordedKinds == original.info.recordedKinds)
        #expect(twin.info.clock == original.info.clock)
        #expect(twin.info.commands == original.info.commands)
        #expect(try Self.findings(of: TestFile.open(bytes)) == Self.findings(of: Recording(path: path)))
    }

    @Test func `the counts in pages are a part of what the recorder's own statistics say`() throws {
        let read = try TestFile.read(Recording(path: TestFile.fixture("amd/6.12-force_avic/lost.dat")))
        #expect(read.totals.overrun == 5198)
        #expect(read.totals.gaps.count == 10)
        #expect(read.totals.gaps.compactMap(\.events).reduce(0, +) == 5021)
        #expect(read.totals.cut == nil)
    }

    @Test(arguments: ["gzip", "zstd"])
    func `a file that was compressed as a whole is inflated`(tool: String) throws {
        let path = TestFile.fixture("intel/6.12.107/passthrough-2v.dat")
        let compressed = TraceCmd.bytes(of: "\(tool) -c '\(path)'")
        // The tool isn't on every machine.
        if compressed.isEmpty { return }
        let read = try TestFile.read(compressed)
        #expect(read.lines == (try TestFile.read(Recording(path: path))).lines)
        #expect(read.totals.cut == nil)
        #expect(throws: InputError.self) { try TestFile.read(compressed.prefix(20)) }
    }

    @Test func `zlib's chunks are inflated`() throws {
        let read = try TestFile.read(Recording(path: TestFile.fixture("amd/6.12-force_avic/tc-sid-v7-zlib.dat")))
        #expect(read.info.format == "trace.dat v7 zlib")
        #expect(read.totals.cut == nil)
        #expect(read.totals.byName["kvm_exit"] == 166)
        #expect(read.totals.byName["kvm_apic_ipi"] == 16)
        #expect(read.info.inhibitNames.prefix(3) == ["DISABLED", "HYPERV", "ABSENT"])
        #expect(read.info.symbols == KernelSymbols(hasKVM: true, hasUpdateHwapicISR: true))
    }

    @Test func `a compressed file whose table is cut off keeps its events`() throws {
        let path = TestFile.fixture("amd/6.12-force_avic/truncated-v7-zstd-90pct.dat")
        let read = try TestFile.read(Recording(path: path))
        #expect(read.totals.cut == TraceCut(offset: 62755, expected: "an options section at 69512"))
        #expect(read.totals.byName["kvm_exit"] == 83)
        #expect(read.totals.gaps.last?.to == nil)
        #expect(read.info.kernel == "Linux (none) 6.12.107+deb13-amd64 x86_64")
    }

    @Test func `a file cut in its head still says where`() throws {
        let read = try TestFile.read(Recording(path: TestFile.fixture("amd/6.12-force_avic/truncated-header.dat")))
        #expect(read.totals.cut == TraceCut(offset: 6000, expected: "an options section at 42700"))
        #expect(read.lines.isEmpty)
        #expect(read.info.recordedKinds == [])
    }

    /// The whole report, byte for byte, but for where the events came from.
    private static func findings(of file: Recording) throws -> String {
        var file = file
        var analysis = Analysis(info: file.info)
        let totals = try file.read(into: &analysis)
        analysis.finish()
        var report = ReportBuilder(analysis, totals: totals, path: nil).report()
        report.source.format = ""
        return try report.json()
    }
}
