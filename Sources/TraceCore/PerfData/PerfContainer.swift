// SPDX-License-Identifier: Apache-2.0

/// What a perf.data holds beside its records, and where those lie (tools/perf/Documentation/perf.data-file-format.txt, 7.3).
///
/// A file begins with the attributes and ends with the features, among them the formats; what perf writes to a pipe has both as
/// records, before those that it took. A file that is cut or damaged yields what comes before the damage, and ``cut``.
struct PerfContainer {
    static let magic = Array("PERFILE2".utf8)
    /// Of a machine of the other byte order.
    static let reversedMagic = Array("2ELIFREP".utf8)

    /// Bits of the header's feature bitmap (tools/perf/util/header.h).
    enum Feature: UInt8 {
        case tracingData = 1
        case hostname = 3
        case release = 4
        case architecture = 6
        case cpus = 7
        case events = 12
        case directory = 24
        case compressed = 27
    }

    /// Attributes beyond it are damage: KVM has a hundred events.
    static let mostAttributes = 4096
    private static let headerSize: UInt64 = 104
    private static let pipeHeaderSize: UInt64 = 16

    let file: InputFile
    let isPipe: Bool
    /// Where the records lie.
    private(set) var records: Range<UInt64> = 0..<0
    var attributes: [PerfAttribute] = []
    var texts = TracingTexts()
    private(set) var machine = (host: "", release: "", architecture: "")
    private(set) var cpuCount = 0
    private(set) var isCompressed = false
    private var isDirectory = false

    /// - Parameter cut: damage that was met before, in unpacking the file.
    /// - Throws: where nothing can be told of the file, with what to do.
    init(_ file: InputFile, cut: TraceCut?) throws(InputError) {
        self.file = file
        texts.cut = cut
        var reader = SectionReader("the head of a perf.data", of: file, 8..<max(8, file.size), order: .little)
        do throws(TraceCut) {
            let size = try reader.integer(UInt64.self)
            isPipe = size == Self.pipeHeaderSize
            if isPipe {
                records = Self.pipeHeaderSize..<max(Self.pipeHeaderSize, file.size)
            } else {
                guard size >= Self.headerSize else { throw TraceCut(offset: 8, expected: "the size of the head") }
            }
        } catch {
            throw .damaged(file: file.name, error)
        }
        do throws(TraceCut) {
            if isPipe { try readPrelude() } else { try readHeader(&reader) }
        } catch {
            texts.note(error)
        }
        try refuse()
    }

    /// What is no recording of KVM's events on an x86 host.
    private func refuse() throws(InputError) {
        if isDirectory { throw .foreign(file: file.name, .perfDirectory) }
        if let foreign = ForeignFormat(architecture: machine.architecture)
            ?? ForeignFormat(architecture: texts.formats.otherMachine)
        {
            throw .foreign(file: file.name, foreign)
        }
        guard !attributes.isEmpty else {
            throw .damaged(file: file.name, texts.cut ?? TraceCut(offset: 8, expected: "the attributes of events"))
        }
        guard attributes.contains(where: { $0.tracepoint != nil }) else { throw .foreign(file: file.name, .profile) }
        if texts.formats.names.isEmpty { throw .foreign(file: file.name, .unfinishedPerfData) }
    }

    // MARK: - A file

    private mutating func readHeader(_ reader: inout SectionReader) throws(TraceCut) {
        let attributeSize = try reader.integer(UInt64.self)
        let attributes = try Self.section(&reader)
        let data = try Self.section(&reader)
        _ = try Self.section(&reader)
        var features: [UInt64] = []
        for _ in 0..<4 { features.append(try reader.integer()) }
        // perf that was killed has told neither how much there is nor what follows it.
        let isUnfinished = data.isEmpty || data.upperBound > file.size
        records = data.lowerBound..<(isUnfinished ? max(data.lowerBound, file.size) : data.upperBound)
        if isUnfinished { texts.note(TraceCut(offset: file.size, expected: "the end of the recording")) }
        try readAttributes(attributes, size: attributeSize)
        if !isUnfinished { try readFeatures(features, at: data.upperBound) }
    }

    private static func section(_ reader: inout SectionReader) throws(TraceCut) -> Range<UInt64> {
        let offset = try reader.integer(UInt64.self)
        return offset..<offset.addingClamped(try reader.integer(UInt64.self))
    }

    /// Each is followed by where its ids lie.
    private mutating func readAttributes(_ section: Range<UInt64>, size: UInt64) throws(TraceCut) {
        let smallest = UInt64(PerfAttribute.smallest) + 16
        guard size >= smallest, size < 1 << 16, section.upperBound <= file.size else {
            throw TraceCut(offset: 16, expected: "the attributes of events")
        }
        var ids = 0
        for offset in stride(from: section.lowerBound, to: section.upperBound, by: Int(size)) {
            guard offset + size <= section.upperBound, attributes.count < Self.mostAttributes else {
                throw TraceCut(offset: offset, expected: "at most \(Self.mostAttributes) whole attributes")
            }
            let bytes = file.bytes(at: offset, count: Int(size))
            guard bytes.count == Int(size) else { throw TraceCut(offset: file.size, expected: "an event's attributes") }
            var attribute = try PerfAttribute(bytes.dropLast(16), at: offset)
            var reader = SectionReader(
                "where an event's ids lie", bytes: Array(bytes.suffix(16)), at: offset + size - 16, order: .little)
            let place = try Self.section(&reader)
            let count = (place.upperBound - place.lowerBound) / 8
            guard place.upperBound <= file.size, count <= UInt64(EventIDs.most - ids) else {
                throw TraceCut(offset: offset + size - 16, expected: "where an event's ids lie")
            }
            ids += Int(count)
            attribute.ids = try Self.ids(file, place)
            attributes.append(attribute)
        }
    }

    private static func ids(_ file: InputFile, _ place: Range<UInt64>) throws(TraceCut) -> [UInt64] {
        var reader = SectionReader("an event's ids", of: file, place, order: .little)
        var ids: [UInt64] = []
        for _ in 0..<((place.upperBound - place.lowerBound) / 8) { ids.append(try reader.integer()) }
        return ids
    }

    /// Where they lie is told behind the records, of each one whose bit is set.
    private mutating func readFeatures(_ bitmap: [UInt64], at offset: UInt64) throws(TraceCut) {
        var reader = SectionReader("where the features lie", of: file, offset..<file.size, order: .little)
        for bit in 0..<UInt8.max where bitmap[Int(bit / 64)] >> UInt64(bit % 64) & 1 != 0 {
            let place = try Self.section(&reader)
            if place.upperBound > file.size {
                texts.note(TraceCut(offset: file.size, expected: "feature \(bit) at \(place.lowerBound)"))
            }
            guard let feature = Feature(rawValue: bit), place.lowerBound <= file.size else { continue }
            // Features don't depend on each other, so that one's damage costs the others nothing.
            do throws(TraceCut) {
                try read(feature, part(place.lowerBound, to: place.upperBound))
            } catch {
                texts.note(error)
            }
        }
    }
}

// MARK: - Features

extension PerfContainer {
    mutating func read(_ feature: Feature, _ place: Range<UInt64>) throws(TraceCut) {
        var reader = SectionReader("a feature of a perf.data", of: file, place, order: .little)
        switch feature {
        case .tracingData: try readTracingData(place)
        case .hostname: machine.host = try Self.string(&reader)
        case .release: machine.release = try Self.string(&reader)
        case .architecture: machine.architecture = try Self.string(&reader)
        case .cpus: cpuCount = min(BufferInstance.mostCPUs, Int(try reader.integer(UInt32.self)))
        case .events: try readNames(&reader)
        case .directory: isDirectory = true
        case .compressed: isCompressed = true
        }
    }

    /// Behind its length, and filled up with zeros.
    private static func string(_ reader: inout SectionReader) throws(TraceCut) -> String {
        try reader.text(UInt64(try reader.integer(UInt32.self))).prefix { $0 != 0 }.text
    }

    /// The attributes once more, with their names.
    private mutating func readNames(_ reader: inout SectionReader) throws(TraceCut) {
        let count = try reader.integer(UInt32.self)
        let size = try reader.integer(UInt32.self)
        for index in 0..<Int(count) {
            try reader.skip(UInt64(size))
            let ids = try reader.integer(UInt32.self)
            let name = try Self.string(&reader)
            try reader.skip(8 * UInt64(ids))
            guard attributes.indices.contains(index) else { continue }
            attributes[index].name = name
        }
    }

    /// The head of a trace.dat of version 6 without its options and pages (trace_event__init() of
    /// tools/perf/util/trace-event-info.c, 2.6.34 to 7.3).
    mutating func readTracingData(_ place: Range<UInt64>) throws(TraceCut) {
        var reader = SectionReader("the formats of a perf.data", of: file, place, order: .little)
        let start = reader.cut
        guard try reader.text(UInt64(TraceHead.magic.count)) == TraceHead.magic else { throw start }
        let version = try reader.string()
        let order = reader.cut
        guard try reader.byte() == 0 else { throw order }
        try reader.skip(5)
        try texts.readHeaders(&reader)
        try texts.readInternalFormats(&reader)
        try texts.readFormats(&reader)
        try texts.readSymbols(&reader)
        try reader.skip(UInt64(try reader.integer(UInt32.self)))
        // 0.5 has none.
        if version != "0.5" { try texts.readCommands(&reader) }
    }
}
