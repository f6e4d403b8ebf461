// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// Whose records found the ring full, of those that the probes counted as some process's.
struct DropsOfProcesses {
    private let processes: Int32
    private let ended: Int32
    /// By process, as of the last look; of one that has ended until its last count was read.
    private var known: [Int32: UInt64] = [:]
    /// How many were reported in all.
    private var reported: UInt64 = 0
    /// Up to 5.18 reading a map takes privileges that a run has given up by then.
    private(set) var isReadable = true

    /// - Parameters:
    ///   - processes: descriptor of the map of that name.
    ///   - ended: of the map `drops_of_ended`.
    init(processes: Int32, ended: Int32) {
        self.processes = processes
        self.ended = ended
    }

    /// Whose the drops are that were not reported yet, and how many of them are of nobody known.
    ///
    /// - Parameter counted: of all CPUs, read before: each of them is in one of the two maps by now.
    mutating func newLosses(counted: UInt64) -> (ofProcesses: [(process: Int32, events: UInt64)], others: UInt64) {
        guard counted > reported else { return ([], 0) }
        let losses = look()
        reported &+= losses.values.reduce(0, &+)
        let others = counted > reported ? counted &- reported : 0
        reported &+= others
        return (losses.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, others)
    }

    private mutating func look() -> [Int32: UInt64] {
        // In this order: a process goes from one map to the other.
        guard isReadable, let running = running(), let ended = takeEnded() else {
            isReadable = false
            return [:]
        }
        return newLosses(running: running, ended: ended)
    }

    /// By process, what is new of those that run and of those that have ended. One that ends is in neither for a moment.
    mutating func newLosses(running: [Int32: UInt64], ended: [Int32: UInt64]) -> [Int32: UInt64] {
        var losses: [Int32: UInt64] = [:]
        for (process, dropped) in running {
            let before = known[process] ?? 0
            // Fewer than before: its id is another process's now.
            losses[process] = dropped >= before ? dropped &- before : dropped
        }
        for (process, dropped) in ended {
            let before = max(known[process] ?? 0, running[process] ?? 0)
            if dropped > before { losses[process, default: 0] &+= dropped &- before }
        }
        known = known.merging(running) { $1 }.filter { ended[$0.key] == nil }
        return losses.filter { $0.value > 0 }
    }

    private func running() -> [Int32: UInt64]? {
        Self.entries(most: Int(VCPU_THREADS), of: probe_process()) { batch, keys, values, count in
            bpf_map_lookup_batch(processes, nil, batch, keys, values, count, nil)
        }?.compactMapValues { $0.dropped == 0 ? nil : $0.dropped }
    }

    private func takeEnded() -> [Int32: UInt64]? {
        Self.entries(most: Int(ENDED_PROCESSES), of: UInt64(0)) { batch, keys, values, count in
            bpf_map_lookup_and_delete_batch(ended, nil, batch, keys, values, count, nil)
        }
    }

    /// A whole map at once, in room for all that it can have; nil where that may not be read.
    private static func entries<Value: BitwiseCopyable>(
        most: Int, of value: Value,
        _ read: (
            _ batch: UnsafeMutableRawPointer?, _ keys: UnsafeMutableRawPointer?, _ values: UnsafeMutableRawPointer?,
            _ count: UnsafeMutablePointer<UInt32>
        ) -> Int32
    ) -> [Int32: Value]? {
        var (batch, count) = (UInt32(0), UInt32(most))
        var keys = [Int32](repeating: 0, count: most)
        var values = [Value](repeating: value, count: most)
        let code = keys.withUnsafeMutableBytes { keys in
            values.withUnsafeMutableBytes { read(&batch, keys.baseAddress, $0.baseAddress, &count) }
        }
        // ENOENT: nothing follows.
        guard code == 0 || code == -ENOENT else { return nil }
        return Dictionary(zip(keys, values).prefix(Int(count))) { first, _ in first }
    }
}
