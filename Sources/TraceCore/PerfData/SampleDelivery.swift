// SPDX-License-Identifier: Apache-2.0

/// Hands samples and what lies between them to a sink: events, holes, and which process a thread belongs to.
struct SampleDelivery {
    /// What a CPU told last.
    private struct Running {
        var tid: Int32 = -1
        var process: Int32 = 0
        var time: UInt64?
    }

    private let decoder: EventDecoder
    private let plans: [SamplePlan]
    /// Times are only counted: how the CPUs' samples follow each other isn't known.
    private let hasTimes: Bool

    private var running: [Running] = []
    private var latestCPU: Int32 = -1
    /// The processes of the threads that had events.
    private var processes: [Int32: Int32] = [:]
    private var names: [Int32: Comm] = [:]
    /// Threads beyond it are told of once more.
    private static let mostThreads = 1 << 16

    /// The holes so far.
    private(set) var holes = TraceTotals()
    /// Samples that lack what their formats promise.
    private(set) var shortRecords = 0

    init(decoder: EventDecoder, plans: [SamplePlan], hasTimes: Bool) {
        self.decoder = decoder
        self.plans = plans
        self.hasTimes = hasTimes
    }

    @inline(__always)
    mutating func tell<S: EventSink & ~Copyable>(
        _ record: UnsafeRawPointer, _ held: RecordWindow.Held, to sink: inout S
    ) {
        guard held.attribute >= 0 else { return tellOther(record, held, to: &sink) }
        let plan = plans[Int(held.attribute)]
        guard plan.binding >= 0 else { return }
        let end = PerfHeader(record).size
        let raw = plan.raw >= 0 ? plan.raw : findRaw(record, size: end, plan)
        // A sample is no shorter than its fields of a fixed size, of which the raw record's is the last.
        let size = raw < 0 ? 0 : Int(record.loadUnaligned(fromByteOffset: raw, as: UInt32.self))
        guard size >= Record.commonSize, raw + 4 + size <= end else { return noteShort() }
        let event = Record(base: record + raw + 4, count: size)
        guard event.base.loadUnaligned(as: UInt16.self) == plan.commonType else { return noteShort() }
        let cpu = plan.cpu >= 0 ? record.loadUnaligned(fromByteOffset: plan.cpu, as: Int32.self) : 0
        let stamp = EventStamp(time: held.time, cpu: cpu, tid: event.tid(.little))
        let process = plan.tid >= 0 ? record.loadUnaligned(fromByteOffset: plan.tid, as: Int32.self) : 0
        prepare(stamp, process, plan, record, to: &sink)
        if !decoder.tell(event, binding: plan.binding, at: stamp, to: &sink) {
            tellUnused(event, plan, at: stamp, to: &sink)
        }
    }

    private func findRaw(_ record: UnsafeRawPointer, size: Int, _ plan: SamplePlan) -> Int {
        plan.raw(in: UnsafeRawBufferPointer(start: record, count: size)) ?? -1
    }

    private mutating func noteShort() {
        shortRecords += 1
    }

    @inline(never)
    private mutating func tellUnused<S: EventSink & ~Copyable>(
        _ record: Record, _ plan: SamplePlan, at stamp: EventStamp, to sink: inout S
    ) {
        if plan.binding < decoder.count {
            noteShort()
        } else {
            sink.other(record, format: plan.binding - decoder.count, at: stamp)
        }
    }

    // MARK: - Before an event

    /// Tells what has to be known before the event.
    @inline(__always)
    private mutating func prepare<S: EventSink & ~Copyable>(
        _ stamp: EventStamp, _ process: Int32, _ plan: SamplePlan, _ record: UnsafeRawPointer, to sink: inout S
    ) {
        let cpu = Int(stamp.cpu)
        let isUsual =
            UInt(bitPattern: cpu) < UInt(bitPattern: running.count) && running[cpu].tid == stamp.tid
            && running[cpu].process == process
        let events =
            plan.period >= 0 ? record.loadUnaligned(fromByteOffset: plan.period, as: UInt64.self) : plan.eventsEach
        if !isUsual || events != 1 || !hasTimes {
            tellPlace(stamp, process, events: events, plan, to: &sink)
        }
        if UInt(bitPattern: cpu) < UInt(bitPattern: running.count) { running[cpu].time = stamp.time }
    }

    @inline(never)
    private mutating func tellPlace<S: EventSink & ~Copyable>(
        _ stamp: EventStamp, _ process: Int32, events: UInt64, _ plan: SamplePlan, to sink: inout S
    ) {
        let cpu = Int(stamp.cpu)
        if (0..<BufferInstance.mostCPUs).contains(cpu) {
            while running.count <= cpu { running.append(Running()) }
            let before = running[cpu].time
            running[cpu].tid = stamp.tid
            running[cpu].process = process
            let isOutOfOrder = !hasTimes && latestCPU != stamp.cpu && latestCPU >= 0
            if before == nil && plan.writesBackward || isOutOfOrder {
                announce(EventGap(instance: 0, cpu: stamp.cpu, from: before, to: stamp.time, events: nil), to: &sink)
            }
            if events > 1 {
                announce(
                    EventGap(instance: 0, cpu: stamp.cpu, from: before, to: stamp.time, events: events - 1), to: &sink)
            }
            latestCPU = stamp.cpu
        }
        guard process > 0, stamp.tid > 0, processes[stamp.tid] != process else { return }
        if processes.count >= Self.mostThreads { processes = [:] }
        processes[stamp.tid] = process
        sink.take(.fact(.process(process)), at: stamp)
    }

    // MARK: - Records that are no samples

    /// The kernel's reports of threads and of losses.
    @inline(never)
    private mutating func tellOther<S: EventSink & ~Copyable>(
        _ start: UnsafeRawPointer, _ held: RecordWindow.Held, to sink: inout S
    ) {
        let record = UnsafeRawBufferPointer(start: start, count: PerfHeader(start).size)
        let trailer = plans[-1 - Int(held.attribute)].trailer
        guard let kind = PerfRecord(rawValue: PerfHeader(start).type) else { return }
        switch kind {
        case .comm:
            guard let tid = record.half(at: 12), record.count >= 16 + trailer.size else { return }
            name(tid, Comm(record[16..<(record.count - trailer.size)]), held.time, to: &sink)
        case .fork:
            guard let tid = record.half(at: 16), let parent = record.half(at: 20), let name = names[parent] else {
                return
            }
            self.name(tid, name, held.time, to: &sink)
        case .exit:
            guard let tid = record.half(at: 16) else { return }
            names[tid] = nil
            guard processes.removeValue(forKey: tid) != nil else { return }
            sink.take(.fact(.ended(process: 0)), at: EventStamp(time: held.time, cpu: 0, tid: tid))
        case .lost, .throttle:
            let events = kind == .lost ? record.word(at: 16) : nil
            let from = held.time == 0 ? nil : held.time
            announce(
                EventGap(
                    instance: 0, cpu: trailer.cpu(of: record) ?? max(0, latestCPU), from: from,
                    to: trailer.time(of: record), events: events), to: &sink)
        default: break
        }
    }

    private mutating func name<S: EventSink & ~Copyable>(
        _ tid: Int32, _ name: Comm, _ time: UInt64, to sink: inout S
    ) {
        if names.count >= Self.mostThreads, names[tid] == nil { names = [:] }
        names[tid] = name
        sink.take(.fact(.command(name)), at: EventStamp(time: time, cpu: 0, tid: tid))
    }

    private mutating func announce<S: EventSink & ~Copyable>(_ gap: EventGap, to sink: inout S) {
        holes.add(gap)
        sink.take(.lost(gap), at: gap.stamp)
    }

    /// The trace is over: what a CPU's last samples stand for came before them, but what came after nobody tells.
    mutating func finish<S: EventSink & ~Copyable>(into sink: inout S) {
        guard plans.contains(where: { $0.binding >= 0 && $0.binding < decoder.count && $0.isFrequency }) else { return }
        for (cpu, running) in running.enumerated() {
            guard let time = running.time else { continue }
            announce(EventGap(instance: 0, cpu: Int32(cpu), from: time, to: nil, events: nil), to: &sink)
        }
    }
}
