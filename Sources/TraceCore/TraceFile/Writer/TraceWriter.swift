// SPDX-License-Identifier: Apache-2.0

/// Writes events to a trace.dat of version 7 that trace-cmd, KernelShark and ``TraceFile`` open.
///
/// Takes what live tracing tells, or what another recording holds; beside KVM's events it writes events of apictrace's own
/// (``OwnEvent``) for what only live tracing knows. Pages are spooled as they fill, so that memory doesn't grow with the
/// trace; the file is put together by ``finish(_:hits:)``. Uncompressed.
public struct TraceWriter: LiveEventSink, ~Copyable {
    /// What went wrong while events came: nothing is written from then on, and ``finish(_:hits:)`` throws it.
    public private(set) var failure: TraceWriterError?
    /// Command of a thread, for the saved command lines: those of the trace's info and what is added.
    public var commands: [Int32: String]

    let info: TraceInfo
    let target: OutputFile
    var spool: PageSpool
    var layouts: RecordLayouts
    /// By CPU.
    private(set) var lost: [UInt64] = []
    private var pages: [PageBuilder?] = []
    /// Facts without a stamp of their own: they take that of the record that comes next, and precede it.
    private var waiting: [(event: OwnEvent, tid: Int32?, values: [UInt64])] = []
    private var last = EventStamp(time: 0, cpu: 0, tid: 0)

    /// Creates the file, empty until ``finish(_:hits:)``, and beside it an unlinked one for the pages.
    public init(path: String, info: TraceInfo) throws(TraceWriterError) {
        try self.init(path: path, info: info, spoolingBeside: path)
    }

    init(path: String, info: TraceInfo, spoolingBeside place: String) throws(TraceWriterError) {
        let target = try OutputFile(path: path)
        let spool = try PageSpool(beside: place)
        self.target = target
        self.spool = spool
        self.info = info
        commands = info.commands
        layouts = RecordLayouts(info)
        if let fix = info.sviFix { waiting.append((.host, nil, fix.values)) }
    }

    // MARK: - Events

    public mutating func event(_ event: KVMEvent, at stamp: EventStamp) {
        let fields = EventFields(event)
        add(layouts.layout(of: fields), at: stamp, flags: fields.commonFlags, values: fields.values.span)
    }

    public mutating func state(_ state: VCPUState, at stamp: EventStamp) {
        add(.state(state), at: stamp)
    }

    public mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) {
        add(.lapic(reading), at: stamp)
    }

    public mutating func thread(_ tid: Int32, of process: Int32) {
        waiting.append((.process, tid, LiveFact.process(process).values))
    }

    public mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {
        waiting.append((.exits, tid, LiveFact.exits(reason, count: count).values))
    }

    /// Goes to the CPU of the latest record, whose time it doesn't precede.
    public mutating func tick(at time: UInt64) {
        guard time > last.time else { return }
        add(.tick, at: EventStamp(time: time, cpu: last.cpu, tid: last.tid))
    }

    /// A hole: the CPU's next page says so. One that no page follows gets an empty page at its end.
    public mutating func lost(_ gap: EventGap) {
        guard prepare(gap.cpu) else { return }
        let cpu = Int(gap.cpu)
        lost[cpu] = lost[cpu].addingClamped(gap.events ?? 0)
        flush(cpu)
        let loss = gap.events.map { PageCursor.Loss.counted($0) } ?? .uncounted
        pages[cpu]?.start(at: gap.to ?? gap.from ?? last.time, after: loss)
    }

    // MARK: - The end

    /// Puts the file together.
    /// - Parameters:
    ///   - totals: the source's; what it lost beyond the holes that were told is noted as lost too.
    ///   - hits: by tracepoint, counted in the kernel before filters and drops; nil where records are all there were.
    public mutating func finish(_ totals: TraceTotals, hits: [String: UInt64]? = nil) throws(TraceWriterError) {
        if let hits {
            waiting.append((.counts, nil, EventKind.allCases.map { hits[$0.tracepoints[0]] ?? 0 }))
        }
        writeWaiting(at: last)
        for cpu in pages.indices { flush(cpu) }
        if let failure { throw failure }
        layouts.addMissing()
        try assemble(overrun: totals.overrun)
    }

    // MARK: - Pages

    private mutating func add(_ fact: LiveFact, at stamp: EventStamp) {
        add(layouts[fact.event], at: stamp, values: fact.values.span)
    }

    @inline(__always)
    private mutating func add(
        _ layout: RecordLayout, at stamp: EventStamp, flags: UInt8 = 0, values: Span<UInt64>
    ) {
        if !waiting.isEmpty { writeWaiting(at: stamp) }
        append(layout, at: stamp, flags: flags, values: values)
    }

    private mutating func writeWaiting(at stamp: EventStamp) {
        for fact in waiting {
            let stamp = EventStamp(time: stamp.time, cpu: stamp.cpu, tid: fact.tid ?? stamp.tid)
            append(layouts[fact.event], at: stamp, values: fact.values.span)
        }
        waiting = []
    }

    private mutating func append(
        _ layout: RecordLayout, at stamp: EventStamp, flags: UInt8 = 0, values: Span<UInt64>
    ) {
        guard prepare(stamp.cpu) else { return }
        let cpu = Int(stamp.cpu)
        last = stamp
        if pages[cpu]?.append(layout, at: stamp, flags: flags, values: values) == true { return }
        flush(cpu)
        pages[cpu]?.start(at: stamp.time, after: .none)
        _ = pages[cpu]?.append(layout, at: stamp, flags: flags, values: values)
    }

    /// Whether the CPU can be: no kernel has more.
    private mutating func prepare(_ cpu: Int32) -> Bool {
        guard (0..<Int32(BufferInstance.mostCPUs)).contains(cpu), failure == nil else { return false }
        while pages.count <= cpu {
            pages.append(nil)
            lost.append(0)
        }
        if pages[Int(cpu)] == nil { pages[Int(cpu)] = PageBuilder() }
        return true
    }

    private mutating func flush(_ cpu: Int) {
        guard failure == nil, let isEmpty = pages[cpu]?.isEmpty, !isEmpty, let page = pages[cpu]?.finished() else {
            return
        }
        do throws(TraceWriterError) {
            try spool.add(page, of: Int32(cpu))
        } catch {
            failure = error
        }
    }
}
