// SPDX-License-Identifier: Apache-2.0

/// A record of a trace.dat as it lies in the file, for who copies it.
struct StoredRecord {
    let record: Record
    let id: UInt16
    /// What the machine takes it for; nil for all others.
    let kind: EventKind?
    /// What a recording of ours says with it.
    let own: OwnEvent?
}

/// What the walk over a file's records tells one by one.
enum StoredItem {
    case record(StoredRecord)
    case gap(EventGap)
}

extension TraceDat {
    /// The records can be copied as they are: nothing here turns bytes round.
    var canBeCopied: Bool { container.head.order == .little }

    /// The format texts of the events in the file.
    ///
    /// The container keeps those alone that the machine has a use for.
    func originalFormats() -> [OriginalFormat] { container.originalFormats() }

    /// Tells every record of an event that is described, and every gap, in the order of time. An event that several buffers hold is
    /// taken from one.
    /// - Throws: what `body` throws.
    func walk<Failure: Error>(_ body: (StoredItem, EventStamp) throws(Failure) -> Void) throws(Failure) {
        let choice = TraceReading.choose(container)
        let formats = container.formats
        let tally = RecordTally()
        for id in UInt16.min...UInt16.max { tally.bind(id: id, to: 0) }
        let kinds = Dictionary(
            formats.bindings.map { ($0.id, $0.binding.kind) }, uniquingKeysWith: { first, _ in first })
        let own = Dictionary(formats.own.map { ($0.id, $0.binding.event) }, uniquingKeysWith: { first, _ in first })
        let (conversion, order) = (container.options.conversion, container.head.order)
        var streams = TraceReading.streams(container, container.instances.map { _ in tally })
        let taken = Set(choice.kinds.indices.filter { !choice.kinds[$0].isEmpty || choice.kinds.count == 1 })
        for index in streams.indices { streams[index].advance() }
        var tournament = StreamTournament(
            times: streams.enumerated().filter { !$0.element.isDone }.map { ($0.offset, $0.element.headTime) })
        while let (index, _) = tournament.top {
            let instance = streams[index].instance
            if var gap = streams[index].gap {
                gap.from = gap.from.map { conversion.time($0) }
                gap.to = gap.to.map { conversion.time($0) }
                if taken.contains(instance) { try body(.gap(gap), gap.stamp) }
                streams[index].passGap()
            } else {
                let record = streams[index].cursor.record
                if record.count >= Record.commonSize {
                    let id = record.id(order)
                    let stored = StoredRecord(record: record, id: id, kind: kinds[id], own: own[id])
                    let isTaken =
                        stored.kind.map { choice.kinds[instance].contains($0) }
                        ?? (stored.own != nil || taken.contains(instance))
                    let stamp = EventStamp(
                        time: conversion.time(streams[index].headTime), cpu: streams[index].cpu, tid: record.tid(order))
                    if isTaken { try body(.record(stored), stamp) }
                }
                streams[index].advance()
            }
            if streams[index].isDone {
                tournament.removeTop()
            } else {
                tournament.replaceTop(time: streams[index].headTime)
            }
        }
    }
}

extension TraceContainer {
    /// Leaves ids to what a part says of itself. A kernel has some two thousand.
    private static let mostFormats = 1 << 15

    fileprivate func originalFormats() -> [OriginalFormat] {
        var formats: [OriginalFormat] = []
        do throws(TraceCut) {
            var reader = try formatsReader()
            for _ in 0..<(try reader.integer(UInt32.self)) {
                let system = try reader.string()
                for _ in 0..<(try reader.integer(UInt32.self)) {
                    guard formats.count < Self.mostFormats else { return formats }
                    let text = try reader.text(try reader.integer(UInt64.self))
                    if let format = OriginalFormat(text, system: system) { formats.append(format) }
                }
            }
        } catch {
            // What the damage leaves is what can be copied.
        }
        return formats
    }

    /// Stands where the event formats begin.
    private func formatsReader() throws(TraceCut) -> SectionReader {
        switch head.version {
        case .v6:
            var reader = SectionReader("the event formats", of: file, head.end..<file.size, order: head.order)
            var passed = TracingTexts()
            try passed.readHeaders(&reader)
            try passed.readInternalFormats(&reader)
            return reader
        case .v7:
            let place = options.sections.first { $0.id == .formats }
            guard let place else { throw TraceCut(offset: file.size, expected: "the event formats") }
            return try section(.formats, "the event formats", at: place.offset)
        }
    }
}
