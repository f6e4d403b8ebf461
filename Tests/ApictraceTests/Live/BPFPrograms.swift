// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// The BPF programs that the kernel holds at the moment.
enum BPFPrograms {
    /// How many have the name.
    static func named(_ name: String) -> Int {
        var count = 0
        var id: UInt32 = 0
        while bpf_prog_get_next_id(id, &id) == 0 {
            let descriptor = bpf_prog_get_fd_by_id(id)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            var info = bpf_prog_info()
            var size = UInt32(MemoryLayout<bpf_prog_info>.size)
            guard bpf_obj_get_info_by_fd(descriptor, &info, &size) == 0 else { continue }
            let found = withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if found == name { count += 1 }
        }
        return count
    }

    /// The kernel frees programs a moment after their last reference has gone.
    static func waitForCount(notAbove limit: Int, of name: String) -> Bool {
        wait { named(name) <= limit }
    }

    static func waitForCount(above limit: Int, of name: String) -> Bool {
        wait { named(name) > limit }
    }

    private static func wait(until condition: () -> Bool) -> Bool {
        for _ in 0..<500 {
            if condition() { return true }
            usleep(20_000)
        }
        return false
    }
}
