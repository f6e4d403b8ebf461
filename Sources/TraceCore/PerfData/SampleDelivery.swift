// SPDX-License-Identifier: Apache-2.0

/// Hands held records to a sink: events, gaps, and which process a thread belongs to.
struct SampleDelivery: ~Copyable {
    /// What a CPU told last.
    private struct Running {
        var tid: Int32 = -1
        var process: Int32 = 0
        /// .max for none.
        var time: UInt64 = .max
    }

    private let bindings: BindingTable
    /// Times are only counted: how the CPUs' samples follow each other isn't known.
    private let hasTimes: Bool
    /// The buffer kept what came last. What came before may have been overwritten.
    private let keepsLatest: Bool

    /// By CPU.
    private let running: UnsafeMutablePointer<Running>
    private static let cpus = BufferInstance.mostCPUs
    private var latestCPU: Int32 = -1
    /// The processes of the threads that had events.
    private var processes: [Int32: Int32] = [:]
    private var names: [Int32: Comm] = [:]
    /// Threads beyond it are told of once more.
    private static let mostThreads = 1 << 16

    /// The gaps so far.
    private(set) var gapTotals = TraceTotals()
    /// Samples that lack what their formats promise.
    private(set) var shortRecords = 0

    init(bindings: BindingTable, hasTimes: Bool, keepsLatest: Bool) {
        self.bindings = bindings
        self.hasTimes = hasTimes
        self.keepsLatest = keepsLatest
        running = .allocate(capacity: Self.cpus)
        running.initialize(repeating: Running(), count: Self.cpus)
    }

    deinit {
        running.deallocate()
    }

    @inline(__always)
    mutating func tell<S: EventSink & ~Copyable>(_ start: UnsafeRawPointer, to sink: inout S) {
        let held = HeldRecords.head(start)
        guard held.entry >= 0 else { return tellOther(held, start + HeldRecord.headSize, to: &sink) }
        let record = Record(base: start + HeldRecord.headSize, count: Int(held.extra))
        guard record.count >= Record.commonSize else { return noteShort() }
        let entry = Int(held.entry)
        let stamp = EventStamp(time: held.time, cpu: held.cpu, tid: record.tid(.little))
        let cpu = Int(held.cpu)
        if UInt(bitPattern: cpu) < UInt(bitPattern: Self.cpus), running[cpu].tid == stamp.tid,
            running[cpu].process == held.owner
        {
            running[cpu].time = held.time
        } else {
            tellPlace(stamp, held.owner, to: &sink)
        }
        if entry <= bindings.count, record.count >= bindings.base[entry].length {
            EventDecoder.tell(record, bindings.base + entry, at: stamp, to: &sink)
        } else {
            tellUnused(record, entry, stamp, to: &sink)
        }
    }

    private mutating func noteShort() {
        shortRecords += 1
    }

    @inline(never)
    private mutating func tellUnused<S: EventSink & ~Copyable>(
        _ record: Record, _ entry: Int, _ stamp: EventStamp, to sink: inout S
    ) {
        if entry <= bindings.count {
            noteShort()
        } else {
            sink.other(record, format: entry - bindings.count - 1, at: stamp)
        }
    }

    /// Another thread is on the CPU than at its event before.
    @inline(never)
    private mutating func tellPlace<S: EventSink & ~Copyable>(
        _ stamp: EventStamp, _ process: Int32, to sink: inout S
    ) {
        let cpu = Int(stamp.cpu)
        if (0..<Self.cpus).contains(cpu) {
            let isFirst = running[cpu].time == .max
            let isOutOfOrder = !hasTimes && latestCPU != stamp.cpu && latestCPU >= 0
            if isFirst && keepsLatest || isOutOfOrder {
                announce(HeldGap(to: stamp.time, events: nil), cpu: stamp.cpu, to: &sink)
            }
            // Without times each event is asked where it is.
            running[cpu] = Running(tid: hasTimes ? stamp.tid : -1, process: process, time: stamp.time)
            latestCPU = stamp.cpu
        }
        guard process > 0, stamp.tid > 0, processes[stamp.tid] != process else { return }
        if processes.count >= Self.mostThreads { processes = [:] }
        processes[stamp.tid] = process
        sink.take(.fact(.process(process)), at: stamp)
    }

    // MARK: - What is no event

    @inline(never)
    private mutating func tellOther<S: EventSink & ~Copyable>(
        _ held: HeldRecord, _ body: UnsafeRawPointer, to sink: inout S
    ) {
        let thread = EventStamp(time: held.time, cpu: 0, tid: held.owner)
        switch HeldRecord.Kind(rawValue: held.entry) {
        case .gap: announce(body.load(as: HeldGap.self), cpu: held.cpu, to: &sink)
        case .comm: name(body.load(as: Comm.self), thread, to: &sink)
        case .fork: if let name = names[held.extra] { self.name(name, thread, to: &sink) }
        case .exit:
            names[held.owner] = nil
            guard processes.removeValue(forKey: held.owner) != nil else { return }
            sink.take(.fact(.ended(process: 0)), at: thread)
        case nil: break
        }
    }

    private mutating func name<S: EventSink & ~Copyable>(_ name: Comm, _ thread: EventStamp, to sink: inout S) {
        if names.count >= Self.mostThreads, names[thread.tid] == nil { names = [:] }
        names[thread.tid] = name
        sink.take(.fact(.command(name)), at: thread)
    }

    private mutating func announce<S: EventSink & ~Copyable>(_ gap: HeldGap, cpu: Int32, to sink: inout S) {
        let before = (0..<Self.cpus).contains(Int(cpu)) ? running[Int(cpu)].time : .max
        let from = before == .max ? nil : before
        let told = EventGap(instance: 0, cpu: cpu, from: from, to: gap.to, events: gap.events)
        gapTotals.add(told)
        sink.take(.lost(told), at: told.stamp)
    }

    /// The trace is over.
    /// - Parameter isSampled: perf took samples of the events. What came after the last one nobody tells.
    mutating func finish<S: EventSink & ~Copyable>(isSampled: Bool, to sink: inout S) {
        guard isSampled else { return }
        for cpu in 0..<Self.cpus where running[cpu].time != .max {
            announce(HeldGap(to: nil, events: nil), cpu: Int32(cpu), to: &sink)
        }
    }
}
