// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// In which order the records of a perf.data come out.
@Suite struct PerfOrderTests {
    private func lines(_ perf: TestPerf) throws -> [String] { try TestFile.read(perf.file()).lines }

    @Test func `CPUs' buffers of one round come out by time`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.eoi(1, 10), perf.eoi(2, 30), perf.eoi(3, 20, cpu: 1), perf.eoi(4, 40, cpu: 1), TestPerf.finishedRound,
        ]
        #expect(try lines(perf) == ["10 cpu0 eoi 1", "20 cpu1 eoi 3", "30 cpu0 eoi 2", "40 cpu1 eoi 4"])
    }

    @Test func `what comes in the next round may be as early as the end of the round before`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.eoi(1, 10), perf.eoi(2, 20, cpu: 1), TestPerf.finishedRound, perf.eoi(3, 30), TestPerf.finishedRound,
            perf.eoi(4, 25, cpu: 1), TestPerf.finishedRound, perf.eoi(5, 50), TestPerf.finishedRound,
        ]
        let read = try TestFile.read(perf.file())
        #expect(
            read.lines == ["10 cpu0 eoi 1", "20 cpu1 eoi 2", "25 cpu1 eoi 4", "30 cpu0 eoi 3", "50 cpu0 eoi 5"])
        #expect(read.totals.cut == nil)
    }

    @Test func `a sample that is later than it can be is told and makes the file a damaged one`() throws {
        var perf = TestPerf()
        perf.records = [
            perf.eoi(1, 10), TestPerf.finishedRound, perf.eoi(2, 20), TestPerf.finishedRound, perf.eoi(3, 30),
            TestPerf.finishedRound, perf.eoi(4, 5, cpu: 1), TestPerf.finishedRound,
        ]
        let read = try TestFile.read(perf.file())
        #expect(read.lines.count == 4)
        #expect(read.totals.cut != nil)
        #expect(read.totals.notes.contains { $0.hasPrefix("time goes back") })
    }

    @Test func `one CPU's time that goes back by more than an interrupt takes is damage`() throws {
        for (back, isDamage) in [(UInt64(100), false), (5_000_000, true)] {
            var perf = TestPerf()
            perf.records = [perf.eoi(1, 10_000_000), perf.eoi(2, 10_000_000 - back)]
            let read = try TestFile.read(perf.file())
            #expect(read.lines.map { $0.suffix(1) } == ["2", "1"])
            #expect((read.totals.cut != nil) == isDamage)
        }
    }

    @Test func `records of one time come out as they lie in the file`() throws {
        var perf = TestPerf()
        perf.records = [perf.eoi(1, 10), perf.eoi(2, 10, cpu: 1), perf.eoi(3, 10)]
        #expect(try lines(perf).map { $0.suffix(1) } == ["1", "2", "3"])
    }

    /// More runs than are held in memory are written out and read back.
    @Test func `a buffer that was read backwards comes out by time`() throws {
        var perf = TestPerf()
        perf.attributes[0].flags |= TestPerf.backward
        let count: UInt64 = 10_000
        perf.records = (0..<count).map { perf.eoi(Int32($0 % 256), 20_000 - $0) }
        let lines = try lines(perf).dropFirst()
        #expect(lines.count == Int(count))
        #expect(lines.first == "10001 cpu0 eoi \((count - 1) % 256)")
        #expect(lines.map { UInt64($0.prefix { $0 != " " }) ?? 0 } == (10_001...20_000).map { $0 })
    }

    @Test func `how much a buffer that keeps the latest has dropped nobody knows`() throws {
        var perf = TestPerf()
        perf.attributes[0].flags |= TestPerf.backward
        perf.records = [perf.eoi(2, 20), perf.eoi(1, 10), perf.eoi(3, 15, cpu: 1)]
        #expect(
            try lines(perf) == [
                "lost ? cpu0 ?-10", "10 cpu0 eoi 1", "lost ? cpu1 ?-15", "15 cpu1 eoi 3", "20 cpu0 eoi 2",
            ])
    }

    @Test func `without times the order of the CPUs' events is a gap, and nothing is a duration`() throws {
        var perf = TestPerf()
        perf.attributes[0].fields.remove(.time)
        perf.records = [perf.eoi(1, 0), perf.eoi(2, 0), perf.eoi(3, 0, cpu: 1), TestPerf.finishedRound, perf.eoi(4, 0)]
        let read = try TestFile.read(perf.file())
        #expect(read.info.clock == TraceClock(name: "none", unit: .none))
        let what = read.lines.map {
            $0.split(separator: " ").dropFirst($0.hasPrefix("lost") ? 0 : 1).prefix(3).joined(separator: " ")
        }
        #expect(
            what == ["cpu0 eoi 1", "cpu0 eoi 2", "lost ? cpu1", "cpu1 eoi 3", "lost ? cpu0", "cpu0 eoi 4"])
    }

    @Test(
        arguments: [0: "perf", 1: "mono", 4: "mono_raw", 7: "boot", 11: "tai"].sorted { $0.key < $1.key }.map(\.value))
    func `the clock that perf was told to take is named`(name: String) throws {
        let numbers: [String: Int32] = ["mono": 1, "mono_raw": 4, "boot": 7, "tai": 11]
        var perf = TestPerf()
        if let number = numbers[name] {
            perf.attributes[0].clock = number
            perf.attributes[0].flags |= 1 << 25
        }
        perf.records = [perf.eoi(1, 10)]
        #expect(try TestFile.read(perf.file()).info.clock == TraceClock(name: name, unit: .nanoseconds))
    }
}
