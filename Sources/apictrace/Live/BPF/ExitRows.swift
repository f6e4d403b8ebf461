// SPDX-License-Identifier: Apache-2.0
import CBPF
import TraceCore

/// Whose exits the rows of ``MappedExitCounts`` count. A row is one vCPU's on one thread until that thread runs another one or
/// ends; then it is read, and another's.
struct ExitRows: ~Copyable {
    /// Exits of a thread's vCPU that were not reported before.
    typealias NewExits = [(reason: ExitReason, count: UInt64)]

    private let mapped: MappedExitCounts
    private let isa: ISA
    /// By row, from 1 on: the thread that has it, 0 where none does, and the counts that were reported.
    private var threads = [Int32](repeating: 0, count: Int(EXIT_ROWS) + 1)
    private var reported = [[UInt64]](repeating: [], count: Int(EXIT_ROWS) + 1)
    /// The row of each of ``threads``.
    private var rows: [Int32: UInt32] = [:]
    /// By row, since when it is known that its owner has ended, while records were lost.
    private var suspects: [UInt32: UInt64] = [:]

    init(_ mapped: consuming MappedExitCounts, isa: ISA) {
        self.mapped = mapped
        self.isa = isa
    }

    /// The thread has a row from now on, or none (0). Returns the exits of what it ran until now.
    mutating func runs(_ row: UInt32, on tid: Int32) -> NewExits {
        let before = rows[tid] ?? 0
        guard before != row else { return [] }
        let exits = ended(before)
        if MappedExitCounts.isRow(row) {
            // Its last owner's end was not reported: the ring was full.
            if threads[Int(row)] != 0 { rows[threads[Int(row)]] = nil }
            threads[Int(row)] = tid
            rows[tid] = row
        }
        return exits
    }

    /// The owner of a row counts nothing any more. Returns its last exits.
    mutating func ended(_ row: UInt32) -> NewExits {
        guard MappedExitCounts.isRow(row) else { return [] }
        let exits = newExits(of: row)
        rows[threads[Int(row)]] = nil
        threads[Int(row)] = 0
        mapped.release(row: row)
        return exits
    }

    /// Records were lost. Rows whose owner has ended wait for a record that tells so, which may have been one of them.
    mutating func suspect(at time: UInt64) {
        for row in 1...UInt32(EXIT_ROWS) where mapped.hasEndedUnread(row: row) && suspects[row] == nil {
            suspects[row] = time
        }
    }

    /// Rows whose owner has ended, which will not be reported any more: the next vCPU may have them.
    ///
    /// - Parameter settled: time up to which all records were reported.
    /// - Returns: their owners' last exits, by thread.
    mutating func reclaim(settled: UInt64) -> [(tid: Int32, NewExits)] {
        guard !suspects.isEmpty else { return [] }
        var reclaimed: [(tid: Int32, NewExits)] = []
        for (row, time) in suspects where settled > time &+ Self.recordDelay {
            suspects[row] = nil
            guard mapped.hasEndedUnread(row: row) else { continue }
            let tid = threads[Int(row)]
            let exits = ended(row)
            if tid != 0 { reclaimed.append((tid, exits)) }
        }
        return reclaimed
    }

    /// A row ends a moment before or after the record that tells so gets its time.
    private static let recordDelay: UInt64 = 1_000_000_000

    /// What was not reported of any thread's vCPU.
    mutating func rest() -> [(tid: Int32, NewExits)] {
        var rest: [(tid: Int32, NewExits)] = []
        for row in 1...UInt32(EXIT_ROWS) where threads[Int(row)] != 0 {
            rest.append((threads[Int(row)], newExits(of: row)))
        }
        return rest
    }

    private mutating func newExits(of row: UInt32) -> NewExits {
        let counts = mapped.counts(row: row)
        let before = reported[Int(row)]
        reported[Int(row)] = counts
        return counts.indices.compactMap { slot in
            let count = counts[slot] &- (before.isEmpty ? 0 : before[slot])
            return count == 0 ? nil : (MappedExitCounts.reason(ofSlot: slot, isa: isa), count)
        }
    }
}
