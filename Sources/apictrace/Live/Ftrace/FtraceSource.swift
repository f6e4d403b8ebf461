// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import TraceCore

/// The running kernel as a source of events without BPF: ftrace's raw pages, read at a beat.
///
/// It knows what a recording knows: events and gaps, and no state of a vCPU. Every event of the host comes; a VM is chosen
/// in the report. Ending the value removes its instance.
struct FtraceSource: ~Copyable {
    private let instance: FtraceInstance
    private let reader: FtraceReader
    let formats: FormatCatalog
    private var queues: [FtraceQueue]
    private var processes = ThreadProcesses()
    /// What comes from then on is told to who knows nothing of what was told before.
    private var anew = UInt64.max
    /// Processes that were found to have ended, and when: what they did before is reported first.
    private var ends: (processes: [Int32], noticed: UInt64) = ([], 0)
    private let page: UnsafeMutableRawBufferPointer
    /// Nothing below this time can be recorded any more.
    private var bound: UInt64 = 0
    /// Time up to which the sink has been given everything.
    private(set) var settled: UInt64 = 0
    private var undecoded: UInt64 = 0
    /// The gaps so far.
    private var gapTotals = TraceTotals()
    private var span: (first: UInt64, last: UInt64)?

    /// For the buffers of all CPUs together.
    private static let room = 512 << 20
    private let pagesForCPU: Int

    /// - Parameters:
    ///   - tracefs: where it is mounted.
    ///   - roomForCPU: bytes at most: 8 MiB hold 10 ms of 20 million events a second.
    init(in tracefs: String, roomForCPU: Int = 8 << 20) throws(BPFError) {
        var instance = try FtraceInstance(in: tracefs)
        try instance.openPipes()
        let room = min(roomForCPU, Self.room / max(1, instance.pipes.count))
        try instance.write("mono", to: "trace_clock")
        try instance.write(String(room >> 10), to: "buffer_size_kb")
        let events = FtraceEvents(instance)
        try events.enable(in: instance)
        formats = events.formats
        reader = FtraceReader(formats, pageSize: instance.pageSize)
        page = .allocate(byteCount: reader.layout.pageSize, alignment: 8)
        pagesForCPU = max(1, room / reader.layout.pageSize)
        queues = instance.pipes.map { FtraceQueue(cpu: $0.cpu) }
        self.instance = instance
    }

    deinit {
        page.deallocate()
    }

    /// Reads what was recorded and gives the sink what is in order by now, one drain late.
    mutating func drain(into sink: inout some EventSink & ~Copyable) throws(BPFError) {
        // A probe that took its time before this may not have committed its record yet. By the next drain it will have.
        var reached = MonotonicClock.now
        for index in queues.indices {
            if try !read(index) { reached = min(reached, queues[index].last ?? 0) }
        }
        deliver(until: bound, to: &sink)
        settled = bound
        bound = max(bound, reached)
        tellEnds(to: &sink)
    }

    /// Nanoseconds between looks for processes that have ended.
    private static let lookInterval: UInt64 = 1_000_000_000

    private mutating func tellEnds(to sink: inout some EventSink & ~Copyable) {
        guard settled >= ends.noticed else { return }
        for process in ends.processes {
            sink.take(.fact(.ended(process: process)), at: EventStamp(time: settled, cpu: 0, tid: process))
        }
        ends.processes = []
        let now = MonotonicClock.now
        if now - ends.noticed >= Self.lookInterval { ends = (processes.gone(), now) }
    }

    /// From a moment on, now, the process of each thread is told again.
    /// - Returns: that moment, in nanoseconds of the clock.
    mutating func tellAnew() -> UInt64 {
        anew = MonotonicClock.now
        return anew
    }

    /// Stops the recording and gives the sink all that is left.
    mutating func finish(into sink: inout some EventSink & ~Copyable) throws(BPFError) {
        try instance.write("0", to: "tracing_on")
        for index in queues.indices {
            while try !read(index) {}
        }
        deliver(until: .max, to: &sink)
    }

    /// Time of the first item that was given to the sink.
    var base: UInt64? { span?.first }

    /// What the source knows by now, in the form that a file's reader gives.
    func totals() -> TraceTotals {
        var totals = gapTotals
        for bound in formats.bindings {
            if let name = formats.names[bound.id] { totals.byName[name] = reader.tally.count(of: bound.id) }
        }
        totals.first = span?.first
        totals.last = span?.last
        totals.overrun = instance.pipes.reduce(undecoded) { $0 &+ instance.lost(onCPU: $1.cpu) }
        return totals
    }

    // MARK: - Reading

    /// Reads a CPU's pages, a buffer's worth at most; false where there may be more.
    private mutating func read(_ index: Int) throws(BPFError) -> Bool {
        for _ in 0..<pagesForCPU {
            let count: Int
            do {
                count = try FileDescriptor(rawValue: instance.pipes[index].descriptor).read(into: page)
            } catch Errno.wouldBlock {
                return true
            } catch {
                throw BPFError("read", "trace_pipe_raw", code: (error as? Errno)?.rawValue ?? EIO)
            }
            guard count > 0 else { return true }
            undecoded &+= queues[index].take(UnsafeRawBufferPointer(rebasing: page[..<count]), reader)
        }
        return false
    }

    // MARK: - Delivery

    /// Joins the CPUs by time: the one with the earliest head is followed for as long as it stays so.
    private mutating func deliver(until limit: UInt64, to sink: inout some EventSink & ~Copyable) {
        while let (earliest, end) = earliest(until: limit) {
            while let time = queues[earliest].headTime, time <= end, let next = queues[earliest].next() {
                deliver(next.item, at: next.stamp, to: &sink)
            }
        }
        for index in queues.indices { queues[index].compact() }
    }

    /// The queue to go on with, and up to which time.
    private func earliest(until limit: UInt64) -> (queue: Int, end: UInt64)? {
        var first: (queue: Int, time: UInt64)?
        var end = limit
        for (index, queue) in queues.enumerated() {
            guard let time = queue.headTime, time <= limit else { continue }
            guard let known = first else {
                first = (index, time)
                continue
            }
            end = min(end, max(time, known.time))
            if time < known.time { first = (index, time) }
        }
        return first.map { ($0.queue, end) }
    }

    private mutating func deliver(
        _ item: TraceItem, at stamp: EventStamp, to sink: inout some EventSink & ~Copyable
    ) {
        if case .lost(let gap) = item { gapTotals.add(gap) }
        if stamp.time >= anew {
            processes.forgetThreads()
            anew = .max
        }
        if stamp.tid != 0, let process = processes.process(ofNew: stamp.tid) {
            sink.take(.fact(.process(process)), at: stamp)
        }
        span = (span?.first ?? stamp.time, max(span?.last ?? 0, stamp.time))
        sink.take(item, at: stamp)
    }
}
