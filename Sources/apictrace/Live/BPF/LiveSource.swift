// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TraceCore

/// The running kernel as a source of events: probes loaded and attached, their ring drained into a sink.
///
/// It doesn't wait: call ``drain(into:)`` at a beat. Ending the value, or the process, removes the probes.
struct LiveSource: ~Copyable {
    private let probes: LoadedProbes
    private var attachments: Attachments?
    private var ring: MappedRing
    private let counts: MappedCounts
    private var exitRows: ExitRows
    private let addresses = AddressKey()
    private var window = ReorderWindow()
    /// The gaps of the window, in its order.
    private var gaps: [EventGap] = []
    private var threads = ReportedThreads()
    private let generation: Generation
    /// What comes from then on is told to who knows nothing of what was told before.
    private var anew = UInt64.max
    private var drops: DropsOfProcesses
    /// As of the last drain: time before its counts were read, and the drops of each CPU, of processes and others.
    private var counted: (time: UInt64, ofProcesses: [UInt64], dropped: [UInt64])
    /// Records that were lost since the ring was full, of the gaps that were reported to the sink.
    private var reported: UInt64 = 0
    /// Records that the decoder did not understand: always 0, unless probes and tool don't match.
    private var undecoded: UInt64 = 0
    /// Kinds that this kernel has a tracepoint for.
    var kinds: EventKindSet { probes.kinds }
    /// Programs attached.
    let programCount: Int
    /// The gaps so far.
    private var gapTotals = TraceTotals()
    private var span: (first: UInt64, last: UInt64)?
    /// When the trace was ended: what comes later is no part of it.
    private var end = UInt64.max
    /// Hits by kind at the end.
    private var finalHits: [UInt64]?

    /// Without these nothing can be said of a vCPU.
    static let requiredTracepoints = ["kvm_entry", "kvm_exit"]

    /// Loads and attaches the probes that fit this kernel.
    static func start(
        _ options: LiveOptions, host: HostFacts, types: borrowing KernelTypes
    ) throws(TracingUnavailable) -> LiveSource {
        try require(types)
        let log = LibbpfLog()
        do throws(BPFError) {
            return try LiveSource(LoadedProbes(options, host: host, types: types), options, host: host)
        } catch {
            throw TracingUnavailable(error, log: log.text)
        }
    }

    /// As ``start(_:host:types:)``, but only the probes of a rare tracepoint are attached, and none for longer than the call.
    /// - Returns: how many programs were loaded.
    static func rehearse(host: HostFacts, types: borrowing KernelTypes) throws(TracingUnavailable) -> Int {
        try require(types)
        let log = LibbpfLog()
        do throws(BPFError) {
            let probes = try LoadedProbes(LiveOptions(), host: host, types: types)
            let programs = probes.object.programs
            // It hangs on an id in tracefs, as few do, and runs where L2 leaves for L1 alone.
            let rare = try Attachments(programs.filter { $0.tracepoint == "kvm_nested_vmexit" })
            let loaded = programs.count(where: \.loads)
            _ = try SpareDescriptors(loaded + besideLinks)
            withExtendedLifetime(rare) {}
            return loaded
        } catch {
            throw TracingUnavailable(error, log: log.text)
        }
    }

    /// Descriptors that a run has open beside its programs, maps and links: those of the event loop, of recordings, of a command.
    private static let besideLinks = 24

    private static func require(_ types: borrowing KernelTypes) throws(TracingUnavailable) {
        for name in requiredTracepoints where types.argumentCount(ofTracepoint: name) == nil {
            throw .tracepointMissing(name)
        }
    }

    private init(_ probes: consuming LoadedProbes, _ options: LiveOptions, host: HostFacts) throws(BPFError) {
        let ring = try MappedRing(descriptor: probes.object.descriptor(ofMap: "ring"), size: Int(options.ringBytes))
        let counts = try MappedCounts(descriptor: probes.object.descriptor(ofMap: "counts"), cpus: probes.cpus)
        let exitCounts = try MappedExitCounts(
            descriptor: probes.object.descriptor(ofMap: "exit_counts"),
            ends: probes.object.descriptor(ofMap: "exit_row_ends"))
        let generation = try Generation(descriptor: probes.object.descriptor(ofMap: "generation"))
        attachments = try Attachments(probes.object.programs)
        drops = DropsOfProcesses(
            processes: try probes.object.descriptor(ofMap: "processes"),
            ended: try probes.object.descriptor(ofMap: "drops_of_ended"))
        let none = [UInt64](repeating: 0, count: probes.cpus)
        counted = (MonotonicClock.now, none, none)
        programCount = probes.object.programs.count(where: \.loads)
        self.probes = probes
        self.ring = ring
        self.counts = counts
        self.generation = generation
        exitRows = ExitRows(exitCounts, isa: host.isa)
    }

    /// Hits of a kind since the start: every one, filtered, sent or dropped.
    func hits(_ kind: EventKind) -> UInt64 { finalHits?[Int(kind.rawValue)] ?? counts.hits(kind) }

    /// What the source knows by now, in the form that a file's reader gives.
    func totals() -> TraceTotals {
        var totals = gapTotals
        for kind in kinds.kinds { totals.byName[kind.tracepoints[0]] = hits(kind) }
        totals.first = span?.first
        totals.last = span?.last
        totals.overrun = dropped &+ missed
        return totals
    }

    /// Time up to which the sink has been given everything.
    var settled: UInt64 { window.settled }

    /// Time of the first item that was given to the sink.
    var base: UInt64? { span?.first }

    /// Records lost since the start because the ring was full: as reported to the sink, so that all of them are in gaps.
    var dropped: UInt64 { reported &+ undecoded }

    /// Hits that were neither counted nor sent because their own program was at work on the CPU.
    var missed: UInt64 { probes.object.programs.filter(\.loads).reduce(0) { $0 &+ $1.misses } }

    /// Reads what the probes have sent and gives the sink what is in order by now, one drain late. What waits until then takes
    /// room in the ring: where that is much the next drain comes at once.
    mutating func drain(into sink: inout some EventSink & ~Copyable) throws(BPFError) {
        for _ in 0..<Self.drainsAtOnce {
            try drainOnce(into: &sink)
            guard ring.kept > ring.size / 4 else { break }
        }
    }

    /// A record that its probe still writes holds all up that come after it, however often it is asked for.
    private static let drainsAtOnce = 3

    private mutating func drainOnce(into sink: inout some EventSink & ~Copyable) throws(BPFError) {
        try read()
        let time = MonotonicClock.now
        let produced = ring.producerPosition
        noteDrops()
        window.endDrain(consumed: ring.position, produced: produced, at: time)
        deliver(to: &sink)
    }

    /// Has the words read of vCPUs that sleep, by their threads. What comes of it is in the ring, if a thread sleeps indeed.
    func look(at sleepers: [Int32]) {
        guard !sleepers.isEmpty, let program = probes.object.programs.first(where: { $0.isOnDemand && $0.loads })
        else { return }
        for tid in sleepers { program.run(probe_sleeper(tid: UInt32(bitPattern: tid))) }
    }

    /// From a moment on, now, all is told again that is told once: the process of a thread, what a vCPU is. What was only counted
    /// until now is told first.
    /// - Returns: that moment, in nanoseconds of the clock.
    mutating func tellAnew(to sink: inout some EventSink & ~Copyable) -> UInt64 {
        for (tid, exits) in exitRows.rest() {
            tell(exits, at: EventStamp(time: window.settled, cpu: 0, tid: tid), to: &sink)
        }
        anew = MonotonicClock.now
        generation.begin()
        return anew
    }

    /// Detaches the probes and gives the sink all that is left.
    ///
    /// Detaching waits for the kernel at each probe, a quarter of a second in all. Meanwhile some are there and others not,
    /// which looks like interrupts that are accepted and never injected: the trace ends before, for all at once.
    mutating func finish(into sink: inout some EventSink & ~Copyable) throws(BPFError) {
        end = MonotonicClock.now
        finalHits = EventKind.allCases.map { counts.hits($0) }
        try drainOnce(into: &sink)
        // Another, and what the first has read is due.
        try drainOnce(into: &sink)
        let rest = exitRows.rest()
        attachments = nil
        try read()
        window.end()
        deliver(to: &sink)
        tellRest(to: &sink)
        for (tid, exits) in rest { tell(exits, at: EventStamp(time: end, cpu: 0, tid: tid), to: &sink) }
    }

    private mutating func read() throws(BPFError) {
        var unknown: UInt64 = 0
        try ring.read(into: &window) { window, position, bytes in
            guard bytes.count >= MemoryLayout<probe_header>.size else {
                unknown &+= 1
                return
            }
            window.insert(bytes.load(as: probe_header.self).time, at: position)
        }
        undecoded &+= unknown
    }

    private mutating func deliver(to sink: inout some EventSink & ~Copyable) {
        var passed = 0
        for index in 0..<window.due {
            let entry = window.entries[index]
            guard entry.time <= end else { break }
            span = (span?.first ?? entry.time, entry.time)
            if entry.time >= anew { (threads, anew) = (ReportedThreads(), .max) }
            if entry.position == ReorderWindow.Entry.none {
                lost(gaps[passed], to: &sink)
                passed += 1
            } else {
                deliver(ring.record(at: entry.position), to: &sink)
            }
        }
        gaps.removeFirst(passed)
        ring.release(to: min(window.removeDue(), ring.position))
        for (tid, exits) in exitRows.reclaim(settled: window.settled) {
            tell(exits, at: EventStamp(time: window.settled, cpu: 0, tid: tid), to: &sink)
        }
    }

    private mutating func lost(_ gap: EventGap, to sink: inout some EventSink & ~Copyable) {
        gapTotals.add(gap)
        reported &+= gap.events ?? 0
        sink.take(.lost(gap), at: gap.stamp)
    }

    @inline(__always)
    private mutating func deliver(_ bytes: UnsafeRawBufferPointer, to sink: inout some EventSink & ~Copyable) {
        guard bytes.count >= MemoryLayout<probe_header>.size else {
            undecoded &+= 1
            return
        }
        let header = bytes.load(as: probe_header.self)
        let stamp = EventStamp(header)
        announce(stamp, of: Int32(bitPattern: header.tgid), to: &sink)
        if let kind = EventKind(rawValue: UInt8(clamping: header.kind)) {
            guard bytes.count >= MemoryLayout<probe_record>.size else {
                undecoded &+= 1
                return
            }
            sink.event(KVMEvent(kind, header, bytes.load(as: probe_record.self)), at: stamp)
        } else if let fact = ProbeFact(header, bytes, hiding: addresses) {
            deliver(fact, to: &sink)
        } else {
            undecoded &+= 1
        }
    }

    /// The thread's process, where it was not reported yet; 0 for none.
    @inline(__always)
    private mutating func announce(
        _ stamp: EventStamp, of process: Int32, to sink: inout some EventSink & ~Copyable
    ) {
        guard process != 0, threads.markReported(stamp.tid, of: process) else { return }
        sink.take(.fact(.process(process)), at: stamp)
    }

    @inline(never)
    private mutating func deliver(_ fact: ProbeFact, to sink: inout some EventSink & ~Copyable) {
        let tid = fact.stamp.tid
        switch fact.fact {
        case .state: tell(exitRows.runs(fact.row, on: tid), at: fact.stamp, to: &sink)
        case .ended:
            tell(exitRows.ended(fact.row), at: fact.stamp, to: &sink)
            threads.forget(tid)
        default: break
        }
        sink.take(.fact(fact.fact), at: fact.stamp)
    }

    private func tell(_ exits: ExitRows.NewExits, at stamp: EventStamp, to sink: inout some EventSink & ~Copyable) {
        for (reason, count) in exits { sink.take(.fact(.exits(reason, count: count)), at: stamp) }
    }

    /// A CPU's drops since the last drain are a gap that reaches from then till now. Those of processes are a gap of each.
    private mutating func noteDrops() {
        // What is dropped after the end is no part of the trace either.
        guard counted.time <= end else { return }
        let (start, known) = (MonotonicClock.now, gaps.count)
        for cpu in counted.dropped.indices {
            let dropped = counts.dropped(onCPU: cpu)
            note(dropped &- counted.dropped[cpu], onCPU: Int32(cpu))
            counted.dropped[cpu] = dropped
        }
        let (cpu, losses) = newLosses()
        for (process, events) in losses.ofProcesses { note(events, onCPU: cpu, of: process) }
        note(losses.others, onCPU: cpu)
        window.insertHoles(gaps.count - known, at: counted.time)
        counted.time = start
        if gaps.count > known { exitRows.suspect(at: start) }
    }

    /// Whose the drops are that were counted as some process's, and one of the CPUs that have some.
    private mutating func newLosses() -> (
        cpu: Int32, (ofProcesses: [(process: Int32, events: UInt64)], others: UInt64)
    ) {
        let now = counted.ofProcesses.indices.map { counts.droppedOfProcesses(onCPU: $0) }
        let cpu = now.indices.first { now[$0] != counted.ofProcesses[$0] } ?? 0
        counted.ofProcesses = now
        return (Int32(cpu), drops.newLosses(counted: now.reduce(0, &+)))
    }

    private mutating func note(_ events: UInt64, onCPU cpu: Int32, of process: Int32? = nil) {
        guard events > 0 else { return }
        gaps.append(
            EventGap(
                instance: 0, cpu: cpu, process: process, from: counted.time, to: MonotonicClock.now, events: events))
    }

    /// Drops of which it did not show that they are nobody's, since others were counted meanwhile: no probe counts any more.
    private mutating func tellRest(to sink: inout some EventSink & ~Copyable) {
        guard drops.isReadable else { return }
        let (cpu, losses) = newLosses()
        guard losses.others > 0 else { return }
        // Those of processes came after the end.
        lost(EventGap(instance: 0, cpu: cpu, from: span?.last ?? end, to: end, events: losses.others), to: &sink)
    }
}
