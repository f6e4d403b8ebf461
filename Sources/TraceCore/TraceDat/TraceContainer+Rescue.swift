// SPDX-License-Identifier: Apache-2.0

/// Buffers of a version 7 file whose last OPTIONS section is cut off, and with it the tables of their CPUs.
///
/// Pages that we wrote are labelled, and lie anywhere.
///
/// trace-cmd writes the CPUs of a buffer by ascending id, each from a page boundary on. Where one ends is shown by its chunks, or
/// by time that starts anew. Ids can't be had: the CPUs are numbered as they come.
extension TraceContainer {
    mutating func rescueBuffers(_ sections: [SectionHeader]) {
        for section in sections {
            var instance = BufferInstance(
                name: instances.isEmpty ? "" : "rescued \(instances.count)", clock: options.clock,
                pageSize: head.pageSize, isCompressed: section.isCompressed)
            instance.cpus = labelledPages(in: section)
            guard instance.cpus.isEmpty else {
                instances.append(instance)
                continue
            }
            let pieces = section.isCompressed ? chunkedPieces(in: section.body) : pagePieces(in: section.body)
            for (id, piece) in pieces.prefix(BufferInstance.mostCPUs).enumerated() {
                instance.cpus.append(BufferInstance.CPU(id: Int32(id), data: piece))
            }
            instances.append(instance)
        }
        rescued = instances.reduce(0) { $0 + $1.cpus.count }
    }

    /// The CPUs whose pages have labels. One may have been on its way from one place to another: it is there twice.
    private func labelledPages(in section: SectionHeader) -> [BufferInstance.CPU] {
        guard !formats.own.isEmpty, !section.isCompressed, head.pageSize == PageLabel.pageSize else { return [] }
        let size = UInt64(head.pageSize)
        let first = pageBoundary(from: section.body.lowerBound)
        var found: [(label: PageLabel, place: UInt64)] = []
        for page in stride(from: first, to: section.body.upperBound, by: head.pageSize) {
            let bytes = file.bytes(at: page.addingClamped(size - UInt64(PageLabel.size)), count: PageLabel.size)
            if let label = PageLabel(bytes[...]) { found.append((label, page)) }
        }
        found.sort { ($0.label.cpu, $0.label.number, $0.place) < ($1.label.cpu, $1.label.number, $1.place) }
        var cpus: [BufferInstance.CPU] = []
        for (index, (label, place)) in found.enumerated() where index == 0 || label != found[index - 1].label {
            if cpus.last?.id != Int32(label.cpu) {
                cpus.append(BufferInstance.CPU(id: Int32(label.cpu), data: 0..<0, places: []))
            }
            cpus[cpus.count - 1].places?.append(place)
            cpus[cpus.count - 1].data = 0..<(cpus[cpus.count - 1].data.upperBound + size)
        }
        return cpus
    }

    private func pageBoundary(from offset: UInt64) -> UInt64 {
        let size = UInt64(head.pageSize)
        return offset.addingClamped(size - 1) / size * size
    }

    /// Each CPU's data is a number of chunks and the chunks.
    private func chunkedPieces(in section: Range<UInt64>) -> [Range<UInt64>] {
        var pieces: [Range<UInt64>] = []
        var start = pageBoundary(from: section.lowerBound)
        while start < section.upperBound, pieces.count < BufferInstance.mostCPUs {
            var reader = SectionReader("chunks", of: file, start..<section.upperBound, order: head.order)
            do throws(TraceCut) {
                for _ in 0..<(try reader.integer(UInt32.self)) {
                    let compressed = try reader.integer(UInt32.self)
                    try reader.skip(4)
                    try reader.skip(UInt64(compressed))
                }
            } catch {
                // The last one breaks off somewhere in here, which reading it will tell.
                pieces.append(start..<section.upperBound)
                break
            }
            pieces.append(start..<reader.offset)
            start = pageBoundary(from: reader.offset)
        }
        return pieces
    }

    private func pagePieces(in section: Range<UInt64>) -> [Range<UInt64>] {
        let layout = PageLayout(order: head.order, longSize: longSize, pageSize: head.pageSize)
        let size = UInt64(head.pageSize)
        var pieces: [Range<UInt64>] = []
        var start = pageBoundary(from: section.lowerBound)
        var page = start
        var last: UInt64 = 0
        while page < section.upperBound {
            let bytes = file.bytes(at: page, count: layout.headerSize)
            let header = bytes.withUnsafeBytes { PageCursor(page: $0, layout: layout) }
            guard let header, header.fault == nil || header.fault == .cut else { break }
            if header.time < last {
                pieces.append(start..<page)
                start = page
            }
            last = header.time
            page = page.addingClamped(size)
        }
        if start < page { pieces.append(start..<page) }
        return pieces
    }
}
