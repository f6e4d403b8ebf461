// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import TraceCore

@testable import apictrace

/// The last minutes in memory, and what becomes of them when something is found.
@Suite struct FlightRecorderTests {
    private let limits = FlightRecorder.Limits(span: 80 * TestRun.second, size: 8 << 20, rest: 10 * TestRun.second)

    private func second(_ run: TestRun, _ count: Int = 1) {
        for _ in 0..<count {
            for _ in 0..<10 { run.send(10, over: TestRun.second / 10) }
        }
    }

    @Test func `where nothing is found there is no file`() throws {
        let run = TestRun()
        _ = try run.fly(limits)
        second(run, 200)
        run.recorder.next.news = .inconclusive
        second(run, 20)
        try run.finish()
        #expect(run.names == [])
        #expect(run.recorder.next.seen.total == Int(run.sent))
    }

    @Test func `a finding is recorded with what was before and after it, each event once`() throws {
        let run = TestRun()
        let flight = try run.fly(limits)
        second(run, 200)
        run.recorder.next.news = .suspect
        let found = run.sent
        second(run, 30)
        // The run goes on, and the file is complete as soon as the other thread is through.
        flight.files.completion.wait()
        let files = try run.files()
        #expect(files.count == 1)
        let vectors = files[0].vectors
        // A hundred a second: a part of the kept time more, and the rest after it.
        let first = try #require(vectors.first)
        let last = try #require(vectors.last)
        #expect(vectors == Array(first...last))
        #expect((7999...9100).contains(found - first))
        #expect((1000...1100).contains(last - found))
        #expect(files[0].totals.cut == nil)
        #expect(files[0].totals.overrun == 0)
        #expect(files[0].totals.byName["kvm_eoi"] == UInt64(vectors.count))
        try run.finish()
        #expect(run.names.count == 1)
    }

    @Test func `it goes on, and the next finding has a file of its own`() throws {
        let run = TestRun()
        _ = try run.fly(limits)
        second(run, 30)
        run.recorder.next.news = .hazard
        second(run, 100)
        run.recorder.next.news = .suspect
        second(run, 5)
        try run.finish()
        let files = try run.files()
        #expect(files.count == 2)
        let (first, next) = (files[0].vectors, files[1].vectors)
        #expect(first.first == 1)
        #expect(try #require(next.first) > (try #require(first.last)))
        #expect(next == Array(try #require(next.first)...run.sent))
    }

    @Test func `findings that follow each other share a file, until it is large`() throws {
        let run = TestRun()
        var limits = limits
        limits.fileSize = 1 << 20
        _ = try run.fly(limits)
        second(run, 5)
        for _ in 0..<40 {
            run.recorder.next.news = .suspect
            for _ in 0..<10 { run.send(300, over: TestRun.second / 2) }
        }
        try run.finish()
        let files = try run.files()
        #expect(files.count > 2)
        #expect(files.flatMap(\.vectors) == Array(1...run.sent))
    }

    @Test func `a finding of a lower grade than asked for is none`() throws {
        let run = TestRun()
        var limits = limits
        limits.grade = .suspect
        _ = try run.fly(limits)
        second(run, 3)
        run.recorder.next.news = .hazard
        second(run, 3)
        #expect(run.names == [])
        run.recorder.next.news = .suspect
        second(run, 3)
        #expect(run.names.count == 1)
        try run.finish()
    }

    @Test func `what is found at the very end is recorded too`() throws {
        let run = TestRun()
        _ = try run.fly(limits)
        second(run, 20)
        run.recorder.next.news = .confirmed
        try run.finish()
        #expect(try run.files().map(\.vectors) == [Array(1...run.sent)])
    }

    @Test func `memory has its bound, and the oldest goes`() throws {
        let run = TestRun()
        let flight = try run.fly(limits)
        var most: UInt64 = 0
        for _ in 0..<600 {
            run.send(1000, over: TestRun.second / 100)
            most = max(most, flight.size)
        }
        // It was used, and the part that comes is not counted in it.
        #expect(most > 6 << 20)
        #expect(most <= 7 << 20)
        run.recorder.next.news = .suspect
        run.send(10)
        try run.finish()
        let vectors = try run.files()[0].vectors
        #expect(vectors == Array(try #require(vectors.first)...run.sent))
        #expect(try #require(vectors.first) > 1)
    }

    @Test func `a file that can't be made is told, and the next finding is tried`() throws {
        let run = TestRun()
        _ = try run.fly(limits)
        second(run, 5)
        try FileManager.default.removeItem(atPath: run.path)
        run.recorder.next.news = .suspect
        second(run, 30)
        #expect(run.recorder.next.seen.total == Int(run.sent))
        #expect(throws: TraceWriterError.self) { try run.finish() }
    }

    @Test func `a folder without room for files is told before anything is traced`() throws {
        let run = TestRun()
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: false)
        let folder = try RecordingFolder(path: run.path)
        try FileManager.default.removeItem(atPath: run.path)
        let flight = FlightRecorder(in: folder, info: TestRun.info, limits: limits, countsHits: true)
        #expect(throws: TraceWriterError.self) { try run.recorder.begin(flight) }
    }
}
