// SPDX-License-Identifier: Apache-2.0
import AttackSuite
import Testing

@testable import TraceCore

/// A perf.data that is cut or has other bytes than it should: no trap, no hang, and never silence.
@Suite struct PerfDamageTests {
    private static var perf: TestPerf {
        var perf = TestPerf()
        perf.attributes.append(TestPerf.Attribute(type: 1, config: 0, ids: [2]))
        perf.records = [perf.comm("qemu", of: 7, process: 7)]
        for round in 0..<4 {
            for cpu in 0..<2 {
                for index in 0..<6 {
                    let time = UInt64(round * 1000 + index * 10 + cpu)
                    perf.records.append(perf.eoi(Int32(index), time, cpu: UInt32(cpu)))
                }
                perf.records.append(
                    perf.lost(2, at: TestPerf.Place(time: UInt64(round * 1000 + 100), cpu: UInt32(cpu))))
            }
            perf.records.append(TestPerf.finishedRound)
        }
        return perf
    }

    private func verdict(_ bytes: [UInt8]) -> (totals: TraceTotals, grade: Grade)? {
        guard var file = try? TestFile.open(bytes) else { return nil }
        var analysis = Analysis(info: file.info)
        guard let totals = try? file.read(into: &analysis) else { return nil }
        analysis.finish()
        return (totals, ReportBuilder(analysis, totals: totals, path: nil).report().verdict)
    }

    @Test(arguments: [false, true])
    func `a file that is cut anywhere tells so or is refused`(isPipe: Bool) throws {
        let bytes = isPipe ? Self.perf.pipe() : Self.perf.file()
        let whole = try TestFile.read(bytes)
        #expect(whole.totals.cut == nil)
        let edges = Set(TestPerf.ends(of: bytes))
        var told = 0
        // A whole pass over each byte takes minutes in debug; the fuzz harness goes on from there.
        let places = Array(stride(from: 0, to: bytes.count - 8, by: 11)) + Array((bytes.count - 8)..<bytes.count)
        for count in places where !(isPipe && edges.contains(count)) {
            guard let read = try? TestFile.read(bytes.prefix(count)) else { continue }
            told += 1
            #expect(read.totals.cut != nil, "cut at \(count) of \(bytes.count)")
            #expect(read.lines.count <= whole.lines.count)
        }
        #expect(told > (isPipe ? 100 : 5))
    }

    @Test(arguments: [64, 65, 66, 67, 68, 70, 71, 72, 80, 81, 83], [0, 8, 16, 56, 64, 72])
    func `a record of a pipe's head may be shorter than what it holds`(type: UInt8, content: UInt8) {
        var bytes = Array(Self.perf.pipe().prefix(16))
        bytes += [type, 0, 0, 0, 0, 0, 8 + content, 0] + [UInt8](repeating: 0xff, count: Int(content))
        #expect(verdict(bytes)?.grade != .clean)
        bytes.replaceSubrange(24..., with: [UInt8](repeating: 0, count: Int(content)))
        #expect(verdict(bytes)?.grade != .clean)
    }

    @Test(arguments: [false, true])
    func `any byte may be another one`(isPipe: Bool) throws {
        let bytes = isPipe ? Self.perf.pipe() : Self.perf.file()
        let whole = try #require(verdict(bytes))
        #expect(whole.grade != .clean)
        var random = TestRandom(seed: 5)
        for place in stride(from: 0, to: bytes.count, by: 9) {
            var damaged = bytes
            damaged[place] ^= 1 << UInt8(random.next() % 8)
            guard let told = verdict(damaged) else { continue }
            #expect(told.grade != .clean, "byte \(place)")
        }
    }

    /// With a loss that it shows, and what is cut off or turned over in it never makes it a healthy one.
    @Test(arguments: ["intel/6.1.192/stale-svi.dat", "intel/6.12.107/nofix-hooked-only.dat"])
    func `damage never makes a recording with a loss clean`(name: String) throws {
        let twin = try #require(try PerfTwin(of: TestFile.fixture(name)))
        var random = TestRandom(seed: 11)
        for bytes in [twin.perf.file(), twin.perf.pipe()] {
            for round in 0..<DamageTests.damages {
                var damaged = bytes
                if round % 2 == 0 {
                    damaged.removeLast(Int(random.next() % UInt64(bytes.count)))
                } else {
                    damaged[Int(random.next() % UInt64(damaged.count))] ^= 1 << UInt8(random.next() % 8)
                }
                guard let told = verdict(damaged) else { continue }
                #expect(told.grade != .clean)
            }
        }
    }

    @Test(arguments: ["lost", "z-sid", "pipe-z"])
    func `a real file of perf's is read as far as it makes sense`(name: String) throws {
        let bytes = try Self.inflated(name)
        var random = TestRandom(seed: UInt64(bytes.count))
        for _ in 0..<DamageTests.damages {
            let cut = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count))))
            if let told = verdict(cut) { #expect(told.totals.cut != nil || told.grade != .clean) }
            var damaged = bytes
            for _ in 0..<Int(random.next() % 8 + 1) {
                damaged[Int(random.next() % UInt64(damaged.count))] ^= 1 << UInt8(random.next() % 8)
            }
            if let told = verdict(damaged) {
                #expect(told.totals.cut == nil || told.grade != .clean)
                if name == "lost" { #expect(told.grade != .clean) }
            }
        }
    }

    private static func inflated(_ name: String) throws -> [UInt8] {
        let packed = try InputFile(path: TestFile.fixture("perf/\(name).data.zst"))
        let file = try packed.inflated(.zstd, InflationLimit()) { _ in .max }.file
        return file.bytes(at: 0, count: Int(file.size))
    }

    @Test func `sizes that are absurd are not believed`() throws {
        let bytes = Self.perf.file()
        for place in stride(from: 8, to: 104 + 16 + 288, by: 4) {
            var damaged = bytes
            for index in place..<min(place + 8, bytes.count) { damaged[index] = 0xff }
            _ = verdict(damaged)
        }
    }
}

extension TestPerf {
    /// Where the records of a file from a pipe end: cut there it is a shorter one.
    static func ends(of pipe: [UInt8]) -> [Int] {
        var ends = [16]
        while let last = ends.last, last + 8 <= pipe.count {
            var size = Int(pipe[last + 6]) | Int(pipe[last + 7]) << 8
            if pipe[last] == 66 {
                let data = (0..<4).reduce(0) { $0 | Int(pipe[last + 8 + $1]) << (8 * $1) }
                size += (data + 7) / 8 * 8
            }
            guard size > 0 else { break }
            ends.append(last + size)
        }
        return ends
    }
}
