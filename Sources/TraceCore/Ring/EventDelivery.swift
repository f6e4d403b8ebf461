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
            } else {
                deliver(stream.cursor.record, binding: stream.cursor.binding, of: stream, to: &sink)
                stream.advance()
            }
        } while stream.headTime <= limit && !stream.isDone
    }

    @inline(__always)
    mutating func deliver<S: EventSink & ~Copyable>(
        _ record: Record, binding: Int, of stream: CPUStream, to sink: inout S
    ) {
        let stamp = EventStamp(
            time: conversion.time(stream.headTime), cpu: stream.cpu, tid: record.tid(decoder.order))
        if decoder.fits(record, binding: binding) {
            let bound = decoder.bindings[binding]
            guard decoder.order == .little else {
                return sink.take(.event(decoder.decode(record, binding: binding)), at: stamp)
            }
            switch bound.kind {
            case .entry: sink.entry(decoder.entry(record, bound), at: stamp)
            case .exit: sink.exit(decoder.exit(record, bound), at: stamp)
            case .nestedVMExit: sink.nestedVMExit(decoder.exit(record, bound), at: stamp)
            default: sink.event(decoder.decode(record, binding: binding), at: stamp)
            }
        } else if let other = index(ofOther: binding) {
            sink.other(record, format: other, at: stamp)
        } else if let gap = gap(record, binding: binding, of: (stream.instance, stream.cpu)) {
            announce(gap, to: &sink)
        } else if let fact = fact(record, binding: binding) {
            sink.take(.fact(fact), at: stamp)
        }
    }

    /// Nil for a record that isn't one of the events that only a listing shows.
    private func index(ofOther binding: Int) -> Int? {
        let index = binding - decoder.count - own.count
        return (0..<others).contains(index) ? index : nil
    }

    /// The gap that a record tells of; nil for other records. Not of the stream itself, which would be copied for every record.
    @inline(never)
    private func gap(_ record: Record, binding: Int, of stream: (instance: Int, cpu: Int32)) -> EventGap? {
        let index = binding - decoder.count
        guard own.indices.contains(index), own[index].event == .lost, decoder.order == .little else { return nil }
        return own[index].values(record).map { EventGap($0, instance: stream.instance, cpu: stream.cpu) }
    }

    /// What a record that isn't an event tells the sink.
    @inline(never)
    mutating func fact(_ record: Record, binding: Int) -> LiveFact? {
        let index = binding - decoder.count
        guard own.indices.contains(index), decoder.order == .little, let values = own[index].values(record) else {
            shortRecords += 1
            return nil
        }
        if own[index].event == .counts {
            for (tracepoint, count) in own[index].counts(values) { note(count, of: tracepoint) }
        }
        return LiveFact(own[index].event, values)
    }

    /// A damaged file may name any.
    private mutating func note(_ count: UInt64, of tracepoint: String) {
        guard hits.count < RecordTally.mostBindings || hits[tracepoint] != nil else { return }
        hits[tracepoint] = count
    }

    mutating func announce<S: EventSink & ~Copyable>(_ raw: EventGap, to sink: inout S) {
        var gap = raw
        gap.from = gap.from.map { conversion.time($0) }
        gap.to = gap.to.map { conversion.time($0) }
        gapTotals.add(gap)
        if takenFrom.contains(gap.instance) { sink.take(.lost(gap), at: gap.stamp) }
    }
}
