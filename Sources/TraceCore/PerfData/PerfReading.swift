// SPDX-License-Identifier: Apache-2.0

/// One pass over the records of a perf.data.
///
/// perf reads the buffers of all CPUs round by round, and says where a round ends: nothing that comes later is earlier than the
/// end of the round before. So records are told a round late, in the order of time (ordered_events__flush() of
/// tools/perf/util/ordered-events.c, 3.17 to 7.3).
struct PerfReading: ~Copyable {
    var window = PerfWindow()
    var stream: PerfStream
    var held = HeldRecords()
    private(set) var delivery: SampleDelivery
    let plans: SamplePlans
    let ids: EventIDs
    /// Where a sample says whose it is; -1 where there is only one attribute, or none that says.
    private let idPlace: Int
    let hasTimes: Bool
    private let keepsLatest: Bool
    private let progress: ReadProgress?

    /// Time of the earliest sample, and of the latest, as of the last look around.
    private(set) var first: UInt64?
    private(set) var last: UInt64 = 0
    /// Of whatever record; what it was when the round before ended; up to where all was told.
    var latest: UInt64 = 0
    private var roundLimit: UInt64 = 0
    private(set) var toldUntil: UInt64 = 0
    /// The sample before, while nothing but its successors comes: a later one needs no look around.
    private(set) var previous: (time: UInt64, cpu: Int32) = (0, -1)
    private var fence: UInt64 = .max
    private var isOver = false
    private(set) var isInflating = false

    var unknown: UInt64 = 0
    private(set) var stepsBack = 0
    private(set) var cut: TraceCut?
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
        let plans = SamplePlans(container.attributes, formats, takesOthers: takesOthers)
        let ids = EventIDs(container.attributes)
        let hasTimes = container.hasTimes
        let keepsLatest = container.keepsLatest
        // From locals: what is not complete must not be asked for its own parts.
        self.plans = plans
        self.ids = ids
        self.hasTimes = hasTimes
        self.keepsLatest = keepsLatest
        self.progress = progress
        idPlace = ids.count == 0 || plans.count == 1 ? -1 : plans.idPlace
        stream = PerfStream(container)
        delivery = SampleDelivery(
            bindings: BindingTable(formats.bindings.map(\.binding)), hasTimes: hasTimes,
            keepsLatest: keepsLatest)
    }

    mutating func run<S: EventSink & ~Copyable>(into sink: inout S) {
        var hasStarted = false
        while let limit = nextLimit() {
            if !hasStarted { sink.started(at: first ?? 0) }
            hasStarted = true
            held.tell(until: limit, by: &delivery, to: &sink)
            toldUntil = max(toldUntil, limit)
        }
        if !hasStarted { sink.started(at: 0) }
        delivery.finish(isSampled: plans.isFrequency, to: &sink)
    }

    /// Reads on until something is due, after the first sample.
    /// - Returns: up to which time; nil at the end.
    mutating func nextLimit() -> UInt64? {
        while !isOver {
            switch scan() {
            case .round:
                lookAround()
                let limit = roundLimit
                roundLimit = latest
                if first != nil, limit > 0 { return limit }
            case .packed:
                stream.startInflating(&window)
                isInflating = true
            case .damaged: isOver = true
            case .starved:
                window.makeRoom()
                let before = stream.read
                if !stream.fill(&window) {
                    cut = cut ?? stream.cut
                    if window.rest > 0 { note("the rest of a record") }
                    isOver = true
                }
                progress?.advance(by: Int(stream.read - before))
            }
        }
        lookAround()
        return held.isEmpty ? nil : .max
    }

    // MARK: - Looking at records

    /// Looks at the records that are whole, and holds those that are to be told.
    private mutating func scan() -> Halt {
        let (plans, lookup, idPlace) = (plans.base, ids.lookup, idPlace)
        var place = window.scanned
        let filled = window.filled
        while filled &- place >= PerfRecord.headerSize {
            let record = UnsafeRawPointer(window.base + place)
            let header = PerfHeader(record)
            let size = header.size
            if header.type == PerfRecord.sample.rawValue, size >= PerfRecord.headerSize {
                guard size <= filled &- place else { break }
                var attribute = 0
                if idPlace >= 0 {
                    // Behind the window is room for a word.
                    attribute = lookup.attribute(record.loadUnaligned(fromByteOffset: idPlace, as: UInt64.self))
                }
                if attribute >= 0, size >= plans[attribute].shortest {
                    take(record, size: size, plans + attribute, attribute)
                } else {
                    unknown += 1
                }
                place &+= size
            } else {
                window.scanned = place
                if let halt = look(at: record, header) { return halt }
                guard window.filled == filled else { return .starved }
                place = window.scanned
            }
        }
        window.scanned = place
        return .starved
    }

    mutating func damaged() -> Halt {
        note("a record")
        return .damaged
    }

    mutating func note(_ expected: String) {
        let offset = isInflating ? stream.offset : stream.offset - UInt64(window.rest)
        cut = cut ?? TraceCut(offset: offset, expected: expected)
    }

    /// A sample that is no shorter than its fields of a fixed size.
    @inline(__always)
    private mutating func take(
        _ sample: UnsafeRawPointer, size: Int, _ plan: UnsafeMutablePointer<SamplePlan>, _ attribute: Int
    ) {
        plan.pointee.samples &+= 1
        guard plan.pointee.isUsual else { return takeUnusual(sample, size: size, plan, attribute) }
        let time = sample.loadUnaligned(fromByteOffset: plan.pointee.time, as: UInt64.self)
        let cpu = sample.loadUnaligned(fromByteOffset: plan.pointee.cpu, as: Int32.self)
        note(time, cpu)
        guard plan.pointee.entry > 0 else { return }
        if sample.loadUnaligned(fromByteOffset: plan.pointee.period, as: UInt64.self) != 1 {
            return takeUnusual(sample, size: size, plan, attribute)
        }
        hold(
            sample, size: size, plan, raw: plan.pointee.raw, time: time, cpu: cpu,
            process: sample.loadUnaligned(fromByteOffset: plan.pointee.tid, as: Int32.self))
    }

    /// One that lacks a field, has some of no fixed size, or stands for several events.
    @inline(never)
    private mutating func takeUnusual(
        _ sample: UnsafeRawPointer, size: Int, _ plan: UnsafeMutablePointer<SamplePlan>, _ attribute: Int
    ) {
        let record = UnsafeRawBufferPointer(start: sample, count: size)
        var time = hasTimes ? max(latest, previous.time) : previous.time &+ 1
        if hasTimes { time = record.word(at: plan.pointee.time) ?? time }
        let cpu = record.half(at: plan.pointee.cpu) ?? 0
        note(time, cpu)
        if plan.pointee.hasCounter { readCounter(record, at: plan.pointee.variable, attribute) }
        guard plan.pointee.entry > 0 else { return }
        let events = record.word(at: plan.pointee.period) ?? plan.pointee.eventsEach
        if events > 1 { hold(HeldGap(to: time, events: events - 1), time: time, cpu: cpu) }
        hold(
            sample, size: size, plan, raw: plan.pointee.raw(in: record) ?? -1, time: time, cpu: cpu,
            process: record.half(at: plan.pointee.tid) ?? 0)
    }

    @inline(__always)
    private mutating func note(_ time: UInt64, _ cpu: Int32) {
        if time < fence || time == .max { lookAround(at: time, cpu) }
        fence = time
        previous = (time, cpu)
    }

    /// What is less usual than a sample that is later than the one before it, on the same CPU or on another.
    @inline(never)
    private mutating func lookAround(at time: UInt64, _ cpu: Int32) {
        lookAround()
        if time < toldUntil { noteStepBack("a sample that is no earlier than what the rounds before it hold") }
        // A step back of one CPU is an interrupt's, which came in between two steps of a sample that was being taken.
        if time < previous.time, cpu == previous.cpu, previous.time - time > Self.longestInterrupt, !keepsLatest {
            noteStepBack("a sample that is no earlier than its CPU's before it")
        }
        first = min(time, first ?? time)
        last = max(last, time)
    }

    /// Brings the latest times up to date.
    private mutating func lookAround() {
        if fence != .max { last = max(last, fence) }
        latest = max(latest, last)
        fence = .max
    }

    private static let longestInterrupt: UInt64 = 1_000_000

    /// Keeps what is needed of an event.
    @inline(__always)
    private mutating func hold(
        _ sample: UnsafeRawPointer, size: Int, _ plan: UnsafeMutablePointer<SamplePlan>, raw place: Int, time: UInt64,
        cpu: Int32, process: Int32
    ) {
        var count = place < 0 ? 0 : Int(sample.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        let raw = sample + (place &+ 4)
        // What is no event of the attribute's is held all the same, as one that is too short.
        if count < Record.commonSize || place &+ 4 &+ count > size
            || raw.loadUnaligned(as: UInt16.self) != plan.pointee.commonType
        {
            count = 0
        }
        count = min(count, plan.pointee.needed)
        let body = held.hold(
            HeldRecord(
                time: time, body: count, entry: Int16(truncatingIfNeeded: plan.pointee.entry), cpu: cpu,
                owner: process, extra: Int32(truncatingIfNeeded: count)))
        // Both have room behind them.
        var done = 0
        while done < count {
            body.storeBytes(
                of: raw.loadUnaligned(fromByteOffset: done, as: SIMD2<UInt64>.self), toByteOffset: done,
                as: SIMD2<UInt64>.self)
            done &+= 16
        }
    }

    @inline(never)
    mutating func hold(_ gap: HeldGap, time: UInt64, cpu: Int32) {
        held.hold(HeldRecord(.gap, time: time, body: MemoryLayout<HeldGap>.stride, cpu: cpu))
            .storeBytes(of: gap, as: HeldGap.self)
    }

    @inline(never)
    private mutating func noteStepBack(_ expected: String) {
        stepsBack += 1
        note(expected)
    }
}
