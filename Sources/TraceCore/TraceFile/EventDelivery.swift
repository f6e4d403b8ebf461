// SPDX-License-Identifier: Apache-2.0

/// Hands one stream's events and holes to the sink, decoded and in the trace's time.
@usableFromInline
struct EventDelivery {
    @usableFromInline let decoder: EventDecoder
    @usableFromInline let conversion: ClockConversion
    /// Buffers that events are taken from: a hole in another is counted, not announced.
    @usableFromInline let heard: Set<Int>
    /// Every hole so far.
    @usableFromInline private(set) var gaps: [EventGap] = []
    /// Records that are shorter than their format says.
    @usableFromInline private(set) var shortRecords = 0

    init(decoder: EventDecoder, conversion: ClockConversion, heard: Set<Int>) {
        self.decoder = decoder
        self.conversion = conversion
        self.heard = heard
    }

    /// - Parameter limit: the time up to which no other stream has anything.
    @inlinable
    mutating func follow<S: EventSink>(_ stream: inout CPUStream, until limit: UInt64, into sink: inout S) {
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
                } else {
                    shortRecords += 1
                }
                stream.advance()
            }
        } while stream.headTime <= limit && !stream.isDone
    }

    @inlinable
    mutating func announce<S: EventSink>(_ raw: EventGap, to sink: inout S) {
        var gap = raw
        gap.from = gap.from.map { conversion.time($0) }
        gap.to = gap.to.map { conversion.time($0) }
        gaps.append(gap)
        if heard.contains(gap.instance) { sink.lost(gap) }
    }
}
