// SPDX-License-Identifier: Apache-2.0

/// The threads whose process was reported last. It forgets on a collision of its few slots: reporting twice does no harm.
struct ReportedThreads {
    private var slots = Array(repeating: (tid: Int32(0), process: Int32(0)), count: 1024)

    /// Marks the pair as reported. True where it was not before.
    mutating func markReported(_ tid: Int32, of process: Int32) -> Bool {
        let slot = Int(tid) & (slots.count - 1)
        guard slots[slot] != (tid, process) else { return false }
        slots[slot] = (tid, process)
        return true
    }

    /// It has ended: its id may be another one's.
    mutating func forget(_ tid: Int32) {
        slots[Int(tid) & (slots.count - 1)] = (0, 0)
    }
}
