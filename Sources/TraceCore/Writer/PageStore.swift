// SPDX-License-Identifier: Apache-2.0

/// The pages of all CPUs in the file that is being written: in slots as they come, and by CPU at the end.
///
/// A page that isn't full yet may be stored too: it keeps its slot, and fuller ones take its place. Each page's label says
/// whose it is, so that memory grows with the CPUs alone and a reader finds the pages at any time.
struct PageStore: ~Copyable {
    /// One CPU's pages.
    private struct Pages {
        var full: UInt32 = 0
        /// Where the page lies that fills, once it was stored.
        var slot: UInt64?

        var count: UInt32 { full + (slot == nil ? 0 : 1) }
    }

    private static let pageSize = UInt64(PageBuilder.pageSize)
    /// Pages that are on their way lie in front of the slots.
    static let scratchSize = 2 * pageSize

    private let start: UInt64
    private var pages: [Pages] = []
    private var slots: UInt64 = 0
    /// The first of them whose pages another store has taken.
    private var moved: UInt64 = 0

    /// - Parameter start: of the slots in the file.
    init(at start: UInt64) {
        self.start = start
    }

    /// Where the slots end.
    var end: UInt64 { start + slots * Self.pageSize }

    /// The CPUs that have pages, in ascending order, and where those lie once they are sorted.
    var cpus: [(id: Int, data: Range<UInt64>)] {
        var place = start
        var cpus: [(Int, Range<UInt64>)] = []
        for cpu in pages.indices where pages[cpu].count > 0 {
            let end = place + UInt64(pages[cpu].count) * Self.pageSize
            cpus.append((cpu, place..<end))
            place = end
        }
        return cpus
    }

    /// What the CPU's page that fills is to be labelled with.
    func label(of cpu: Int) -> PageLabel {
        PageLabel(cpu: UInt32(cpu), number: pages.indices.contains(cpu) ? pages[cpu].full : 0)
    }

    /// - Parameters:
    ///   - page: nil where it is stored as it is.
    ///   - isFull: the CPU's next page is another.
    mutating func store(
        _ page: [UInt8]?, of cpu: Int, isFull: Bool, in file: borrowing OutputFile
    ) throws(TraceWriterError) {
        while pages.count <= cpu { pages.append(Pages()) }
        let slot = pages[cpu].slot ?? slots
        if let page { try file.write(page, at: place(slot)) }
        if pages[cpu].slot == nil { slots += 1 }
        pages[cpu].slot = isFull ? nil : slot
        if isFull { pages[cpu].full += 1 }
    }

    /// Takes pages that another store holds, none of which is still to fill: as they come, after those of their CPUs that are here.
    /// - Parameter count: of pages at most.
    /// - Returns: whether that was the last one.
    mutating func take(
        _ count: Int, from other: inout PageStore, in source: borrowing OutputFile, to file: borrowing OutputFile
    ) throws(TraceWriterError) -> Bool {
        var page = [UInt8](repeating: 0, count: PageBuilder.pageSize)
        let end = other.moved + min(UInt64(clamping: count), other.slots - other.moved)
        while other.moved < end {
            try source.read(&page, at: other.place(other.moved))
            guard let label = PageLabel(page.suffix(PageLabel.size)) else { throw Self.foreign(source) }
            let cpu = Int(label.cpu)
            page.replaceSubrange((PageBuilder.pageSize - PageLabel.size)..., with: self.label(of: cpu).bytes)
            try store(page, of: cpu, isFull: true, in: file)
            other.moved += 1
        }
        return other.moved == other.slots
    }

    /// Brings each CPU's pages together, in order.
    ///
    /// A page that another has to make room for is written to the scratch first, so that all of them are in the file whenever
    /// this ends.
    func sort(in file: borrowing OutputFile) throws(TraceWriterError) {
        var starts = [UInt64](repeating: 0, count: pages.count)
        for (cpu, data) in cpus { starts[cpu] = (data.lowerBound - start) / Self.pageSize }
        var page = [UInt8](repeating: 0, count: PageBuilder.pageSize)
        var occupant = page
        var moves: UInt64 = 0
        for slot in 0..<slots {
            try file.read(&page, at: place(slot))
            var target = try self.target(of: page, starts, file)
            while target != slot {
                guard moves < slots else { throw Self.foreign(file) }
                try file.read(&occupant, at: place(target))
                let next = try self.target(of: occupant, starts, file)
                try file.write(occupant, at: start - Self.scratchSize + moves % 2 * Self.pageSize)
                try file.write(page, at: place(target))
                moves += 1
                swap(&page, &occupant)
                target = next
                if target == slot { try file.write(page, at: place(slot)) }
            }
        }
    }

    private func place(_ slot: UInt64) -> UInt64 { start + slot * Self.pageSize }

    private func target(
        of page: [UInt8], _ starts: [UInt64], _ file: borrowing OutputFile
    ) throws(TraceWriterError) -> UInt64 {
        guard let label = PageLabel(page.suffix(PageLabel.size)), pages.indices.contains(Int(label.cpu)),
            label.number < pages[Int(label.cpu)].count
        else { throw Self.foreign(file) }
        return starts[Int(label.cpu)] + UInt64(label.number)
    }

    private static func foreign(_ file: borrowing OutputFile) -> TraceWriterError {
        TraceWriterError(file: file.name, what: "isn't as it was written", reason: "somebody else wrote to it")
    }
}
