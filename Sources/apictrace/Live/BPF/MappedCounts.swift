// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TraceCore

/// The probes' counts of each CPU, mapped: reading them makes no system call.
struct MappedCounts: ~Copyable {
    private let rows: UnsafeRawPointer
    private let size: Int
    let cpus: Int

    init(descriptor: Int32, cpus: Int) throws(BPFError) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let size = (cpus * MemoryLayout<probe_counts>.stride + page - 1) / page * page
        guard let memory = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw .last("mmap", "counts")
        }
        rows = UnsafeRawPointer(memory)
        self.size = size
        self.cpus = cpus
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: rows), size)
    }

    /// Hits of a kind on all CPUs: counted before any filter and whether or not its record found room.
    func hits(_ kind: EventKind) -> UInt64 {
        (0..<cpus).reduce(0) { $0 &+ word(Int(kind.rawValue), ofCPU: $1) }
    }

    /// Records of one CPU that found the ring full and are not of a process that runs a VM.
    func dropped(onCPU cpu: Int) -> UInt64 {
        word(Self.firstDrop + 1, ofCPU: cpu)
    }

    /// Those that are: ``DropsOfProcesses`` knows of which.
    func droppedOfProcesses(onCPU cpu: Int) -> UInt64 {
        word(Self.firstDrop, ofCPU: cpu)
    }

    private static let firstDrop = Int(MAX_KINDS)

    /// `probe_counts` is words throughout: the hits by kind, then the two kinds of drops.
    private func word(_ index: Int, ofCPU cpu: Int) -> UInt64 {
        guard cpu < cpus, index <= Self.firstDrop + 1 else { return 0 }
        return cbpf_load_relaxed_64(rows + cpu * MemoryLayout<probe_counts>.stride + index * 8)
    }
}
