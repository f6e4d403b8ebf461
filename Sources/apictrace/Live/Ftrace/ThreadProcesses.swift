// SPDX-License-Identifier: Apache-2.0

/// The process of each thread that shows up, which ftrace's records lack, asked of /proc once.
///
/// It forgets on a collision of its few slots, and asks again. A thread that has gone by then stays unknown.
struct ThreadProcesses {
    private var slots = [(tid: Int32, process: Int32)](repeating: (0, 0), count: 4096)
    /// Processes that were there when it was looked last.
    private var watched: Set<Int32> = []

    /// The end of more is not noticed: their VMs leave when room is needed.
    private static let mostWatched = 8192

    /// The process of a thread that was not seen before.
    mutating func process(ofNew tid: Int32) -> Int32? {
        let slot = Int(tid) & (slots.count - 1)
        guard slots[slot].tid != tid else { return nil }
        let key = "Tgid:"
        let line = SystemFile.text("/proc/\(tid)/status")?.split(separator: "\n").first { $0.hasPrefix(key) }
        let process = line.flatMap { Int32($0.dropFirst(key.count).drop { $0 == "\t" }) }
        slots[slot] = (tid, process ?? 0)
        if let process, watched.count < Self.mostWatched { watched.insert(process) }
        return process
    }

    /// Each thread is a new one once more.
    mutating func forgetThreads() {
        slots = [(tid: Int32, process: Int32)](repeating: (0, 0), count: slots.count)
    }

    /// Processes that are there no more: their ids, and those of their threads, may be others'.
    mutating func gone() -> [Int32] {
        let gone = watched.filter { !SystemFile.exists("/proc/\($0)") }
        guard !gone.isEmpty else { return [] }
        watched.subtract(gone)
        for slot in slots.indices where gone.contains(slots[slot].process) { slots[slot] = (0, 0) }
        return gone.sorted()
    }
}
