// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TraceCore

/// The running kernel as a source of events: probes loaded and attached, their ring drained into a sink.
///
/// It doesn't wait: call ``drain(into:)`` at a beat. Ending the value, or the process, removes the probes.
struct LiveSource: ~Copyable {
    private let object: BPFObject
    private var attachments: Attachments?
    private var ring: MappedRing
    private let counts: MappedCounts
    private let exitCounts: MappedExitCounts
    /// The thread of each row of ``exitCounts``.
    private var exitRows: [UInt32: Int32] = [:]
    private let isa: ISA
    private var window = ReorderWindow()
    private var threads = ToldThreads()
    /// As of the last drain: time before its counts were read, and the drops of each CPU.
    private var counted: (time: UInt64, dropped: [UInt64])
    /// Records that the decoder did not understand: always 0, unless probes and tool don't match.
    private var undecoded: UInt64 = 0
    /// Kinds that this kernel has a tracepoint for.
    let kinds: EventKindSet
    /// Programs attached.
    let programCount: Int
    private var gaps: [EventGap] = []
    private var span: (first: UInt64, last: UInt64)?
    /// When the trace was ended: what comes later is no part of it.
    private var end = UInt64.max
    /// Hits by kind at the end.
    private var finalHits: [UInt64]?

    /// Without these nothing can be told of a vCPU.
    static let requiredTracepoints = ["kvm_entry", "kvm_exit"]

    /// Loads and attaches the probes that fit this kernel.
    static func start(
        _ options: LiveOptions, host: HostFacts, types: borrowing KernelTypes
    ) throws(TracingUnavailable) -> LiveSource {
        for name in requiredTracepoints where types.argumentCount(ofTracepoint: name) == nil {
            throw .tracepointMissing(name)
        }
        let log = LibbpfLog()
        do throws(BPFError) {
            return try LiveSource(options, host: host, types: types)
        } catch {
            throw TracingUnavailable(error, log: log.text)
        }
    }

    private init(_ options: LiveOptions, host: HostFacts, types: borrowing KernelTypes) throws(BPFError) {
        let object = try BPFObject()
        var config = probe_config()
        config.vm = UInt32(bitPattern: options.vm ?? 0)
        config.vcpu = options.vcpu ?? -1
        config.is_vmx = host.isa == .vmx ? 1 : 0
        // Before 6.0 what an injection repeats is told from the exit before it.
        config.counts_exits = types.hasField("kvm_inj_virq.reinjected") ? 1 : 0
        config.sends_lapic = options.sendsLAPIC ? 1 : 0
        try object.configure(config)
        let cpus = max(Int(libbpf_num_possible_cpus()), 1)
        try object.resize("counts", to: UInt32(cpus))
        try object.resize("ring", to: options.ringBytes)
        let programs = object.programs
        let kinds = Self.select(programs, types)
        try object.load()
        let ring = try MappedRing(descriptor: object.descriptor(ofMap: "ring"), size: Int(options.ringBytes))
        let counts = try MappedCounts(descriptor: object.descriptor(ofMap: "counts"), cpus: cpus)
        let exitCounts = try MappedExitCounts(descriptor: object.descriptor(ofMap: "exit_counts"))
        attachments = try Attachments(programs)
        self.object = object
        self.ring = ring
        self.counts = counts
        self.exitCounts = exitCounts
        isa = host.isa
        self.kinds = kinds
        programCount = programs.count(where: \.loads)
        counted = (MonotonicClock.now, Array(repeating: 0, count: cpus))
    }

    /// Marks the programs that this kernel's tracepoints and their prototypes allow.
    private static func select(_ programs: [BPFProgram], _ types: borrowing KernelTypes) -> EventKindSet {
        var kinds: EventKindSet = []
        for program in programs {
            let arguments = types.argumentCount(ofTracepoint: program.tracepoint)
            let fits = arguments != nil && (program.argumentCount == nil || program.argumentCount == arguments)
            program.setLoads(fits)
            if fits, let kind = EventKind(tracepoint: program.tracepoint) { kinds.insert(kind) }
        }
        return kinds
    }

    /// Hits of a kind since the start: every one, filtered, sent or dropped.
    func hits(_ kind: EventKind) -> UInt64 { finalHits?[Int(kind.rawValue)] ?? counts.hits(kind) }

    /// What the source knows by now, in the form that a file's reader gives.
    func totals() -> TraceTotals {
        var totals = TraceTotals()
        for kind in kinds.kinds { totals.byName[kind.tracepoints[0]] = hits(kind) }
        totals.first = span?.first
        totals.last = span?.last
        totals.gaps = gaps
        totals.overrun = dropped &+ missed
        return totals
    }

    /// Time up to which the sink has been given everything.
    var settled: UInt64 { window.settled }

    /// Time of the first item that was given to the sink.
    var base: UInt64? { span?.first }

    /// Records lost since the start because the ring was full.
    var dropped: UInt64 { counted.dropped.reduce(undecoded, &+) }

    /// Hits that were neither counted nor sent because their own program was at work on the CPU.
    var missed: UInt64 { object.programs.filter(\.loads).reduce(0) { $0 &+ $1.misses } }

    /// Reads what the probes have sent and gives the sink what is in order by now, one drain late.
    mutating func drain(into sink: inout some LiveEventSink & ~Copyable) throws(BPFError) {
        try read()
        let time = MonotonicClock.now
        let produced = ring.producerPosition
        noteDrops()
        window.endDrain(consumed: ring.consumerPosition, produced: produced, at: time)
        deliver(to: &sink)
    }

    /// Detaches the probes and gives the sink all that is left.
    ///
    /// Detaching waits for the kernel at each probe, a quarter of a second in all. Meanwhile some are there and others not,
    /// which looks like interrupts that are accepted and never injected: the trace ends before, for all at once.
    mutating func finish(into sink: inout some LiveEventSink & ~Copyable) throws(BPFError) {
        end = MonotonicClock.now
        finalHits = EventKind.allCases.map { counts.hits($0) }
        try drain(into: &sink)
        // Another, and what the first has read is due.
        try drain(into: &sink)
        let exits = exitRows.sorted { $0.key < $1.key }.map { row, tid in (tid, exitCounts.counts(row: row, isa: isa)) }
        attachments = nil
        try read()
        window.end()
        deliver(to: &sink)
        for (tid, counts) in exits {
            for (reason, count) in counts { sink.exits(count, reason, of: tid) }
        }
    }

    private mutating func read() throws(BPFError) {
        var unknown: UInt64 = 0
        try ring.drain(into: &window) { window, bytes in
            if let item = LiveItem(bytes) { window.insert(item) } else { unknown &+= 1 }
        }
        undecoded &+= unknown
    }

    private mutating func deliver(to sink: inout some LiveEventSink & ~Copyable) {
        for index in 0..<window.due {
            let item = window.items[index]
            guard item.stamp.time <= end else { break }
            if item.process != 0, threads.isNews(item.stamp.tid, of: item.process) {
                sink.thread(item.stamp.tid, of: item.process)
            }
            if case .lost(let gap) = item.content { gaps.append(gap) }
            if case .state(_, let row) = item.content, row > 0 { exitRows[row] = item.stamp.tid }
            span = (span?.first ?? item.stamp.time, item.stamp.time)
            item.deliver(to: &sink)
        }
        window.removeDue()
    }

    /// A CPU's drops since the last drain are a hole that reaches from then till now.
    private mutating func noteDrops() {
        let start = MonotonicClock.now
        for cpu in counted.dropped.indices {
            let dropped = counts.dropped(onCPU: cpu)
            let new = dropped &- counted.dropped[cpu]
            guard new > 0 else { continue }
            counted.dropped[cpu] = dropped
            let gap = EventGap(instance: 0, cpu: Int32(cpu), from: counted.time, to: MonotonicClock.now, events: new)
            let stamp = EventStamp(time: counted.time, cpu: Int32(cpu), tid: 0)
            window.insert(LiveItem(stamp: stamp, process: 0, content: .lost(gap)))
        }
        counted.time = start
    }
}
