// SPDX-License-Identifier: Apache-2.0

/// The full pages of all CPUs until the end, in one unlinked file.
///
/// A trace.dat wants each CPU's pages in one piece, and how many there will be is known only at the end. Each slot of the
/// spool holds a page and the number of the slot that its CPU's next page will have, so that memory grows with the CPUs
/// alone and one descriptor serves them all.
struct PageSpool: ~Copyable {
    /// One CPU's chain of slots.
    private struct Chain {
        var first: UInt64
        /// Where its next page will be.
        var next: UInt64
        var pages: UInt64 = 0
    }

    private static let slotSize = UInt64(PageBuilder.pageSize + MemoryLayout<UInt64>.size)

    private let file: OutputFile
    private var chains: [Int32: Chain] = [:]
    private var slots: UInt64 = 0

    init(beside path: String) throws(TraceWriterError) {
        file = try OutputFile(temporaryBeside: path)
    }

    /// The CPUs that have pages, in ascending order.
    var cpus: [(id: Int32, pages: UInt64)] {
        chains.map { ($0.key, $0.value.pages) }.sorted { $0.0 < $1.0 }
    }

    mutating func add(_ page: [UInt8], of cpu: Int32) throws(TraceWriterError) {
        var chain = chains[cpu] ?? newChain()
        let slot = chain.next
        chain.next = slots
        chain.pages += 1
        slots += 1
        chains[cpu] = chain
        var bytes = LittleEndianBytes(page)
        bytes.number(chain.next)
        try file.write(bytes.bytes, at: slot * Self.slotSize)
    }

    /// Writes a CPU's pages one behind the other.
    func copy(_ cpu: Int32, to target: borrowing OutputFile, at offset: UInt64) throws(TraceWriterError) {
        guard let chain = chains[cpu] else { return }
        var slot = chain.first
        var bytes = [UInt8](repeating: 0, count: Int(Self.slotSize))
        for page in 0..<chain.pages {
            try file.read(&bytes, at: slot * Self.slotSize)
            try target.write(
                Array(bytes[..<PageBuilder.pageSize]), at: offset + page * UInt64(PageBuilder.pageSize))
            slot = bytes[PageBuilder.pageSize...].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }

    private mutating func newChain() -> Chain {
        slots += 1
        return Chain(first: slots - 1, next: slots - 1)
    }
}
