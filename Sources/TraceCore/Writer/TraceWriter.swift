// SPDX-License-Identifier: Apache-2.0

/// Writes events to a trace.dat of version 7 that trace-cmd, KernelShark and ``Recording`` open. Uncompressed.
///
/// Takes what live tracing tells, or what another recording holds; beside KVM's events it writes events of apictrace's own
/// (``OwnEvent``) for what only live tracing knows. Pages go to the file as they fill, so that memory doesn't grow with the
/// trace, and all that came at each ``save(hits:)``: from the first one on ``Recording`` reads the file, whatever becomes of this
/// process. ``finish(_:hits:)`` makes it one that others read too.
public struct TraceWriter: EventSink, ~Copyable, Sendable {
    /// What went wrong while events came: nothing is written from then on, and ``finish(_:hits:)`` throws it.
    public private(set) var failure: TraceWriterError?
    /// Command of a thread, for the saved command lines: those of the trace's info and what is added.
    public var commands: [Int32: String]

    /// For the saved command lines, which have less room.
    private static let mostCommands = 1 << 13

    let info: TraceInfo
    let file: OutputFile
    var plan: RecordingPlan
    var store: PageStore
    var layouts: RecordLayouts
    /// By CPU.
    private(set) var lost: [UInt64] = []
    /// Records that came after the failure.
    private var unwritten: UInt64 = 0
    /// Kinds of records that the file describes, 0 as long as nothing was written.
    private var described = 0
    private var pages: [PageBuilder?] = []
    /// Facts without a stamp of their own: they take that of the record that comes next, and precede it.
    private var waiting: [(event: OwnEvent, tid: Int32?, values: [UInt64])] = []
    /// Hits as last noted: only news are.
    private var noted: [EventKind: UInt64] = [:]
    private var last = EventStamp(time: 0, cpu: 0, tid: 0)

    /// Opens the file. What it held is kept until there is something to write.
    public init(path: String, info: TraceInfo) throws(TraceWriterError) {
        self.init(try OutputFile(path: path), info: info)
    }

    /// For a descriptor that need not be a file, which gets all of it at the end.
    public init(outlet: Int32, name: String, info: TraceInfo) throws(TraceWriterError) {
        self.init(try OutputFile(for: outlet, name: name), info: info)
    }

    /// Begins a file in a folder of recordings. It can be read from then on.
    /// - Parameter seconds: the time of day, since 1970 in UTC, for its name.
    public static func begun(
        in folder: RecordingFolder, at seconds: Int64, info: TraceInfo
    ) throws(TraceWriterError) -> TraceWriter {
        var writer = TraceWriter(try OutputFile(in: folder, at: seconds), info: info)
        writer.describeIfNews()
        if let failure = writer.failure {
            folder.remove(writer.name)
            throw failure
        }
        return writer
    }

    /// Keeps what comes in memory, for ``take(_:from:)``.
    /// - Parameter descriptor: of a file in memory, which is its own from then on.
    public init(memory descriptor: Int32, info: TraceInfo) {
        self.init(OutputFile(taking: descriptor, name: "memory"), info: info, plan: .inOneGo())
    }

    /// The next part in memory after this one, which describes its records as this one does.
    public func next(memory descriptor: Int32) -> TraceWriter {
        var next = TraceWriter(memory: descriptor, info: info)
        next.layouts = layouts
        return next
    }

    /// For a part of another recording, which has a size to it.
    /// - Parameter originals: of the records that are copied; nil where events are written anew.
    init(partFor outlet: Int32, name: String, info: TraceInfo, originals: [OriginalFormat]?) throws(TraceWriterError) {
        self.init(
            try OutputFile(for: outlet, name: name), info: info, plan: .inOneGo(), originals: originals)
    }

    private init(
        _ file: consuming OutputFile, info: TraceInfo, plan: RecordingPlan? = nil, originals: [OriginalFormat]? = nil
    ) {
        self.file = file
        self.info = info
        self.plan = plan ?? RecordingPlan(cpus: info.cpus)
        store = PageStore(at: self.plan.data)
        commands = info.commands
        layouts = RecordLayouts(info, originals: originals ?? [])
        // What is copied is described already.
        guard originals == nil else { return }
        layouts.addMissing()
        if let fix = info.sviFix { waiting.append((.host, nil, fix.values)) }
    }

    // MARK: - Events

    @inline(__always)
    public mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event): write(EventFields(event), at: stamp)
        case .lost(let gap): lost(gap)
        case .fact(let fact): take(fact, at: stamp)
        }
    }

    @inline(never)
    private mutating func take(_ fact: LiveFact, at stamp: EventStamp) {
        switch fact {
        case .state, .lapic, .ended: add(layouts[fact.event], at: stamp, values: fact.values.span)
        case .process, .exits: waiting.append((fact.event, stamp.tid, fact.values))
        case .command(let command):
            let isKnown = commands[stamp.tid] != nil
            if isKnown || commands.count < Self.mostCommands { commands[stamp.tid] = command.text }
            waiting.append((.command, stamp.tid, fact.values))
        // Goes to the CPU of the latest record, whose time it doesn't precede.
        case .tick:
            guard stamp.time > last.time else { return }
            let stamp = EventStamp(time: stamp.time, cpu: last.cpu, tid: last.tid)
            add(layouts[.tick], at: stamp, values: fact.values.span)
        }
    }

    /// A gap: the CPU's next page says so. One that no page follows gets an empty page at its end. A process's is an event.
    private mutating func lost(_ gap: EventGap) {
        guard prepare(gap.cpu) else { return }
        let cpu = Int(gap.cpu)
        lost[cpu] = lost[cpu].addingClamped(gap.events ?? 0)
        if let process = gap.process {
            let stamp = EventStamp(time: gap.from ?? last.time, cpu: gap.cpu, tid: process)
            return add(layouts[.lost], at: stamp, values: gap.values.span)
        }
        store(cpu, isFull: true)
        let loss = gap.events.map { PageCursor.Loss.counted($0) } ?? .uncounted
        pages[cpu]?.start(at: gap.to ?? gap.from ?? last.time, after: loss)
    }

    /// Copies a record of another file, whose format it keeps.
    /// - Returns: false where no page has room for it, or it is none that a ring buffer could hold.
    mutating func copy(_ record: [UInt8], at stamp: EventStamp) -> Bool {
        guard record.count.isMultiple(of: 4), prepare(stamp.cpu) else { return false }
        let cpu = Int(stamp.cpu)
        last = stamp
        if pages[cpu]?.append(record, at: stamp.time) == true { return true }
        store(cpu, isFull: true)
        pages[cpu]?.start(at: stamp.time, after: .none)
        return pages[cpu]?.append(record, at: stamp.time) ?? false
    }

    /// Records with this id have a format in the file that is copied.
    func describes(_ id: UInt16) -> Bool { layouts.describes(id) }

    @inline(__always)
    mutating func write(_ fields: EventFields, at stamp: EventStamp) {
        add(layouts.layout(of: fields), at: stamp, flags: fields.commonFlags, values: fields.values.span)
    }

    /// Says of the file what it is a part of.
    mutating func name(_ part: PartOfTrace, at stamp: EventStamp) {
        add(layouts[.cut], at: stamp, values: part.values.span)
    }

    /// Says that events which the whole has are left out.
    mutating func leaveOut(_ events: UInt64, from: UInt64, to: UInt64, at stamp: EventStamp) {
        add(layouts[.leftOut], at: stamp, values: [events, from, to].span)
    }

    // MARK: - The file

    /// The file's name, as messages have it.
    public var name: String { file.name }

    /// Bytes that it takes, but for what comes at its end.
    public var size: UInt64 { store.end }

    /// Writes all that came so far.
    /// - Parameter hits: as for ``finish(_:hits:)``, up to now.
    public mutating func save(hits: [String: UInt64]? = nil) {
        note(hits)
        writeWaiting(at: last)
        for cpu in pages.indices { store(cpu, isFull: false) }
        if described == 0 { describeIfNews() }
    }

    /// Completes the file, as far as it could be written.
    /// - Parameters:
    ///   - totals: the source's; what it lost beyond the gaps that were reported is noted as lost too.
    ///   - hits: by tracepoint, counted in the kernel before filters and drops; nil where records are all there were.
    public mutating func finish(_ totals: TraceTotals, hits: [String: UInt64]? = nil) throws(TraceWriterError) {
        save(hits: hits)
        let missing = failure == nil ? 0 : max(1, unwritten)
        if described > 0 {
            do throws(TraceWriterError) {
                file.cut(at: store.end)
                try store.sort(in: file)
                try describe(overrun: missing == 0 ? totals.overrun : (totals.overrun ?? 0).addingClamped(missing))
                try file.deliver(upTo: file.size)
            } catch {
                failure = failure ?? error
            }
        }
        if failure == nil, !file.isLinked {
            failure = TraceWriterError(file: file.name, what: "is gone", reason: "removed while it was written")
        }
        if let failure { throw failure }
    }

    /// Flushes what was written to the disk itself, on a thread of its own.
    public func sync() -> DiskSync { DiskSync(file.descriptor, name: file.name) }

    private mutating func note(_ hits: [String: UInt64]?) {
        guard let hits else { return }
        for kind in EventKind.allCases {
            let reported = kind.tracepoints.lazy.compactMap { hits[$0] }.first
            guard let count = reported ?? (info.recordedKinds.contains(kind) ? 0 : nil), noted[kind] != count else {
                continue
            }
            noted[kind] = count
            waiting.append((.counts, nil, layouts.name(of: kind).words(OwnEvent.longestTracepoint) + [count]))
        }
    }

    private mutating func describeIfNews() {
        guard failure == nil, described != layouts.formats.count else { return }
        do throws(TraceWriterError) {
            if described == 0 { try begin() } else { try describe() }
            described = layouts.formats.count
        } catch {
            failure = error
        }
    }

    // MARK: - Parts

    /// Nothing comes to this part any more: another one may take it.
    public mutating func end() {
        writeWaiting(at: last)
        for cpu in pages.indices { store(cpu, isFull: true) }
    }

    /// Takes the pages of a part in memory that has ended, all of which were before what is in here. Parts are taken in the order in
    /// which they came.
    /// - Parameter count: of pages at most.
    /// - Returns: whether that was the last one, or there is nothing to write to any more.
    public mutating func take(_ count: Int, from part: inout TraceWriter) -> Bool {
        guard failure == nil else { return true }
        if part.layouts.formats.count > layouts.formats.count { layouts = part.layouts }
        commands.merge(part.commands) { $1 }
        describeIfNews()
        guard failure == nil else { return true }
        do throws(TraceWriterError) {
            guard try store.take(count, from: &part.store, in: part.file, to: file) else { return false }
        } catch {
            failure = error
        }
        for cpu in part.lost.indices where prepare(Int32(cpu)) { lost[cpu] = lost[cpu].addingClamped(part.lost[cpu]) }
        last = part.last
        return true
    }

    // MARK: - Pages

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
        guard prepare(stamp.cpu) else {
            unwritten += 1
            return
        }
        let cpu = Int(stamp.cpu)
        last = stamp
        if pages[cpu]?.append(layout, at: stamp, flags: flags, values: values) == true { return }
        store(cpu, isFull: true)
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

    private mutating func store(_ cpu: Int, isFull: Bool) {
        guard pages[cpu].map({ !$0.isEmpty && (isFull || $0.isDirty) }) ?? false else { return }
        describeIfNews()
        guard failure == nil else { return }
        do throws(TraceWriterError) {
            let isDirty = pages[cpu]?.isDirty ?? false
            let page = isDirty ? pages[cpu]?.finished(store.label(of: cpu)) : nil
            try store.store(page, of: cpu, isFull: isFull, in: file)
            pages[cpu]?.isDirty = false
        } catch {
            failure = error
        }
    }
}
