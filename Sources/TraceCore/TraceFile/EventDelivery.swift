// SPDX-License-Identifier: Apache-2.0

/// Hands one stream's events and holes to the sink, decoded and in the trace's time.
@usableFromInline
struct EventDelivery {
    @usableFromInline let decoder: EventDecoder
    /// Their records' bindings count on from the decoder's.
    private let own: [OwnBinding]
    @usableFromInline let conversion: ClockConversion
    /// Buffers that events are taken from: a hole in another is counted, not announced.
    @usableFromInline let heard: Set<Int>
    /// The first holes so far, and a count of the others: a recording may have lost something before each page.
    @usableFromInline private(set) var gaps: [EventGap] = []
    @usableFromInline private(set) var furtherGaps = GapCounts()
    @usableFromInline static let mostGaps = 4096
    /// Records that are shorter than their format says.
    @usableFromInline private(set) var shortRecords = 0
    /// What live tracing counted in the kernel, by tracepoint; empty for other recordings.
    private(set) var hits: [String: UInt64] = [:]

    init(decoder: EventDecoder, own: [OwnBinding], conversion: ClockConversion, heard: Set<Int>) {
        self.decoder = decoder
        self.own = own
        self.conversion = conversion
        self.heard = heard
    }

    /// - Parameter limit: the time up to which no other stream has anything.
    @inlinable
    mutating func follow<S: EventSink & ~Copyable>(_ stream: inout CPUStream, until limit: UInt64, into sink: inout S) {
        repeat {
            if let gap = stream.gap {
                announce(gap, to: &sink)
                stream.passGap()
            } else {
                let record = stream.cursor.record
                let binding = stream.cursor.binding
                if decoder.fits(record, binding: binding) {
                    sink.event(
                        decoder.decode(record, binding: binding),
                        at: EventStamp(
                            time: conversion.time(stream.headTime), cpu: stream.cpu, tid: record.tid(decoder.order)))
                } else if let fact = fact(record, binding: binding) {
                    sink.fact(
                        fact,
                        at: EventStamp(
                            time: conversion.time(stream.headTime), cpu: stream.cpu, tid: record.tid(decoder.order)))
                }
                stream.advance()
            }
        } while stream.headTime <= limit && !stream.isDone
    }

    /// What a record that isn't an event tells the sink.
    @inline(never) @usableFromInline
    mutating func fact(_ record: Record, binding: Int) -> LiveFact? {
        let index = binding - decoder.count
        guard own.indices.contains(index), decoder.order == .little, let values = own[index].values(record) else {
            shortRecords += 1
            return nil
        }
        if own[index].event == .counts {
            for (kind, count) in zip(EventKind.allCases, values) { hits[kind.tracepoints[0]] = count }
        }
        return LiveFact(own[index].event, values)
    }

    @inlinable
    mutating func announce<S: EventSink & ~Copyable>(_ raw: EventGap, to sink: inout S) {
        var gap = raw
        gap.from = gap.from.map { conversion.time($0) }
        gap.to = gap.to.map { conversion.time($0) }
        if gaps.count < Self.mostGaps { gaps.append(gap) } else { furtherGaps.add(gap) }
        if heard.contains(gap.instance) { sink.lost(gap) }
    }
}
