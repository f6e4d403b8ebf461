// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Testing

@testable import TraceCore

/// Damage at chosen and at random places: no trap, no hang, and never silence.
@Suite struct DamageTests {
    /// A small trace with everything in it that a parser can stumble over.
    static var trace: TestTrace {
        func pages(_ time: UInt64) -> [[UInt8]] {
            (0..<3).map { index in
                var page = TestPage(time: time + UInt64(index) << 29)
                for vector in 0..<20 { page.record(TestRecord.eoi(vcpu: 0, vector: Int32(vector)), delta: 7) }
                page.timeExtend(1 << 28)
                page.longRecord(TestRecord.other(), delta: 1)
                return page.bytes(lost: index == 1 ? 9 : nil)
            }
        }
        var trace = TestTrace()
        trace.buffers = [
            .init(name: "", cpus: [(UInt32(0), pages(100)), (UInt32(3), pages(150))]),
            .init(name: "second", cpus: [(UInt32(1), pages(120))]),
        ]
        trace.symbols = "0 t kvm_apic_update_hwapic_isr\t[kvm]\n"
        trace.options = [(5, Array("Linux host 6.12\0".utf8)), (2, Array("overrun: 9\n".utf8))]
        return trace
    }

    /// What survives of damaged bytes: nil where nothing could be read.
    private func survivors(_ bytes: some Sequence<UInt8>) -> (events: [String], totals: TraceTotals)? {
        (try? TestFile.read(bytes)).map { ($0.lines.filter { !$0.hasPrefix("lost") }, $0.totals) }
    }

    @Test(arguments: [6, 7])
    func `a trace that is cut anywhere tells so and keeps what is before`(version: Int) throws {
        let bytes = version == 6 ? Self.trace.version6() : Self.trace.version7()
        let whole = try #require(survivors(bytes))
        #expect(whole.totals.cut == nil)
        let known = Set(whole.events.map { $0.split(separator: " ").last })
        for count in Array(stride(from: 0, to: bytes.count, by: 37)) + [bytes.count - 1] {
            guard let cut = survivors(bytes.prefix(count)) else { continue }
            #expect(cut.totals.cut != nil, "cut at \(count) of \(bytes.count)")
            #expect(cut.events.allSatisfy { known.contains($0.split(separator: " ").last) })
            #expect(cut.events.count <= whole.events.count)
        }
    }

    @Test(arguments: [6, 7])
    func `a cut in the last page loses its last records only`(version: Int) throws {
        let bytes = version == 6 ? Self.trace.version6() : Self.trace.version7()
        let whole = try #require(survivors(bytes))
        // Version 7 has an options section behind its last page.
        let lastPage = (bytes.count - 1) / 4096 * 4096 - (version == 6 ? 0 : 4096)
        let cut = try #require(survivors(bytes.prefix(lastPage + 16 + 24 * 5)))
        #expect(cut.events.count > whole.events.count / 2)
        #expect(cut.totals.gaps.contains { $0.to == nil })
    }

    @Test(arguments: [6, 7])
    func `flipped bits neither trap nor hang`(version: Int) throws {
        let bytes = version == 6 ? Self.trace.version6() : Self.trace.version7()
        var random = TestRandom(seed: 41)
        var readable = 0
        for _ in 0..<1000 {
            var damaged = bytes
            for _ in 0..<Int(random.next() % 8 + 1) {
                damaged[Int(random.next() % UInt64(damaged.count))] ^= 1 << UInt8(random.next() % 8)
            }
            if survivors(damaged) != nil { readable += 1 }
        }
        #expect(readable > 900)
    }

    /// Cuts and flips of each recording: few, since one is opened in a tenth of a second in debug. `make damage` has them all.
    static let damages = 8

    static let kinds =
        RecordingTests.kinds + ["amd/6.12-force_avic/tc-sid-v7-zlib.dat", "intel/6.1.192/stale-svi.dat"]

    /// The report on damaged bytes; nil where nothing can be said of them.
    private func verdict(_ bytes: some Sequence<UInt8>) -> (cut: TraceCut?, grade: Grade)? {
        guard var file = try? TestFile.open(bytes) else { return nil }
        var analysis = Analysis(info: file.info)
        guard let totals = try? file.read(into: &analysis) else { return nil }
        analysis.finish()
        let report = ReportBuilder(analysis, totals: totals, path: nil).report()
        #expect(report.source.cut?.offset == totals.cut?.offset)
        return (totals.cut, report.verdict)
    }

    /// Where the sections of a version 7 file start and end.
    private func edges(_ path: String) throws -> [Int] {
        let file = try InputFile(path: path)
        var edges: [Int] = []
        var next = try TraceHead(file).end
        while let header = try? SectionHeader("a section", of: file, at: next, order: .little) {
            edges += [Int(next), Int(header.body.lowerBound)]
            next = header.body.upperBound
        }
        return edges
    }

    @Test(arguments: kinds)
    func `a recording that is cut is never clean and says where it breaks off`(name: String) throws {
        let path = TestFile.fixture(name)
        let bytes = try TestFile.bytes(of: path)
        var random = TestRandom(seed: UInt64(bytes.count))
        let edges = try edges(path)
        #expect(edges.count > 16)
        let offsets = (0..<Self.damages).map { _ in Int(random.next() % UInt64(bytes.count)) }
        for count in edges + offsets {
            guard let reported = verdict(bytes.prefix(count)) else { continue }
            #expect(reported.cut != nil, "cut at \(count) of \(bytes.count)")
            #expect(reported.grade != .clean, "cut at \(count) of \(bytes.count)")
        }
    }

    @Test(arguments: kinds)
    func `a recording with flipped bits is read as far as it makes sense`(name: String) throws {
        let bytes = try TestFile.bytes(of: TestFile.fixture(name))
        var random = TestRandom(seed: UInt64(bytes.count))
        for _ in 0..<Self.damages {
            var damaged = bytes
            for _ in 0..<Int(random.next() % 8 + 1) {
                damaged[Int(random.next() % UInt64(damaged.count))] ^= 1 << UInt8(random.next() % 8)
            }
            guard let reported = verdict(damaged) else { continue }
            #expect(reported.cut == nil || reported.grade != .clean)
        }
    }

    @Test func `a file that claims absurd sizes is read without them`() throws {
        let bytes = Self.trace.version7()
        var random = TestRandom(seed: 7)
        // Every four bytes of the head and of the sections in front of the pages become a huge number once.
        for place in stride(from: 10, to: 4096, by: 5) {
            var damaged = bytes
            for index in place..<min(place + 4, bytes.count) { damaged[index] = UInt8(random.next() % 2) * 0x80 | 0x7f }
            _ = survivors(damaged)
        }
    }
}
