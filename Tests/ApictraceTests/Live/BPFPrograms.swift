// SPDX-License-Identifier: Apache-2.0
import CBPF
import Foundation

@testable import apictrace

/// The BPF programs of a process, by their ids. Of programs by name there may be some of a process that has just ended.
struct BPFPrograms {
    let ids: Set<UInt32>

    /// Waits until the process has attached some.
    /// - Returns: nil where it has none after half a minute.
    static func attached(by process: Int32) -> BPFPrograms? {
        var ids: Set<UInt32> = []
        guard
            wait(until: {
                let descriptors = descriptors(of: process)
                ids = Set(descriptors.compactMap { $0["prog_id"].flatMap { UInt32($0) } })
                return descriptors.contains { $0["link_type"] != nil }
            })
        else { return nil }
        return BPFPrograms(ids: ids)
    }

    /// The kernel frees programs a moment after their last reference has gone.
    func waitUntilFreed() -> Bool {
        Self.wait {
            ids.allSatisfy {
                let descriptor = bpf_prog_get_fd_by_id($0)
                guard descriptor >= 0 else { return true }
                close(descriptor)
                return false
            }
        }
    }

    /// What the kernel says of each descriptor (`/proc/PID/fdinfo`).
    private static func descriptors(of process: Int32) -> [[Substring: Substring]] {
        let folder = "/proc/\(process)/fdinfo"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { SystemFile.text("\(folder)/\($0)") }.map { text in
            let fields = text.split(separator: "\n").map { $0.split(separator: ":\t", maxSplits: 1) }
            return Dictionary(fields.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { first, _ in first }
        }
    }

    private static func wait(until condition: () -> Bool) -> Bool {
        for _ in 0..<1500 {
            if condition() { return true }
            usleep(20_000)
        }
        return false
    }
}
