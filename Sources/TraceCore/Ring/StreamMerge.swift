// SPDX-License-Identifier: Apache-2.0

/// Joins the CPUs' streams into one by time.
///
/// A stream is followed for as long as its head is the earliest, so that the others are looked at once a run and not once an
/// event. Where a CPU's own time goes backwards its order is kept.
struct StreamMerge {
    var streams: [CPUStream]
    var delivery: EventDelivery

    mutating func run<S: EventSink & ~Copyable>(into sink: inout S) {
        var tournament = start()
        sink.started(at: base)
        while let (stream, limit) = tournament.top {
            delivery.follow(&streams[stream], until: limit, into: &sink)
            if streams[stream].isDone {
                tournament.removeTop()
            } else {
                tournament.replaceTop(time: streams[stream].headTime)
            }
        }
    }

    /// Time of the earliest record; 0 where there is none.
    var base: UInt64 { streams.compactMap(\.first).min().map(delivery.conversion.time) ?? 0 }

    mutating func start() -> StreamTournament {
        for index in streams.indices { streams[index].advance() }
        return StreamTournament(
            times: streams.enumerated().filter { !$0.element.isDone }.map { ($0.offset, $0.element.headTime) })
    }
}
