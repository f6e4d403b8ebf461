// SPDX-License-Identifier: Apache-2.0

/// Buffers of a version 7 file whose last OPTIONS section is cut off, and with it the tables of their CPUs.
///
/// trace-cmd writes the CPUs of a buffer by ascending id, each from a page boundary on. Where one ends is told by its chunks, or
/// by time that starts anew. Ids can't be had: the CPUs are numbered as they come.
extension TraceContainer {
    mutating func rescueBuffers(_ sections: [SectionHeader]) {
        for section in sections {
            var instance = BufferInstance(
                name: instances.isEmpty ? "" : "rescued \(instances.count)", clock: options.clock,
                pageSize: head.pageSize, isCompressed: section.isCompressed)
            let pieces = section.isCompressed ? chunkedPieces(in: section.body) : pagePieces(in: section.body)
            for (id, piece) in pieces.prefix(BufferInstance.mostCPUs).enumerated() {
                instance.cpus.append(BufferInstance.CPU(id: Int32(id), data: piece))
            }
            instances.append(instance)
        }
        rescued = instances.reduce(0) { $0 + $1.cpus.count }
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
