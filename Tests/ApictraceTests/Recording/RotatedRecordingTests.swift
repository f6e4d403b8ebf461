// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// Recordings that go on from file to file.
@Suite struct RotatedRecordingTests {
    private let small = RotatedRecording.Limits(size: 600_000)

    @Test func `each event is in one file, and the counts of all add up`() throws {
        let run = TestRun()
        try run.rotate(small)
        while run.names.count < 4 { run.send(500) }
        run.send(10)
        try run.finish()
        let files = try run.files()
        #expect(files.count >= 4)
        #expect(files.flatMap(\.vectors) == Array(1...run.sent))
        #expect(files.compactMap { $0.totals.byName["kvm_eoi"] }.reduce(0, +) == UInt64(run.sent))
        for file in files {
            #expect(file.totals.cut == nil)
            #expect(file.totals.overrun == 0)
            #expect(file.totals.byName["kvm_eoi"] == UInt64(file.vectors.count))
        }
        #expect(files.map(\.name) == files.map(\.name).sorted())
    }

    @Test(.enabled(if: access("/usr/bin/trace-cmd", X_OK) == 0, "trace-cmd is not installed"))
    func `trace-cmd opens each of them`() throws {
        let run = TestRun()
        try run.rotate(small)
        while run.names.count < 3 { run.send(500) }
        try run.finish()
        let files = try run.files()
        for file in files {
            let report = try Command(
                running: URL(filePath: "/usr/bin/trace-cmd"), ["report", run.path + "/" + file.name])
            #expect(report.status == 0)
            let lines = report.output.split(separator: "\n").filter { $0.contains(" kvm_eoi: ") }
            #expect(lines.count == file.vectors.count)
        }
    }

    @Test func `a file begins with what happens at its mark, and what was before it is in the last`() throws {
        let run = TestRun()
        try run.rotate(RotatedRecording.Limits(time: 5 * TestRun.second))
        run.send(3, over: 6 * TestRun.second)
        let mark = run.now
        // These come late: they were before the mark.
        run.recorder.event(.eoi(.init(vcpu: 0, vector: 100)), at: EventStamp(time: mark - 1, cpu: 1, tid: 7))
        run.recorder.event(.eoi(.init(vcpu: 0, vector: 101)), at: EventStamp(time: mark, cpu: 0, tid: 7))
        try run.finish()
        #expect(try run.files().map(\.vectors) == [[1, 2, 3, 100], [101]])
    }

    @Test func `a gap that reaches into the next file is told in both, and counted once`() throws {
        let run = TestRun()
        try run.rotate(RotatedRecording.Limits(time: 5 * TestRun.second))
        run.send(2, over: 6 * TestRun.second)
        let mark = run.now
        run.lose(7, from: mark - 50, to: mark + 50)
        run.send(2, over: 100)
        try run.finish()
        let files = try run.files()
        #expect(files.map(\.seen.gaps) == [1, 1])
        #expect(files.map(\.totals.overrun) == [7, 0])
        #expect(files[1].totals.gaps.map(\.events) == [nil])
        #expect(files[1].totals.isWhole == false)
    }

    @Test func `losses are counted where they were`() throws {
        let run = TestRun()
        try run.rotate(RotatedRecording.Limits(time: 5 * TestRun.second))
        run.send(2, over: 2 * TestRun.second)
        run.lose(3, from: run.now, to: run.now + 5)
        run.send(2, over: 4 * TestRun.second)
        run.send(2, over: TestRun.second)
        run.lose(40, from: run.now, to: run.now + 5)
        run.send(2, over: TestRun.second)
        try run.finish()
        #expect(try run.files().map(\.totals.overrun) == [3, 40])
    }

    @Test func `without a limit of time an old file goes on, and an empty one does with it`() throws {
        let run = TestRun()
        try run.rotate(RotatedRecording.Limits())
        for _ in 0..<5 { run.send(1, over: 3600 * TestRun.second) }
        #expect(run.names.count == 1)
        try run.finish()
        let idle = TestRun()
        try idle.rotate(RotatedRecording.Limits(time: TestRun.second))
        for _ in 0..<5 {
            idle.now += 10 * TestRun.second
            idle.drain()
        }
        #expect(idle.names.count == 1)
        try idle.finish()
    }

    @Test func `so many files stay, with those of an earlier run`() throws {
        let run = TestRun()
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: false)
        let old = run.path + "/apictrace-20200101T000000Z-000007.dat"
        try Data().write(to: URL(filePath: old))
        try Data("kept".utf8).write(to: URL(filePath: run.path + "/notes"))
        try run.rotate(RotatedRecording.Limits(size: 600_000, kept: 2))
        #expect(run.names.count == 3)
        var numbers: Set<String> = []
        while numbers.count < 8 {
            run.send(500)
            numbers.formUnion(run.names)
        }
        try run.finish()
        #expect(run.names.contains("notes"))
        numbers.remove("notes")
        #expect(run.names.filter { $0 != "notes" } == numbers.sorted().suffix(2))
        // The numbers went on from the old one's.
        let ends = (7...13).map { String(format: "-%06d.dat", $0) }
        #expect(zip(numbers.sorted(), ends).allSatisfy { $0.hasSuffix($1) })
    }

    @Test func `with 1 the file that is written alone stays`() throws {
        let run = TestRun()
        try run.rotate(RotatedRecording.Limits(size: 600_000, kept: 1))
        while run.sent < 40_000 { run.send(500) }
        try run.finish()
        #expect(run.names.count == 1)
        #expect(try run.files()[0].vectors.last == run.sent)
    }

    @Test func `a folder that is removed is told, and the trace goes on`() throws {
        let run = TestRun()
        try run.rotate(small)
        run.send(100)
        try FileManager.default.removeItem(atPath: run.path)
        while run.sent < 30_000 { run.send(500) }
        #expect(throws: TraceWriterError.self) { try run.finish() }
        #expect(run.recorder.next.seen.total == Int(run.sent))
    }

    @Test func `after a failure another file is tried in a while, and what comes then is in it`() throws {
        let run = TestRun()
        try run.rotate(small)
        run.send(100)
        let name = try #require(run.names.first)
        // The next hundred names are taken.
        for number in 2...101 {
            mkdir(run.path + "/" + name.replacing("-000001", with: "-" + String(format: "%06d", number)), 0o700)
        }
        while run.sent < 30_000 { run.send(500) }
        let failed = run.sent
        run.now += PartFolder.patience
        // The other thread may have the first file still.
        while !run.names.contains(where: { $0.hasSuffix("-000102.dat") }) { run.send(10) }
        run.send(500)
        #expect(throws: TraceWriterError.self) { try run.finish() }
        for number in 2...101 {
            rmdir(run.path + "/" + name.replacing("-000001", with: "-" + String(format: "%06d", number)))
        }
        let files = try run.files()
        #expect(files.count == 2)
        #expect(files.last?.name.hasSuffix("-000102.dat") == true)
        #expect(files.first?.vectors.first == 1)
        #expect(try #require(files.first?.vectors.last) < failed)
        let rest = try #require(files.last).vectors
        let begin = try #require(rest.first)
        #expect(begin > failed + 10)
        #expect(begin <= run.sent - 500)
        let isWhole = rest == Array(begin...run.sent)
        #expect(isWhole)
    }
}
