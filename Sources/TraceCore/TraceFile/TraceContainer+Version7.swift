// SPDX-License-Identifier: Apache-2.0

/// Version 7: chained OPTIONS sections, which carry the offsets of all others (trace-cmd 3.4, trace-cmd.dat.v7.5.txt).
extension TraceContainer {
    private static let sectionHeaderSize: UInt64 = 16
    /// Of one section, inflated. A symbol list takes 12 MB.
    private static let largestSection: UInt64 = 1 << 28
    private static let mostOptionSections = 256

    mutating func readVersion7() {
        readOptionSections()
        // Sections don't depend on each other, so that one's damage costs the others nothing.
        for (id, offset) in options.sections {
            do throws(TraceCut) {
                try readSection(id, at: offset)
            } catch {
                note(error)
            }
        }
        for buffer in options.buffers {
            do throws(TraceCut) {
                try readBuffer(buffer)
            } catch {
                note(error)
            }
        }
    }

    private mutating func readOptionSections() {
        var visited: Set<UInt64> = []
        var next = head.next
        do throws(TraceCut) {
            repeat {
                guard visited.insert(next).inserted, visited.count <= Self.mostOptionSections else {
                    throw TraceCut(offset: next, expected: "an option section that was not read yet")
                }
                var reader = try section(.done, "an options section", at: next).reader
                next = try readOptions(&reader)
            } while next != 0
        } catch {
            note(error)
        }
    }

    /// - Returns: where the next OPTIONS section starts, 0 for none.
    private mutating func readOptions(_ reader: inout SectionReader) throws(TraceCut) -> UInt64 {
        while true {
            let id = try reader.integer(UInt16.self)
            let size = try reader.integer(UInt32.self)
            if id == TraceOptions.ID.done.rawValue { return try reader.integer() }
            let offset = reader.offset
            try options.take(id, try reader.text(UInt64(size)), at: offset, order: head.order)
        }
    }

    private mutating func readSection(_ id: TraceOptions.ID, at offset: UInt64) throws(TraceCut) {
        switch id {
        case .headerInfo:
            var reader = try section(id, "the page header's format", at: offset).reader
            try readHeaders(&reader)
        case .internalFormats:
            var reader = try section(id, "the formats of ftrace's own events", at: offset).reader
            try readInternalFormats(&reader)
        case .formats:
            var reader = try section(id, "the event formats", at: offset).reader
            try readFormats(&reader)
        case .symbols:
            var reader = try section(id, "the kernel's symbols", at: offset).reader
            try readSymbols(&reader)
        case .commands:
            var reader = try section(id, "the saved command lines", at: offset).reader
            try readCommands(&reader)
        case .bufferText: holdsText = true
        default: break
        }
    }

    /// A section's content, after a look at its header.
    private func section(
        _ id: TraceOptions.ID, _ part: String, at offset: UInt64
    ) throws(TraceCut) -> (reader: SectionReader, isCompressed: Bool) {
        let start = offset.addingReportingOverflow(Self.sectionHeaderSize)
        guard !start.overflow, start.partialValue <= file.size else {
            throw TraceCut(offset: file.size, expected: "\(part) at \(offset)")
        }
        var header = SectionReader(
            "\(part): a section header of kind \(id.rawValue)", of: file, offset..<file.size, order: head.order)
        let before = header.cut
        guard try header.integer(UInt16.self) == id.rawValue else { throw before }
        let isCompressed = try header.integer(UInt16.self) & 1 != 0
        try header.skip(4)
        let size = try header.integer(UInt64.self)
        let body = header.offset..<min(file.size, header.offset.addingClamped(size))
        guard isCompressed, id != .buffer else {
            return (SectionReader(part, of: file, body, order: head.order), isCompressed)
        }
        let compressed = try header.integer(UInt32.self)
        let inflated = UInt64(try header.integer(UInt32.self))
        guard head.compression != .none, inflated <= Self.largestSection else { throw before }
        let data = header.offset..<min(file.size, header.offset + UInt64(compressed))
        return (
            SectionReader(part, of: file, data, order: head.order, compression: head.compression, size: inflated),
            true
        )
    }

    private mutating func readBuffer(_ payload: SectionReader) throws(TraceCut) {
        var payload = payload
        let offset = try payload.integer(UInt64.self)
        var instance = BufferInstance(
            name: try payload.string(), clock: try payload.string(),
            pageSize: Int(try payload.integer(UInt32.self)), isCompressed: false)
        let before = payload.cut
        let cpus = try payload.integer(UInt32.self)
        guard cpus <= BufferInstance.mostCPUs, PageLayout.pageSizes.contains(instance.pageSize) else { throw before }
        for _ in 0..<cpus {
            instance.add(
                cpu: try payload.integer(), offset: try payload.integer(), size: try payload.integer())
        }
        instance.isCompressed = try section(.buffer, "a buffer's section", at: offset).isCompressed
        instances.append(instance)
    }
}

extension UInt64 {
    func addingClamped(_ other: UInt64) -> UInt64 {
        let sum = addingReportingOverflow(other)
        return sum.overflow ? .max : sum.partialValue
    }
}
