// SPDX-License-Identifier: Apache-2.0

/// Writes what a plan takes of a recording as a version 7 trace.dat, which says that it is a part.
///
/// A trace.dat's records are copied with their formats; of other inputs events are written anew, by the formats of our own recordings.
struct PartWriter: EventSink, ~Copyable {
    private var writer: TraceWriter
    private let plan: CutPlan
    private var redaction: Redaction?
    /// What was left out and not told yet, by CPU.
    private var omissions: [Int32: Omission] = [:]
    /// Of the latest event that was taken.
    private var last: UInt64 = 0
    private var taken: UInt64 = 0
    /// One of them was asked for, and isn't there only because the trace begins or ends with it.
    private var hasWanted = false
    /// What the file is to say of itself, until it has.
    private var unsaid: PartOfTrace?
    /// Records that were copied have formats of their own.
    private let copies: Bool
    /// Where the fields of a kind of event lie in the records that are copied.
    private let bindings: [UInt16: EventBinding]
    private let own: [UInt16: OwnBinding]

    private struct Omission {
        var events: UInt64 = 0
        var from: UInt64 = 0
        var to: UInt64 = 0

        /// Fewer are told of with those that follow: a record for each of them would be longer than what it stands for.
        static let worthTelling: UInt64 = 64

        mutating func add(_ time: UInt64) {
            if events == 0 { from = time }
            to = max(from, time)
            events += 1
        }
    }

    /// - Parameter outlet: gets the file.
    /// - Returns: how many events it has.
    static func write(
        _ recording: inout Recording, symbols: KernelSymbols?, plan: CutPlan, purpose: String, isRedacted: Bool,
        totals: TraceTotals, to outlet: Int32
    ) throws -> UInt64 {
        var writer = try PartWriter(
            recording, symbols: symbols, plan: plan, purpose: purpose, isRedacted: isRedacted, outlet: outlet)
        if writer.copies, case .traceDat(let file) = recording {
            file.walk { item, stamp in writer.copy(item, at: stamp) }
        } else {
            // Times count from the trace's begin, which may be an event that only its own format tells of.
            if let begin = totals.first { writer.sayWhatItIs(at: EventStamp(time: begin, cpu: 0, tid: 0)) }
            _ = try recording.readAll(into: &writer, threads: 1, progress: nil)
        }
        return try writer.finish(totals)
    }

    private init(
        _ recording: Recording, symbols: KernelSymbols?, plan: CutPlan, purpose: String, isRedacted: Bool, outlet: Int32
    ) throws(TraceWriterError) {
        var info = recording.info
        info.symbols = symbols ?? info.symbols
        var redaction = isRedacted ? Redaction() : nil
        info = redaction?.redact(info) ?? info
        var originals: [OriginalFormat]?
        var container: TraceContainer?
        if case .traceDat(let file) = recording, file.canBeCopied {
            originals = file.originalFormats().map { redaction?.redact($0) ?? $0 }
            container = file.container
        }
        self.redaction = redaction
        copies = originals != nil
        bindings = Dictionary(
            container?.formats.bindings.map { ($0.id, $0.binding) } ?? [], uniquingKeysWith: { first, _ in first })
        own = Dictionary(
            container?.formats.own.map { ($0.id, $0.binding) } ?? [], uniquingKeysWith: { first, _ in first })
        self.plan = plan
        unsaid = PartOfTrace(purpose: purpose, isRedacted: isRedacted)
        writer = try TraceWriter(partFor: outlet, name: "the part", info: info, originals: originals)
    }

    private consuming func finish(_ totals: TraceTotals) throws -> UInt64 {
        guard hasWanted else { throw CutError.nothingToTake }
        for cpu in omissions.keys.sorted() { tellOmission(of: cpu, at: last) }
        try writer.finish(totals)
        return taken
    }

    // MARK: - Records

    private mutating func copy(_ item: StoredItem, at stamp: EventStamp) {
        switch item {
        case .gap(let gap): writer.take(.lost(gap), at: stamp)
        case .record(let stored):
            guard stored.own == nil else { return copyOwn(stored, at: stamp) }
            guard plan.takes(stored.kind, at: stamp, inHardIRQ: stored.isAcceptInHardIRQ), isDescribed(stored),
                let bytes = bytes(of: stored)
            else { return omit(at: stamp) }
            begin(stamp)
            guard writer.copy(bytes, at: stamp) else { return omit(at: stamp) }
            end(stamp, inHardIRQ: stored.isAcceptInHardIRQ)
        }
    }

    private mutating func copyOwn(_ stored: StoredRecord, at stamp: EventStamp) {
        guard let event = stored.own, plan.takes(event, at: stamp), let bytes = bytes(of: stored) else { return }
        guard writer.copy(bytes, at: stamp) else { return }
        last = max(last, stamp.time)
        sayWhatItIs(at: stamp)
    }

    /// Its record would be of an unknown event otherwise, such as ftrace's own.
    private func isDescribed(_ stored: StoredRecord) -> Bool {
        stored.kind != nil || writer.describes(stored.id)
    }

    /// Nil for a record that can't be redacted: nobody knows what is in it.
    private mutating func bytes(of stored: StoredRecord) -> [UInt8]? {
        let bytes = [UInt8](stored.record.bytes)
        guard redaction != nil else { return bytes }
        if let kind = stored.kind, let binding = bindings[stored.id], stored.record.count >= binding.length {
            var values = Tracepoint.PerField<UInt64>(repeating: 0)
            for place in values.indices where binding.slots[place].isPresent {
                values[place] = stored.record.value(binding.slots[place])
            }
            redaction?.redact(&values, of: kind)
            var redacted =
                Array(bytes.prefix(Record.commonSize)) + [UInt8](repeating: 0, count: bytes.count - Record.commonSize)
            for place in values.indices { redacted.store(values[place], at: binding.slots[place]) }
            return redacted
        }
        guard stored.own != nil, let binding = own[stored.id], let values = binding.values(stored.record) else {
            return nil
        }
        guard let fact = LiveFact(binding.event, values), let redacted = redaction?.redact(fact) else { return bytes }
        return binding.bytes(bytes, with: redacted.values)
    }

    // MARK: - Events

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        // The input need not name CPUs, and a file has to.
        let place = EventStamp(time: stamp.time, cpu: max(0, stamp.cpu), tid: stamp.tid)
        switch item {
        case .lost(var gap):
            gap.cpu = max(0, gap.cpu)
            writer.take(.lost(gap), at: gap.stamp)
        case .fact(let fact):
            guard plan.takes(fact.event, at: stamp) else { return }
            writer.take(.fact(redaction?.redact(fact) ?? fact), at: place)
            last = max(last, place.time)
        case .event(let event):
            guard plan.takes(event.kind, at: stamp, inHardIRQ: event.isInHardIRQ) else { return omit(at: place) }
            begin(place)
            var fields = EventFields(event)
            redaction?.redact(&fields.values, of: event.kind)
            writer.write(fields, at: place)
            end(place, inHardIRQ: event.isInHardIRQ)
        }
    }

    // MARK: - What is left out

    private mutating func begin(_ stamp: EventStamp) {
        if let omission = omissions[stamp.cpu], omission.events >= Omission.worthTelling {
            tellOmission(of: stamp.cpu, at: stamp.time)
        }
    }

    private mutating func end(_ stamp: EventStamp, inHardIRQ: Bool) {
        taken += 1
        last = max(last, stamp.time)
        hasWanted = hasWanted || plan.wants(stamp, inHardIRQ: inHardIRQ)
        sayWhatItIs(at: stamp)
    }

    /// In a copy behind the first record: that of a recording of ours tells of the host.
    private mutating func sayWhatItIs(at stamp: EventStamp) {
        guard let part = unsaid else { return }
        unsaid = nil
        writer.name(part, at: EventStamp(time: stamp.time, cpu: stamp.cpu, tid: 0))
    }

    private mutating func omit(at stamp: EventStamp) {
        omissions[stamp.cpu, default: Omission()].add(stamp.time)
        // Times count from the trace's begin, and a gap lies between two records: where neither can be copied this stands for it.
        guard plan.moments.contains(stamp.time) else { return }
        tellOmission(of: stamp.cpu, at: stamp.time)
        last = max(last, stamp.time)
    }

    private mutating func tellOmission(of cpu: Int32, at time: UInt64) {
        guard let omission = omissions.removeValue(forKey: cpu) else { return }
        let stamp = EventStamp(time: time, cpu: cpu, tid: 0)
        writer.leaveOut(omission.events, from: omission.from, to: omission.to, at: stamp)
        sayWhatItIs(at: stamp)
    }
}

extension StoredRecord {
    fileprivate var isAcceptInHardIRQ: Bool {
        (kind == .apicAcceptIRQ || kind == .apicvAcceptIRQ) && record.inHardIRQ
    }
}

extension [UInt8] {
    /// Puts a little-endian number to its place in a record.
    fileprivate mutating func store(_ value: UInt64, at slot: FieldSlot) {
        guard slot.isPresent, slot.end <= count else { return }
        for byte in 0..<slot.size {
            self[slot.end - slot.size + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))
        }
    }
}

extension OwnBinding {
    /// A record with other values.
    fileprivate func bytes(_ record: [UInt8], with values: [UInt64]) -> [UInt8] {
        var bytes = record
        for (slot, value) in zip(slots, values) { bytes.store(value, at: slot) }
        return bytes
    }
}
