// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TraceCore

/// The probes' counts of the exits that they didn't send, by row and reason, mapped from the kernel.
struct MappedExitCounts: ~Copyable {
    private let rows: UnsafeRawPointer
    private let size: Int
    private let ends: UnsafeMutableRawPointer
    private let endsSize: Int

    /// - Parameters:
    ///   - descriptor: of the map `exit_counts`.
    ///   - ends: of the map `exit_row_ends`, which is written to.
    init(descriptor: Int32, ends: Int32) throws(BPFError) {
        size = Self.pages(EXIT_ROWS * MemoryLayout<probe_exit_counts>.stride)
        endsSize = Self.pages(EXIT_ROWS * MemoryLayout<probe_row_ends>.stride)
        guard let memory = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), memory != MAP_FAILED else {
            throw .last("mmap", "exit_counts")
        }
        guard let written = mmap(nil, endsSize, PROT_READ | PROT_WRITE, MAP_SHARED, ends, 0), written != MAP_FAILED
        else {
            let error = BPFError.last("mmap", "exit_row_ends")
            munmap(memory, size)
            throw error
        }
        rows = UnsafeRawPointer(memory)
        self.ends = written
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: rows), size)
        munmap(ends, endsSize)
    }

    private static func pages(_ bytes: Int) -> Int {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        return (bytes + page - 1) / page * page
    }

    /// Rows count from 1 on.
    static func isRow(_ row: UInt32) -> Bool { (1...EXIT_ROWS).contains(Int(row)) }

    /// By slot, since the start. Empty where there is no such row.
    func counts(row: UInt32) -> [UInt64] {
        guard Self.isRow(row) else { return [] }
        let start = rows + Int(row - 1) * MemoryLayout<probe_exit_counts>.stride
        return (0..<EXIT_SLOTS).map { cbpf_load_relaxed_64(start + $0 * 8) }
    }

    /// An owner of the row has ended whose counts were not read.
    func hasEndedUnread(row: UInt32) -> Bool {
        guard Self.isRow(row), let ended = MemoryLayout<probe_row_ends>.offset(of: \.ended),
            let read = MemoryLayout<probe_row_ends>.offset(of: \.read)
        else { return false }
        let place = UnsafeRawPointer(ends) + Int(row - 1) * MemoryLayout<probe_row_ends>.stride
        return cbpf_load_relaxed_64(place + ended) > place.load(fromByteOffset: read, as: UInt64.self)
    }

    /// The counts of one whose time with the row has ended were read: the row is another one's from now on.
    func release(row: UInt32) {
        guard Self.isRow(row), let read = MemoryLayout<probe_row_ends>.offset(of: \.read) else { return }
        let place = ends + Int(row - 1) * MemoryLayout<probe_row_ends>.stride + read
        place.storeBytes(of: place.load(as: UInt64.self) &+ 1, as: UInt64.self)
    }

    static func reason(ofSlot slot: Int, isa: ISA) -> ExitReason {
        ExitReason(isa: isa, recorded: code(slot, isa))
    }

    private static func code(_ slot: Int, _ isa: ISA) -> UInt32 {
        UInt32(isa == .svm && slot >= EXIT_SLOT_NPF ? slot - EXIT_SLOT_NPF + SVM_EXIT_NPF : slot)
    }
}
