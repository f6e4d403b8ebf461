// SPDX-License-Identifier: Apache-2.0

/// One pass over the records of a perf.data.
///
/// perf reads the buffers of all CPUs round by round, and says where a round ends: nothing that comes later is earlier than the
/// end of the round before. So records are told a round late, in the order of time (ordered_events__flush() of
/// tools/perf/util/ordered-events.c, 3.17 to 7.3).
struct PerfReading: ~Copyable {
    var window = RecordWindow()
    var stream: PerfStream
    private(set) var delivery: SampleDelivery
    let plans: [SamplePlan]
    let ids: EventIDs
    /// Where a sample says whose it is; -1 where there is only one attribute, or none that says.
    private let idPlace: Int
    let hasTimes: Bool
    private let progress: ReadProgress?

    /// Time of the earliest sample, and of the latest.
    private(set) var first: UInt64?
    var last: UInt64 = 0
    /// Of whatever record; what it was when the round before ended; up to where all was told.
    var latest: UInt64 = 0
    private var roundLimit: UInt64 = 0
    var toldUntil: UInt64 = 0
    private var isOver = false
    private(set) var isInflating = false

    var counts: [UInt64]
    var unknown: UInt64 = 0
    var stepsBack = 0
    var cut: TraceCut?
    /// What perf and the kernel counted as lost by the end, of all events together.
    var lostSamples: UInt64 = 0
    var lostByID: [UInt64: UInt64] = [:]
    var valueByID: [UInt64: UInt64] = [:]
    var scope = RecordedScope()

    enum Halt {
        case starved, round, packed, damaged
    }

    init(_ container: PerfContainer, progress: ReadProgress?, takesOthers: Bool = false) {
        let formats = container.formats
        var plans = container.attributes.map(SamplePlan.init)
        var taken: Set<UInt16> = []
        for (index, attribute) in container.attributes.enumerated() where attribute.isSampled {
            // Of an event that was asked for twice the samples are there twice.
            guard let id = attribute.tracepoint, taken.insert(id).inserted else { continue }
            plans[index].commonType = id
            if let binding = formats.bindings.firstIndex(where: { $0.id == id }) {
                plans[index].binding = binding
            } else if takesOthers, let other = formats.others.firstIndex(where: { $0.id == id }) {
                plans[index].binding = formats.bindings.count + other
            }
        }
        self.plans = plans
        ids = EventIDs(container.attributes)
        idPlace = ids.count == 0 ? -1 : plans.lazy.map(\.id).first { $0 >= 0 } ?? -1
        hasTimes = container.hasTimes
        counts = [UInt64](repeating: 0, count: plans.count)
        stream = PerfStream(container)
        delivery = SampleDelivery(
            decoder: EventDecoder(order: .little, bindings: formats.bindings.map(\.binding)), plans: plans,
            hasTimes: hasTimes)
        self.progress = progress
    }

    mutating func run<S: EventSink & ~Copyable>(into sink: inout S) {
        var hasStarted = false
        while let limit = nextLimit() {
            if !hasStarted { sink.started(at: first ?? 0) }
            hasStarted = true
            window.tell(until: limit, by: &delivery, to: &sink)
            toldUntil = max(toldUntil, limit)
        }
        if !hasStarted { sink.started(at: 0) }
        delivery.finish(into: &sink)
    }

    /// Reads on until something is due, after the first sample.
    /// - Returns: up to which time; nil at the end.
    mutating func nextLimit() -> UInt64? {
        while !isOver {
            switch scan() {
            case .round:
                let limit = roundLimit
                roundLimit = latest
                if first != nil, limit > 0 { return limit }
            case .packed:
                stream.startInflating(&window)
                isInflating = true
            case .damaged: end()
            case .starved:
                guard window.makeRoom(PerfStream.piece) else { return window.middle }
                let before = stream.read
                if !stream.fill(&window) {
                    cut = cut ?? stream.cut
                    if window.filled > window.scanned { note("the rest of a record") }
                    end()
                }
                progress?.advance(by: Int(stream.read - before))
            }
        }
        return window.isEmpty ? nil : .max
    }

    private mutating func end() {
        isOver = true
    }

    // MARK: - Looking at records

    /// Looks at the records that are whole, and holds those that are to be told.
    private mutating func scan() -> Halt {
        while window.filled - window.scanned >= PerfRecord.headerSize {
            let record = UnsafeRawPointer(window.base + window.scanned)
            let header = PerfHeader(record)
            let size = header.size
            if header.type == PerfRecord.sample.rawValue {
                guard size >= PerfRecord.headerSize else { return damaged() }
                guard size <= window.filled - window.scanned else { return .starved }
                hold(sample: record, size: size)
                window.scanned += size
            } else {
                guard let halt = look(at: record, header) else { continue }
                return halt
            }
        }
        return .starved
    }

    mutating func damaged() -> Halt {
        note("a record")
        return .damaged
    }

    mutating func note(_ expected: String) {
        cut = cut ?? TraceCut(offset: stream.offset - UInt64(window.filled - window.scanned), expected: expected)
    }

    @inline(__always)
    private mutating func hold(sample: UnsafeRawPointer, size: Int) {
        var attribute = 0
        if idPlace >= 0, plans.count > 1 {
            guard size >= idPlace + 8,
                let known = ids[sample.loadUnaligned(fromByteOffset: idPlace, as: UInt64.self)]
            else {
                unknown += 1
                return
            }
            attribute = known
        }
        let place = plans[attribute].time
        guard size >= plans[attribute].shortest else {
            unknown += 1
            return
        }
        counts[attribute] &+= 1
        let time =
            place >= 0 && hasTimes
            ? sample.loadUnaligned(fromByteOffset: place, as: UInt64.self) : hasTimes ? latest : last &+ 1
        if time < toldUntil { noteStepBack() }
        if first == nil || time < first ?? 0 { first = time }
        if time > last { last = time }
        if time > latest { latest = time }
        if plans[attribute].hasCounter {
            readCounter(UnsafeRawBufferPointer(start: sample, count: size), at: plans[attribute].variable, attribute)
        }
        if let before = window.latest, time < before.time {
            checkStepBack(to: time, of: attribute, sample, after: before)
        }
        window.hold(
            RecordWindow.Held(time: time, place: Int32(truncatingIfNeeded: window.scanned), attribute: Int32(attribute))
        )
    }

    @inline(never)
    private mutating func noteStepBack() {
        stepsBack += 1
        note("a sample that is no earlier than what the rounds before it hold")
    }

    /// Another CPU's samples begin, or an interrupt's came in between two steps of one that was being taken.
    @inline(never)
    private mutating func checkStepBack(
        to time: UInt64, of attribute: Int, _ sample: UnsafeRawPointer, after before: RecordWindow.Held
    ) {
        guard before.attribute >= 0, before.time - time > Self.longestInterrupt, !plans[attribute].writesBackward,
            cpu(of: sample, plans[attribute]) == cpu(of: window.base + Int(before.place), plans[Int(before.attribute)])
        else { return }
        stepsBack += 1
        note("a sample that is no earlier than its CPU's before it")
    }

    private static let longestInterrupt: UInt64 = 1_000_000

    private func cpu(of sample: UnsafeRawPointer, _ plan: SamplePlan) -> Int32? {
        plan.cpu >= 0 ? sample.loadUnaligned(fromByteOffset: plan.cpu, as: Int32.self) : nil
    }

    /// The time of the sample that was held last, where it is of this CPU.
    func latestTime(ofCPU cpu: Int32?) -> UInt64? {
        guard let held = window.latest, held.attribute >= 0, cpu != nil,
            self.cpu(of: window.base + Int(held.place), plans[Int(held.attribute)]) == cpu
        else { return nil }
        return held.time
    }
}
