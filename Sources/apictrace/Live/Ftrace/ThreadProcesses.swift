// SPDX-License-Identifier: Apache-2.0

/// The process of each thread that shows up, which ftrace's records lack, asked of /proc once.
///
/// It forgets on a collision of its few slots, and asks again. A thread that has gone by then stays unknown.
struct ThreadProcesses {
    private var slots = [Int32](repeating: 0, count: 4096)

    /// The process, where the thread is news.
    mutating func news(of tid: Int32) -> Int32? {
        let slot = Int(tid) & (slots.count - 1)
        guard slots[slot] != tid else { return nil }
        slots[slot] = tid
        let key = "Tgid:"
        let line = SystemFile.text("/proc/\(tid)/status")?.split(separator: "\n").first { $0.hasPrefix(key) }
        return line.flatMap { Int32($0.dropFirst(key.count).drop { $0 == "\t" }) }
    }
}
