// SPDX-License-Identifier: Apache-2.0

/// What perf writes to a pipe: all that a file has at its begin and end comes as records.
extension PerfContainer {
    /// The records up to the first sample's, and what is told in them.
    mutating func readPrelude() throws(TraceCut) {
        var reader = SectionReader("the head of a perf.data from a pipe", of: file, records, order: .little)
        while !reader.isAtEnd {
            let start = reader.offset
            let cut = reader.cut
            let type = try reader.integer(UInt32.self)
            _ = try reader.integer(UInt16.self)
            let size = try reader.integer(UInt16.self)
            guard size >= PerfRecord.headerSize else { throw cut }
            var end = start + UInt64(size)
            switch PerfRecord(rawValue: type) {
            case .sample, .compressed, .compressed2: return
            case .headerAttribute: try addAttribute(try reader.text(end - reader.offset), at: start)
            case .feature:
                guard let feature = Feature(rawValue: UInt8(clamping: try reader.integer(UInt64.self))) else { break }
                do throws(TraceCut) {
                    try read(feature, part(reader.offset, to: end))
                } catch {
                    texts.note(error)
                }
            case .tracingData:
                let size = UInt64(try reader.integer(UInt32.self))
                do throws(TraceCut) {
                    try readTracingData(part(end, to: end + size))
                } catch {
                    texts.note(error)
                }
                end += (size + 7) & ~7
            case .eventUpdate: try update(&reader, to: end)
            case .auxTrace: end = end.addingClamped(try reader.integer(UInt64.self))
            default: break
            }
            try reader.skip(end - min(end, reader.offset))
        }
    }

    /// As far as the file goes.
    func part(_ start: UInt64, to end: UInt64) -> Range<UInt64> {
        start..<max(start, min(end, file.size))
    }

    /// The attributes are as long as they say themselves; ids follow.
    private mutating func addAttribute(_ bytes: [UInt8], at offset: UInt64) throws(TraceCut) {
        var reader = SectionReader("an event's attributes", bytes: bytes, at: offset, order: .little)
        let start = reader.cut
        _ = try reader.integer(UInt32.self)
        let size = Int(try reader.integer(UInt32.self))
        guard size >= PerfAttribute.smallest, size <= bytes.count, attributes.count < Self.mostAttributes else {
            throw start
        }
        var attribute = try PerfAttribute(Array(bytes.prefix(size)), at: offset)
        reader = SectionReader("an event's ids", bytes: Array(bytes.dropFirst(size)), at: offset, order: .little)
        while !reader.isAtEnd { attribute.ids.append(try reader.integer()) }
        attributes.append(attribute)
    }

    private static let nameUpdate: UInt64 = 2

    /// The name of the event with an id.
    private mutating func update(_ reader: inout SectionReader, to end: UInt64) throws(TraceCut) {
        let kind = try reader.integer(UInt64.self)
        let id = try reader.integer(UInt64.self)
        guard kind == Self.nameUpdate, end > reader.offset,
            let index = attributes.firstIndex(where: { $0.ids.contains(id) })
        else { return }
        attributes[index].name = try reader.text(end - reader.offset).prefix { $0 != 0 }.text
    }
}
