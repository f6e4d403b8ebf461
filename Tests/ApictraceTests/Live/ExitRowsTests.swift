// SPDX-License-Identifier: Apache-2.0
import CBPF
import Foundation
import Testing

@testable import TraceCore
@testable import apictrace

/// Whose exits the probes counted, by rows that pass from one vCPU to the next.
@Suite struct ExitRowsTests {
    /// The probes' part: maps that are files here.
    private final class Memory {
        private let counts: Int32
        private let ends: Int32

        init() throws {
            counts = Self.file(4 << 20)
            ends = Self.file(1 << 20)
        }

        deinit {
            close(counts)
            close(ends)
        }

        private static func file(_ size: off_t) -> Int32 {
            var path = Array("/tmp/apictrace-test-XXXXXX".utf8CString)
            let descriptor = mkstemp(&path)
            #expect(descriptor >= 0 && unlink(path) == 0 && ftruncate(descriptor, size) == 0)
            return descriptor
        }

        func rows() throws -> ExitRows { ExitRows(try MappedExitCounts(descriptor: counts, ends: ends), isa: .vmx) }

        /// The total of a row's CPUID exits.
        func count(_ total: UInt64, row: Int) {
            var total = total
            pwrite(counts, &total, 8, off_t((row - 1) * MemoryLayout<probe_exit_counts>.stride + 10 * 8))
        }

        /// The probes' count of owners that have ended.
        func end(_ total: UInt64, row: Int) {
            var total = total
            pwrite(ends, &total, 8, off_t((row - 1) * MemoryLayout<probe_row_ends>.stride))
        }

        /// How many owners' counts were read.
        func released(row: Int) -> UInt64 {
            var read: UInt64 = 0
            pread(ends, &read, 8, off_t((row - 1) * MemoryLayout<probe_row_ends>.stride + 8))
            return read
        }
    }

    private func total(_ news: ExitRows.NewExits) -> UInt64 { news.reduce(0) { $0 + $1.count } }

    @Test func `five vCPUs that one thread runs after each other have their own exits`() throws {
        let memory = try Memory()
        var rows = try memory.rows()
        var reported: [UInt64] = []
        for row in 1...5 {
            let news = rows.runs(UInt32(row), on: 100)
            if row > 1 { reported.append(total(news)) }
            memory.count(4, row: row)
        }
        #expect(reported + rows.rest().map { total($0.1) } == [4, 4, 4, 4, 4])
    }

    @Test func `a row that is used again counts from where it was left`() throws {
        let memory = try Memory()
        var rows = try memory.rows()
        _ = rows.runs(7, on: 100)
        memory.count(4, row: 7)
        #expect(total(rows.ended(7)) == 4)
        #expect(memory.released(row: 7) == 1)
        _ = rows.runs(7, on: 2124)
        memory.count(9, row: 7)
        #expect(total(rows.ended(7)) == 5)
        #expect(memory.released(row: 7) == 2)
        #expect(rows.rest().isEmpty)
    }

    @Test func `a vCPU without a row ends the one before it on its thread`() throws {
        let memory = try Memory()
        var rows = try memory.rows()
        _ = rows.runs(3, on: 100)
        memory.count(2, row: 3)
        #expect(total(rows.runs(3, on: 100)) == 0)
        #expect(total(rows.runs(0, on: 100)) == 2)
        #expect(memory.released(row: 3) == 1)
        #expect(total(rows.ended(0)) == 0)
    }

    @Test func `a row whose owner's end was lost is another one's, once all that was sent has been reported`() throws {
        let memory = try Memory()
        var rows = try memory.rows()
        for (row, tid): (UInt32, Int32) in [(3, 100), (4, 200), (5, 300)] {
            _ = rows.runs(row, on: tid)
            memory.count(2, row: Int(row))
        }
        memory.end(1, row: 3)
        memory.end(1, row: 4)
        rows.suspect(at: 7)
        #expect(rows.reclaim(settled: 1_000_000_007).isEmpty)
        // Of one the record comes late.
        #expect(total(rows.ended(4)) == 2)
        let reclaimed = rows.reclaim(settled: 1_000_000_008)
        #expect(reclaimed.map(\.tid) == [100])
        #expect(reclaimed.map { total($0.1) } == [2])
        #expect([3, 4, 5].map(memory.released) == [1, 1, 0])
        #expect(rows.reclaim(settled: .max).isEmpty)
    }

    @Test func `a row that there can't be is nobody's`() throws {
        let memory = try Memory()
        var rows = try memory.rows()
        #expect(total(rows.runs(5000, on: 100)) == 0)
        #expect(total(rows.ended(5000)) == 0)
        #expect(rows.rest().isEmpty)
    }
}
