// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TraceCore

/// The probes' counts of the exits that they didn't send, by vCPU and reason, mapped from the kernel for reading.
struct MappedExitCounts: ~Copyable {
    private let rows: UnsafeRawPointer
    private let size: Int

    init(descriptor: Int32) throws(BPFError) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let size = (EXIT_ROWS * MemoryLayout<probe_exit_counts>.stride + page - 1) / page * page
        guard let memory = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw .last("mmap", "exit_counts")
        }
        rows = UnsafeRawPointer(memory)
        self.size = size
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: rows), size)
    }

    /// - Parameter row: from 1 on.
    func counts(row: UInt32, isa: ISA) -> [(reason: ExitReason, count: UInt64)] {
        guard (1...EXIT_ROWS).contains(Int(row)) else { return [] }
        let start = rows + Int(row - 1) * MemoryLayout<probe_exit_counts>.stride
        return (0..<EXIT_SLOTS).compactMap { slot in
            let count = cbpf_load_relaxed_64(start + slot * 8)
            return count == 0 ? nil : (ExitReason(isa: isa, recorded: Self.code(slot, isa)), count)
        }
    }

    private static func code(_ slot: Int, _ isa: ISA) -> UInt32 {
        UInt32(isa == .svm && slot >= EXIT_SLOT_NPF ? slot - EXIT_SLOT_NPF + SVM_EXIT_NPF : slot)
    }
}
