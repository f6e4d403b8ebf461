// SPDX-License-Identifier: Apache-2.0

/// The tracks of a vCPU's interrupts, two for each vector that came, and what is on them.
struct InterruptTracks {
    let all: PerfettoWriter.Track
    let ends: PerfettoWriter.Track
    /// Vectors that a finding says are lost.
    let lost: Set<String>

    private var waits: [UInt8: PerfettoWriter.Track] = [:]
    private var services: [UInt8: PerfettoWriter.Track] = [:]
    private var slices = PerfettoWriter.Recurring<PerfettoWriter.Slice>()
    private var instants = PerfettoWriter.Recurring<PerfettoWriter.Packet>()

    /// More are not told apart.
    private static let mostTold: UInt64 = 1 << 32

    private enum Step: UInt64 {
        case request, wait, service, end
    }

    init(all: PerfettoWriter.Track, ends: PerfettoWriter.Track, lost: Set<String>) {
        (self.all, self.ends, self.lost) = (all, ends, lost)
    }

    mutating func request(_ interrupt: Timeline.Interrupt, on track: PerfettoWriter.Track) -> PerfettoWriter.Packet {
        instants.made(number(.request, of: interrupt, track.number)) {
            step(.init(.instant, "IPI \(interrupt.vector.hex)", on: track, category: "ipi"))
        }
    }

    mutating func wait(_ interrupt: Timeline.Interrupt, _ writer: inout PerfettoWriter) throws -> PerfettoWriter.Slice {
        let name = interrupt.vector.hex
        let track =
            try waits[interrupt.vector]
            ?? writer.track(
                "\(name) waits", in: all, rank: UInt64(interrupt.vector) * 2)
        waits[interrupt.vector] = track
        let isLost = interrupt.fate == .pending && lost.contains(name)
        let told =
            (interrupt.acknowledged == nil ? 1 : 0) | interrupt.fate.number << 1 | interrupt.accepted.number << 4
            | min(interrupt.coalesced, Self.mostTold) << 8
        return slices.made(number(.wait, of: interrupt, told)) {
            var words: PerfettoWriter.Annotations = [("level", .text(interrupt.accepted?.level.name ?? ""))]
            if interrupt.acknowledged == nil {
                words.append(("fate", .text(isLost ? "lost" : interrupt.fate.rawValue)))
            }
            if interrupt.coalesced > 0 { words.append(("coalesced", .number(min(interrupt.coalesced, Self.mostTold)))) }
            return step(.init(.begin, name, on: track, category: "waits", words), on: track)
        }
    }

    mutating func service(_ interrupt: Timeline.Interrupt, _ writer: inout PerfettoWriter) throws
        -> PerfettoWriter.Slice
    {
        let name = interrupt.vector.hex
        let track =
            try services[interrupt.vector]
            ?? writer.track(
                "\(name) in service", in: all, rank: UInt64(interrupt.vector) * 2 + 1)
        services[interrupt.vector] = track
        let told =
            (interrupt.isCrossing ? 1 : 0) | interrupt.fate.number << 1 | interrupt.acknowledged.number << 4
            | UInt64(interrupt.acknowledgement?.code ?? 7) << 8
        return slices.made(number(.service, of: interrupt, told)) {
            var words: PerfettoWriter.Annotations = [("level", .text(interrupt.acknowledged?.level.name ?? ""))]
            if let how = interrupt.acknowledgement { words.append(("by", .text(how.event.tracepoints[0]))) }
            if interrupt.isCrossing { words.append(("crossing", .flag(true))) }
            words.append(("fate", .text(interrupt.fate.rawValue)))
            return step(.init(.begin, name, on: track, category: "in service", words), on: track)
        }
    }

    mutating func end(_ interrupt: Timeline.Interrupt) -> PerfettoWriter.Packet {
        let ends = ends
        return instants.made(number(.end, of: interrupt, interrupt.ended.number)) {
            let level = interrupt.ended?.level.name ?? ""
            var end = PerfettoWriter.Event(
                .instant, "EOI \(interrupt.vector.hex)", on: ends, category: "eoi", [("level", .text(level))])
            end.joinFlow("interrupt", endsIt: true)
            return .init(end)
        }
    }

    /// - Parameter told: what tells it from others of the same step and vector.
    private func number(_ step: Step, of interrupt: Timeline.Interrupt, _ told: UInt64) -> UInt64 {
        UInt64(interrupt.vector) | step.rawValue << 8 | told << 16
    }
}

/// An event as a step of an interrupt's way, whose number comes when it is written.
private func step(_ event: PerfettoWriter.Event) -> PerfettoWriter.Packet {
    var event = event
    event.joinFlow("interrupt")
    return .init(event)
}

private func step(_ begin: PerfettoWriter.Event, on track: PerfettoWriter.Track) -> PerfettoWriter.Slice {
    var begin = begin
    begin.joinFlow("interrupt")
    return .init(begin, on: track)
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
