// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A trace.dat's records as `perf record -a` of the same events would have written them.
///
/// Gaps become LOST records. What perf has no way to say stays out: buffers beside the first, other clocks than those of
/// nanoseconds, and events of apictrace's own.
struct PerfTwin {
    private(set) var perf = TestPerf()
    /// Rounds of perf's, of about as many records each.
    private static let rounds = 9

    private struct Event {
        var time: UInt64
        var bytes: [UInt8]
        /// Lost before it.
        var lost: UInt64 = 0
    }

    /// - Parameter processes: of threads; 0 where a sample names none.
    /// - Returns: nil for a recording that perf could not have made.
    init?(of path: String, processes: [Int32: Int32] = [:]) throws {
        guard case .traceDat = try Recording(path: path) else { return nil }
        let container = try TraceContainer(Self.inflated(path))
        guard container.cut == nil, container.formats.own.isEmpty, container.head.order == .little,
            container.info.clock.unit == .nanoseconds, container.options.statistics.lost.values.allSatisfy({ $0 == 0 }),
            container.instances.count(where: { !$0.cpus.isEmpty }) == 1,
            let instance = container.instances.first(where: { !$0.cpus.isEmpty })
        else { return nil }
        perf.tracingData = try Self.texts(container)
        let uname = (container.options.uname ?? "").split(separator: " ")
        if uname.count > 2 { (perf.host, perf.release) = (String(uname[1]), String(uname[2])) }
        var ids: Set<UInt16> = []
        var streams: [(cpu: UInt32, events: [Event])] = []
        for cpu in instance.cpus {
            let events = Self.events(of: cpu, instance, container)
            ids.formUnion(events.map { UInt16($0.bytes[0]) | UInt16($0.bytes[1]) << 8 })
            streams.append((UInt32(cpu.id), events))
        }
        // All formats are there, as of events that were on; a record of an id without one would have no name.
        guard ids.isSubset(of: container.formats.names.keys) else { return nil }
        let all = container.formats.names.keys.sorted()
        perf.attributes = all.map { TestPerf.Attribute(config: UInt64($0), ids: [UInt64($0) + 1000]) }
        write(streams, Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, $0) }), processes)
    }

    /// CPUs take turns. Every second one is behind the others, by no more than a round.
    private mutating func write(
        _ streams: [(cpu: UInt32, events: [Event])], _ attributes: [UInt16: Int], _ processes: [Int32: Int32]
    ) {
        let times = streams.flatMap { $0.events.map(\.time) }.sorted()
        var next = streams.map { _ in 0 }
        for round in 1...Self.rounds {
            for (index, stream) in streams.enumerated() {
                let part =
                    round == Self.rounds ? times.count : times.count * (2 * round - index % 2) / (2 * Self.rounds)
                let limit = part == times.count ? UInt64.max : times[part]
                while next[index] < stream.events.count, stream.events[next[index]].time < limit {
                    let event = stream.events[next[index]]
                    next[index] += 1
                    let id = UInt16(event.bytes[0]) | UInt16(event.bytes[1]) << 8
                    let thread = event.bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int32($1) }
                    let place = TestPerf.Place(
                        time: event.time, cpu: stream.cpu, process: processes[thread] ?? 0, thread: thread)
                    if event.lost > 0 { perf.records.append(perf.lost(event.lost, at: place)) }
                    perf.records.append(perf.sample(event.bytes, at: place, of: attributes[id] ?? 0))
                }
            }
            perf.records.append(TestPerf.finishedRound)
        }
    }

    private static func inflated(_ path: String) throws -> InputFile {
        let file = try InputFile(path: path)
        let compression = Compression(head: file.bytes(at: 0, count: 64))
        return compression == .none ? file : try file.inflated(compression, InflationLimit()) { _ in .max }.file
    }

    private static func events(
        of cpu: BufferInstance.CPU, _ instance: BufferInstance, _ container: TraceContainer
    ) -> [Event] {
        let tally = RecordTally()
        for id in 0..<UInt16.max { tally.bind(id: id, to: 0) }
        let layout = PageLayout(order: .little, longSize: container.longSize, pageSize: instance.pageSize)
        let source = PageSource(
            "CPU", of: container.file, cpu.data, places: cpu.places, pageSize: instance.pageSize, order: .little,
            room: instance.pageSize * 16,
            inflater: instance.isCompressed ? ChunkInflater(container.head.compression, of: container.file) : nil)
        var events: [Event] = []
        while let page = source.page(), var cursor = PageCursor(page: page, layout: layout) {
            var lost: UInt64 =
                switch cursor.loss {
                case .none: 0
                case .uncounted: 1
                case .counted(let events): events
                }
            while cursor.next(tally) {
                events.append(
                    Event(
                        time: container.options.conversion.time(cursor.time), bytes: Array(cursor.record.bytes),
                        lost: lost))
                lost = 0
            }
        }
        return events
    }

    /// Headers and formats, from either version's sections.
    private static func texts(_ container: TraceContainer) throws -> [UInt8] {
        var texts = Bytes()
        texts.bytes = TraceHead.magic
        texts.string("0.6")
        texts.bytes += [0, 8]
        texts.number(UInt32(4096))
        if container.head.version == .v6 {
            var reader = SectionReader(
                "texts", of: container.file, container.head.end..<container.file.size, order: .little)
            var read = TracingTexts()
            try read.readHeaders(&reader)
            try read.readInternalFormats(&reader)
            try read.readFormats(&reader)
            try read.readSymbols(&reader)
            try reader.skip(UInt64(try reader.integer(UInt32.self)))
            try read.readCommands(&reader)
            let size = reader.offset - container.head.end
            texts.bytes += container.file.bytes(at: container.head.end, count: Int(size))
            return texts.bytes
        }
        for id in [16, 17, 18, 19, 20, 21] {
            if let section = try section(UInt16(id), container) {
                texts.bytes += section
            } else {
                texts.bytes += [UInt8](repeating: 0, count: id == 21 ? 8 : 4)
            }
        }
        return texts.bytes
    }

    private static func section(_ id: UInt16, _ container: TraceContainer) throws -> [UInt8]? {
        var next = container.head.end
        while let header = try? SectionHeader("a section", of: container.file, at: next, order: .little),
            header.id < 64
        {
            next = header.body.upperBound
            guard header.id == id else { continue }
            guard header.isCompressed else {
                return container.file.bytes(at: header.body.lowerBound, count: header.body.count)
            }
            var reader = SectionReader(
                "section", of: container.file, (header.body.lowerBound + 8)..<header.body.upperBound, order: .little,
                compression: container.head.compression)
            var content: [UInt8] = []
            while let piece = reader.chunk() { content += piece }
            return content
        }
        return nil
    }
}
