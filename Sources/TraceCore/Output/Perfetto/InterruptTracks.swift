// SPDX-License-Identifier: Apache-2.0

/// The tracks of a vCPU's interrupts, two for each vector that came, and what is on them.
struct InterruptTracks {
    let all: PerfettoWriter.Track
    let ends: PerfettoWriter.Track
    /// Vectors that a finding says are lost.
    let lost: Set<String>

    private var waits: [UInt8: PerfettoWriter.Track] = [:]
    private var services: [UInt8: PerfettoWriter.Track] = [:]
    private var known = PerfettoWriter.Recurring<PerfettoWriter.Event>()

    private enum Step: UInt64 {
        case request, wait, service, end
    }

    init(all: PerfettoWriter.Track, ends: PerfettoWriter.Track, lost: Set<String>) {
        (self.all, self.ends, self.lost) = (all, ends, lost)
    }

    /// As a step of one interrupt's way. What an arrow joins has a number in common.
    private func step(_ event: PerfettoWriter.Event, of number: UInt64, isLast: Bool = false) -> PerfettoWriter.Event {
        var event = event
        event.annotate("interrupt", .number(number))
        event.join(flow: number, endsIt: isLast)
        return event
    }

    mutating func request(_ interrupt: Timeline.Interrupt, of number: UInt64, on track: PerfettoWriter.Track)
        -> PerfettoWriter.Event
    {
        let request = event(.request, of: interrupt, and: track.number) {
            PerfettoWriter.Event(.instant, "IPI \(interrupt.vector.hex)", on: track, category: "ipi")
        }
        return step(request, of: number)
    }

    mutating func wait(_ interrupt: Timeline.Interrupt, of number: UInt64, _ writer: inout PerfettoWriter) throws
        -> PerfettoWriter.Slice
    {
        let name = interrupt.vector.hex
        let rank = UInt64(interrupt.vector) * 2
        let track = try waits[interrupt.vector] ?? writer.track("\(name) waits", in: all, rank: rank)
        waits[interrupt.vector] = track
        let isLost = interrupt.fate == .pending && lost.contains(name)
        let told = (interrupt.acknowledged == nil ? 1 : 0) | interrupt.fate.number << 1 | interrupt.accepted.number << 8
        var begin = event(.wait, of: interrupt, and: told) {
            var words: PerfettoWriter.Annotations = [("level", .text(interrupt.accepted?.level.name ?? ""))]
            if interrupt.acknowledged == nil {
                words.append(("fate", .text(isLost ? "lost" : interrupt.fate.rawValue)))
            }
            return PerfettoWriter.Event(.begin, name, on: track, category: "waits", words)
        }
        if interrupt.coalesced > 0 { begin.annotate("coalesced", .number(interrupt.coalesced)) }
        return PerfettoWriter.Slice(step(begin, of: number), on: track)
    }

    mutating func service(_ interrupt: Timeline.Interrupt, of number: UInt64, _ writer: inout PerfettoWriter) throws
        -> PerfettoWriter.Slice
    {
        let name = interrupt.vector.hex
        let rank = UInt64(interrupt.vector) * 2 + 1
        let track = try services[interrupt.vector] ?? writer.track("\(name) in service", in: all, rank: rank)
        services[interrupt.vector] = track
        let told =
            (interrupt.isCrossing ? 1 : 0) | interrupt.fate.number << 1 | interrupt.acknowledged.number << 8
            | UInt64(interrupt.acknowledgement?.code ?? 7) << 16
        let begin = event(.service, of: interrupt, and: told) {
            var words: PerfettoWriter.Annotations = [("level", .text(interrupt.acknowledged?.level.name ?? ""))]
            if let how = interrupt.acknowledgement { words.append(("by", .text(how.event.tracepoints[0]))) }
            if interrupt.isCrossing { words.append(("crossing", .flag(true))) }
            words.append(("fate", .text(interrupt.fate.rawValue)))
            return PerfettoWriter.Event(.begin, name, on: track, category: "in service", words)
        }
        return PerfettoWriter.Slice(step(begin, of: number), on: track)
    }

    mutating func end(_ interrupt: Timeline.Interrupt, of number: UInt64) -> PerfettoWriter.Event {
        let ends = ends
        let end = event(.end, of: interrupt, and: interrupt.ended.number) {
            PerfettoWriter.Event(
                .instant, "EOI \(interrupt.vector.hex)", on: ends, category: "eoi",
                [("level", .text(interrupt.ended?.level.name ?? ""))])
        }
        return step(end, of: number, isLast: true)
    }

    /// - Parameter told: what tells it from others of the same step and vector.
    private mutating func event(
        _ step: Step, of interrupt: Timeline.Interrupt, and told: UInt64 = 0, _ make: () -> PerfettoWriter.Event
    ) -> PerfettoWriter.Event {
        known.made(UInt64(interrupt.vector) | step.rawValue << 8 | told << 16, make)
    }
}

extension Timeline.Interrupt.Fate {
    fileprivate var number: UInt64 { UInt64(Self.allCases.firstIndex(of: self) ?? 0) }
}

extension Timeline.Interrupt.Step? {
    fileprivate var number: UInt64 { self.map { UInt64($0.level.rawValue) } ?? 7 }
}

extension Timeline.Interrupt {
    /// Nil where it waits still. One that hardware took in silence may have waited for no time at all.
    var waitsUntil: UInt64? {
        if let acknowledged { return acknowledged.time }
        return fate == .unseen ? accepted?.time : until
    }
}
