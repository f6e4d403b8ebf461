// SPDX-License-Identifier: Apache-2.0

/// Version 7: chained OPTIONS sections, which carry the offsets of all others (trace-cmd 3.4, trace-cmd.dat.v7.5.txt).
extension TraceContainer {
    /// Of one section, inflated. A symbol list takes 12 MB.
    private static let largestSection: UInt64 = 1 << 26
    private static let largestOptions: UInt64 = 1 << 22
    private static let mostSections = 64
    /// Kinds of sections are numbered as the options are; trace-cmd 3.4 has 26, and this leaves room.
    private static let kinds: UInt16 = 64
    private static let names: UInt16 = 15

    mutating func readVersion7() {
        var headers = readOptionSections()
        if headers.isEmpty, options.buffers.isEmpty { headers = findUntoldBuffers() }
        readSections()
        for (payload, offset) in options.buffers {
            do throws(TraceCut) {
                try readBuffer(TraceOptions.reader(payload, at: offset, order: head.order))
            } catch {
                note(error)
            }
        }
        if instances.isEmpty { rescueBuffers(headers) }
        checkTail()
    }

    /// trace-cmd's last section holds the names of the others. Nothing here needs it, but where it is cut so was the file.
    private mutating func checkTail() {
        var next = head.end
        var haveNames = false
        for _ in 0..<Self.mostSections {
            let cut = TraceCut(offset: file.size, expected: "the section of the sections' names at \(next)")
            guard let header = try? SectionHeader("a section", of: file, at: next, order: head.order) else {
                if haveNames { note(cut) }
                return
            }
            if header.id == Self.names {
                if !header.isWhole { note(cut) }
                return
            }
            guard header.id < Self.kinds else { return }
            haveNames = haveNames || header.nameID != 0
            next = header.body.upperBound
        }
    }

    /// - Returns: the buffers' sections, where the chain that should lead to them is broken.
    private mutating func readOptionSections() -> [SectionHeader] {
        var visited: Set<UInt64> = []
        var next = head.next
        do throws(TraceCut) {
            repeat {
                guard visited.insert(next).inserted else {
                    throw TraceCut(offset: next, expected: "an options section that was not read yet")
                }
                guard visited.count <= Self.mostSections else {
                    throw TraceCut(offset: next, expected: "at most \(Self.mostSections) options sections")
                }
                next = try readOptions(at: next)
            } while next != 0
            return []
        } catch {
            note(error)
            return findSections(except: visited)
        }
    }

    /// - Returns: the buffers' sections of a file whose options lead to none of them: its recorder hasn't come to that.
    private mutating func findUntoldBuffers() -> [SectionHeader] {
        guard let first = try? SectionHeader("a section", of: file, at: head.end, order: head.order),
            first.id == TraceOptions.ID.buffer.rawValue
        else { return [] }
        note(TraceCut(offset: file.size, expected: "the end of the recording"))
        return [first]
    }

    /// - Returns: where the next OPTIONS section starts, 0 for none.
    private mutating func readOptions(at offset: UInt64) throws(TraceCut) -> UInt64 {
        var reader = try section(.done, "an options section", at: offset)
        while true {
            let id = try reader.integer(UInt16.self)
            let size = try reader.integer(UInt32.self)
            if id == TraceOptions.ID.done.rawValue { return try reader.integer() }
            try readOption(id, size: size, &reader)
        }
    }

    /// Goes from section to section instead, since trace-cmd writes them one behind the other.
    private mutating func findSections(except visited: Set<UInt64>) -> [SectionHeader] {
        var buffers: [SectionHeader] = []
        var next = head.end
        for _ in 0..<Self.mostSections {
            guard let header = try? SectionHeader("a section", of: file, at: next, order: head.order) else { break }
            switch TraceOptions.ID(rawValue: header.id) {
            case .done where !visited.contains(next): _ = try? readOptions(at: next)
            case .buffer: buffers.append(header)
            case let id?: options.add(section: id, at: next)
            // Kinds that the analysis has no use for are passed; anything else is no section.
            case nil where header.id < Self.kinds: break
            case nil: return buffers
            }
            next = header.body.upperBound
        }
        return buffers
    }

    /// Sections don't depend on each other, so that one's damage costs the others nothing.
    private mutating func readSections() {
        var visited: Set<UInt64> = []
        for (id, offset) in options.sections
        where visited.count < Self.mostSections && visited.insert(offset).inserted {
            do throws(TraceCut) {
                try readSection(id, at: offset)
            } catch {
                note(error)
            }
        }
    }

    private mutating func readSection(_ id: TraceOptions.ID, at offset: UInt64) throws(TraceCut) {
        switch id {
        case .headerInfo:
            var reader = try section(id, "the page header's format", at: offset)
            try texts.readHeaders(&reader)
        case .internalFormats:
            var reader = try section(id, "the formats of ftrace's own events", at: offset)
            try texts.readInternalFormats(&reader)
        case .formats:
            var reader = try section(id, "the event formats", at: offset)
            try texts.readFormats(&reader)
        case .symbols:
            var reader = try section(id, "the kernel's symbols", at: offset)
            try texts.readSymbols(&reader)
        case .commands:
            var reader = try section(id, "the saved command lines", at: offset)
            try texts.readCommands(&reader)
        case .bufferText:
            holdsText = true
            _ = try section(id, "a latency tracer's text", at: offset)
        default: break
        }
    }

    /// A section's content, inflated.
    func section(
        _ id: TraceOptions.ID, _ part: String, at offset: UInt64
    ) throws(TraceCut) -> SectionReader {
        let header = try SectionHeader(part, of: file, at: offset, order: head.order)
        guard header.id == id.rawValue else { throw TraceCut(offset: offset, expected: part) }
        var reader = SectionReader(part, of: file, header.body, order: head.order)
        guard header.isCompressed else { return reader }
        let compressed = UInt64(try reader.integer(UInt32.self))
        let inflated = UInt64(try reader.integer(UInt32.self))
        guard head.compression != .none, inflated <= (id == .done ? Self.largestOptions : Self.largestSection) else {
            throw TraceCut(offset: offset, expected: "\(part), compressed as the head says, of a sane size")
        }
        let data = reader.offset..<min(file.size, reader.offset + compressed)
        return SectionReader(
            part, of: file, data, order: head.order, compression: head.compression, size: inflated)
    }

    private mutating func readBuffer(_ payload: SectionReader) throws(TraceCut) {
        var payload = payload
        let start = payload.offset
        let offset = try payload.integer(UInt64.self)
        var instance = BufferInstance(
            name: try payload.string(), clock: try payload.string(), pageSize: head.pageSize,
            isCompressed: head.compression != .none)
        let before = payload.cut
        let pageSize = Int(try payload.integer(UInt32.self))
        // The head's is most likely what it was.
        if PageLayout.isPageSize(pageSize) { instance.pageSize = pageSize } else { note(before) }
        do throws(TraceCut) {
            try readTable(&payload, of: &instance)
            let header = try SectionHeader("a buffer", of: file, at: offset, order: head.order)
            guard header.id == TraceOptions.ID.buffer.rawValue, header.isCompressed == instance.isCompressed else {
                throw TraceCut(offset: offset, expected: "a buffer, compressed as the head says")
            }
        } catch {
            note(error)
        }
        try add(instance, at: start)
    }

    /// Where each CPU's data lies.
    private mutating func readTable(
        _ payload: inout SectionReader, of instance: inout BufferInstance
    ) throws(TraceCut) {
        let start = payload.offset
        for index in 0..<(try payload.integer(UInt32.self)) {
            guard index < BufferInstance.mostCPUs else { throw BufferInstance.tooManyCPUs(at: start) }
            let place = payload.offset
            let id = try payload.integer(UInt32.self)
            let (offset, size) = (try payload.integer(UInt64.self), try payload.integer(UInt64.self))
            let isPossible = id < BufferInstance.mostCPUs
            if !isPossible { note(TraceCut(offset: place, expected: "the number of a CPU, not \(id)")) }
            // The data may be whole all the same: it is numbered by its place.
            instance.add(cpu: isPossible ? id : index, offset: offset, size: size)
        }
    }
}
