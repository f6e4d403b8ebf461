// SPDX-License-Identifier: Apache-2.0

/// Hands one stream's events and gaps to the sink, decoded and in the trace's time.
struct EventDelivery {
    let decoder: EventDecoder
    /// Their records' bindings count on from the decoder's.
    private let own: [OwnBinding]
    /// How many formats of other events follow those.
    private let others: Int
    let conversion: ClockConversion
    /// Buffers that events are taken from: a gap in another is counted, not announced.
    let takenFrom: Set<Int>
    /// The gaps so far.
    private(set) var gapTotals = TraceTotals()
    /// Records that are shorter than their format says.
    private(set) var shortRecords = 0
    /// What live tracing counted in the kernel, by tracepoint; empty for other recordings.
    private(set) var hits: [String: UInt64] = [:]
    /// Of a file that is a part of another one.
    private(set) var part: PartOfTrace?

    init(decoder: EventDecoder, own: [OwnBinding], others: Int, conversion: ClockConversion, takenFrom: Set<Int>) {
        self.decoder = decoder
        self.own = own
        self.others = others
        self.conversion = conversion
        self.takenFrom = takenFrom
    }

    /// - Parameter limit: the time up to which no other stream has anything.
    mutating func follow<S: EventSink & ~Copyable>(_ stream: inout CPUStream, until limit: UInt64, into sink: inout S) {
        repeat {
            if let gap = stream.gap {
                announce(gap, to: &sink)
                stream.passGap()
            } else if decoder.order == .little {
                followPage(&stream, until: limit, into: &sink)
            } else {
                deliverReversed(&stream, into: &sink)
            }
        } while stream.headTime <= limit && !stream.isDone
    }

    /// As far as the page goes. What each record needs is local, and no class: in the stream it would be loaded and stored again
    /// for each, and to hold a class takes two atomic steps, which is much where another CPU's stream is next.
    @inline(__always)
    private mutating func followPage<S: EventSink & ~Copyable>(
        _ stream: inout CPUStream, until limit: UInt64, into sink: inout S
    ) {
        let (tally, bindings, conversion, cpu) = (
            stream.tally.entries, decoder.bindings.base, conversion, stream.cpu
        )
        var place = stream.cursor.place
        repeat {
            let (record, time) = (place.record, conversion.time(place.time))
            let binding = bindings + Int(place.entry)
            if record.count >= binding.pointee.length {
                let stamp = EventStamp(time: time, cpu: cpu, tid: record.tid(.little))
                EventDecoder.tell(record, binding, at: stamp, to: &sink)
            } else {
                deliverOther(record, place.entry, at: time, of: (stream.instance, cpu), to: &sink)
            }
            guard stream.cursor.step(&place, tally, .little) else { return stream.turnPage() }
        } while place.time <= limit
        stream.cursor.place = place
        stream.headTime = place.time
    }

    /// Of a big-endian host.
    @inline(never)
    private mutating func deliverReversed<S: EventSink & ~Copyable>(_ stream: inout CPUStream, into sink: inout S) {
        let (record, entry) = (stream.cursor.record, stream.cursor.place.entry)
        let time = conversion.time(stream.headTime)
        let binding = decoder.bindings.base + Int(entry)
        if record.count >= binding.pointee.length {
            let stamp = EventStamp(time: time, cpu: stream.cpu, tid: record.tid(.big))
            sink.take(.event(EventDecoder.decodeReversed(record, binding)), at: stamp)
        } else {
            deliverOther(record, entry, at: time, of: (stream.instance, stream.cpu), to: &sink)
        }
        stream.advance()
    }

    /// What is no event of the machine's: another of KVM's, one of a recording's own, or one that is too short.
    @inline(never)
    private mutating func deliverOther<S: EventSink & ~Copyable>(
        _ record: Record, _ entry: UInt8, at time: UInt64, of stream: (instance: Int, cpu: Int32),
        to sink: inout S
    ) {
        guard record.count >= Record.commonSize else {
            shortRecords += 1
            return
        }
        let stamp = EventStamp(time: time, cpu: stream.cpu, tid: record.tid(decoder.order))
        let binding = Int(entry) - 1
        if let other = index(ofOther: binding) {
            sink.other(record, format: other, at: stamp)
        } else if let gap = gap(record, binding: binding, of: stream) {
            announce(gap, to: &sink)
        } else if let fact = fact(record, binding: binding) {
            sink.take(.fact(fact), at: stamp)
        }
    }

    /// Nil for a record that isn't one of the events that only a listing shows.
    private func index(ofOther binding: Int) -> Int? {
        let index = binding - decoder.bindings.count - own.count
        return (0..<others).contains(index) ? index : nil
    }

    /// The gap that a record tells of; nil for other records.
    private func gap(_ record: Record, binding: Int, of stream: (instance: Int, cpu: Int32)) -> EventGap? {
        let index = binding - decoder.bindings.count
        guard own.indices.contains(index), own[index].event == .lost, decoder.order == .little else { return nil }
        return own[index].values(record).map { EventGap($0, instance: stream.instance, cpu: stream.cpu) }
    }

    /// What a record that isn't an event tells the sink.
    @inline(never)
    mutating func fact(_ record: Record, binding: Int) -> LiveFact? {
        let index = binding - decoder.bindings.count
        guard own.indices.contains(index), decoder.order == .little, let values = own[index].values(record) else {
            shortRecords += 1
            return nil
        }
        switch own[index].event {
        case .counts: for (tracepoint, count) in own[index].counts(values) { note(count, of: tracepoint) }
        case .cut: note(PartOfTrace(values))
        case .leftOut: part = (part ?? PartOfTrace()).leavingOut(values[0])
        default: break
        }
        return LiveFact(own[index].event, values)
    }

    /// Of a part of a part the latest purpose comes first.
    private mutating func note(_ named: PartOfTrace) {
        guard part?.purpose.isEmpty ?? true else { return }
        part = named.leavingOut(part?.leftOut ?? 0)
    }

    /// A damaged file may name any.
    private mutating func note(_ count: UInt64, of tracepoint: String) {
        guard hits.count < RecordTally.mostBindings || hits[tracepoint] != nil else { return }
        hits[tracepoint] = count
    }

    @inline(never)
    mutating func announce<S: EventSink & ~Copyable>(_ raw: EventGap, to sink: inout S) {
        var gap = raw
        gap.from = gap.from.map { conversion.time($0) }
        gap.to = gap.to.map { conversion.time($0) }
        gapTotals.add(gap)
        if takenFrom.contains(gap.instance) { sink.take(.lost(gap), at: gap.stamp) }
    }
}
