// SPDX-License-Identifier: Apache-2.0

/// The recorder's own account of losses, from the CPUSTAT options: the authority on how many there were.
struct CPUStatistics {
    /// Overrun, commit overrun and dropped events by buffer.
    private(set) var lost: [String: UInt64] = [:]
    /// trace-cmd names a buffer in an option of its own, before its CPUs'; the top buffer's come first, unnamed.
    private var buffer = ""

    mutating func take(_ text: String) {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == " " }
            switch parts[0] {
            case "Buffer": buffer = String(value)
            case "overrun", "commit overrun", "dropped events":
                lost[buffer, default: 0] &+= UInt64(value) ?? 0
            default: break
            }
        }
    }
}
