// SPDX-License-Identifier: Apache-2.0

/// One pass over a text: events, gaps, and which process a thread belongs to.
struct TextReading: ~Copyable {
    private var scanner: TextScanner
    private let survey: TextSurvey
    private let progress: ReadProgress?
    /// Bytes that the progress was told of.
    private var shown: UInt64 = 0

    /// Of the event before.
    private var time: UInt64 = 0
    private var hasBegun = false
    private var processes: [Int32: Int32] = [:]
    /// The latest of them.
    private var told: (thread: Int32, process: Int32) = (0, 0)
    /// The vCPU that runs, where no line names a thread.
    private var assumed: Int32 = 0
    private var assumesThread = false
    /// Something was left out since the event before: as much as is known of it.
    private var omitted: (from: UInt64?, cpu: Int32, events: UInt64?)?
    /// Files or instances whose names are in front of their lines, with the time of each one's last event, and by kind which one it
    /// is taken from.
    private var sources: [(prefix: WordKey, last: UInt64)] = []
    private var chosen = [Int?](repeating: nil, count: EventKind.allCases.count)
    /// The event before, of a line with a file's name in front: files of one name have the same in front.
    private var previous: (event: KVMEvent, stamp: EventStamp)?

    private var gaps = TraceTotals()
    private var overrun: UInt64 = 0
    private var first: UInt64?
    private var illegible: TraceTotals.Illegible?
    private var repeated = 0
    private var withoutVCPU: UInt64 = 0
    /// Lines of prose, or of another tool's.
    private var passedOver: UInt64 = 0
    private var cut: TraceCut?

    /// Threads beyond it are told of once more.
    private static let mostThreads = 1 << 16
    /// Lines of one CPU may be out of order by as long as an interrupt takes, which came in between.
    private static let longestInterrupt: UInt64 = 1_000_000
    /// Files and instances that are told apart.
    private static let mostSources = 64
    /// One that has been silent for so long has ended.
    private static let longestSilence: UInt64 = 1_000_000_000

    init(_ file: InputFile, _ survey: TextSurvey, progress: ReadProgress?) {
        scanner = TextScanner(file)
        self.survey = survey
        self.progress = progress
    }

    var offset: UInt64 { scanner.lines.offset }

    mutating func run<S: EventSink & ~Copyable>(into sink: inout S) {
        while let line = scanner.next() {
            if scanner.lines.read - shown >= 1 << 20 { advance() }
            switch line {
            case .event: if !takeEvent(&sink) { return }
            case .lost(let events): lost(events, cpu: scanner.frame.cpu, at: scanner.frame.time)
            case .omission: lost(nil)
            case .header: noteHeader()
            case .other: if scanner.isRemark { passedOver += 1 }
            }
        }
        advance()
        tellOmission(to: nil, &sink)
    }

    private mutating func advance() {
        progress?.advance(by: Int(scanner.lines.read - shown))
        shown = scanner.lines.read
    }

    // MARK: - Events

    /// - Returns: false where the text is another one from here on.
    private mutating func takeEvent<S: EventSink & ~Copyable>(_ sink: inout S) -> Bool {
        guard advanceTime(scanner.frame.time, isUsed: scanner.kind != nil) else { return false }
        guard scanner.kind != nil else {
            if S.takesOthers, let name = scanner.nameOfOther { tellOther(name, &sink) }
            return true
        }
        guard let event = scanner.event else {
            noteIllegible()
            return true
        }
        if let prefix = scanner.frame.prefix, isRepeated(event) || !isChosen(prefix, event.kind) { return true }
        guard let thread = scanner.frame.thread ?? threadOfVCPU(event) else { return true }
        tellOmission(to: time, &sink)
        let stamp = EventStamp(time: time, cpu: scanner.frame.cpu ?? -1, tid: thread)
        if let process = scanner.frame.process, (thread, process) != told {
            tellProcess(process, of: thread, at: stamp, &sink)
        }
        switch event {
        case .entry(let entry): sink.entry(entry, at: stamp)
        case .exit(let exit): sink.exit(exit, at: stamp)
        case .nestedVMExit(let exit): sink.nestedVMExit(exit, at: stamp)
        default: sink.event(event, at: stamp)
        }
        return true
    }

    @inline(never)
    private mutating func tellProcess<S: EventSink & ~Copyable>(
        _ process: Int32, of thread: Int32, at stamp: EventStamp, _ sink: inout S
    ) {
        told = (thread, process)
        guard process > 0, thread > 0, processes[thread] != process else { return }
        if processes.count >= Self.mostThreads { processes = [:] }
        processes[thread] = process
        sink.take(.fact(.process(process)), at: stamp)
    }

    /// KVM's events that the machine has no use for are listed as they are printed.
    private mutating func tellOther<S: EventSink & ~Copyable>(_ name: String, _ sink: inout S) {
        let thread = scanner.frame.thread ?? assumedThread
        tellOmission(to: time, &sink)
        sink.other(
            named: name, text: scanner.text, at: EventStamp(time: time, cpu: scanner.frame.cpu ?? -1, tid: thread))
    }

    /// The time of an event; of one without that of the one before, and where none has one, its number.
    /// - Returns: false where time goes back: the same text once more, quoted in an answer, or another recording.
    private mutating func advanceTime(_ line: LineTime?, isUsed: Bool) -> Bool {
        guard let line else {
            if survey.unit == nil { time &+= 1 }
            hasBegun = true
            first = first ?? time
            return true
        }
        let now = survey.tellsDifferences ? time.addingClamped(line.value) : line.value
        guard hasBegun, now < time else {
            time = now
            hasBegun = true
            first = first ?? now
            return true
        }
        guard isUsed else { return true }
        guard survey.unit == .nanoseconds, time - now <= Self.longestInterrupt else {
            cut = TraceCut(
                offset: scanner.lines.offset,
                expected: "a line that is no earlier than the one before it (line \(scanner.lines.number))")
            return false
        }
        return true
    }

    /// For the host thread, where lines name none: one vCPU is assumed, or as many as are named.
    /// - Returns: nil for an event that may be any vCPU's.
    private mutating func threadOfVCPU(_ event: KVMEvent) -> Int32? {
        if let vcpu = event.vcpu {
            assumed = vcpu
        } else if survey.vcpusWithoutThread.count > 1 {
            withoutVCPU += 1
            return nil
        }
        assumesThread = true
        return assumedThread
    }

    /// Of the vCPU that runs, below 0: no thread of the host's has such an id.
    private var assumedThread: Int32 { -2 - max(0, min(assumed, 1 << 20)) }

    private mutating func isRepeated(_ event: KVMEvent) -> Bool {
        let stamp = EventStamp(time: time, cpu: scanner.frame.cpu ?? -1, tid: scanner.frame.thread ?? -1)
        defer { previous = (event, stamp) }
        guard let previous, previous == (event, stamp) else { return false }
        repeated += 1
        return true
    }

    /// Of several instances or files, which may hold the same events, each kind is taken from the one that had it first, as long as
    /// that goes on.
    private mutating func isChosen(_ prefix: WordKey, _ kind: EventKind) -> Bool {
        let source = sources.firstIndex { $0.prefix == prefix } ?? sources.count
        if source == sources.count {
            guard source < Self.mostSources else { return true }
            sources.append((prefix, time))
        }
        sources[source].last = time
        guard let chosen = chosen[Int(kind.rawValue)], chosen != source else {
            chosen[Int(kind.rawValue)] = source
            return true
        }
        guard time.elapsed(since: sources[chosen].last) > Self.longestSilence else {
            repeated += 1
            return false
        }
        // What was left out meanwhile may have been of this one alone.
        lost(nil)
        self.chosen[Int(kind.rawValue)] = source
        return true
    }

    private mutating func noteIllegible() {
        // Who was stopped by a signal or an error tells another number in place of the reason.
        guard scanner.kind != .userspaceExit else { return }
        illegible =
            illegible.map { TraceTotals.Illegible(lines: $0.lines + 1, first: $0.first, name: $0.name) }
            ?? TraceTotals.Illegible(
                lines: 1, first: scanner.lines.number, name: scanner.kind?.tracepoint.names.first ?? "")
    }

    // MARK: - What is missing

    private mutating func lost(_ events: UInt64?, cpu: Int32? = nil, at time: LineTime? = nil) {
        if let line = time, survey.unit == .nanoseconds, !survey.tellsDifferences, hasBegun, line.value >= self.time {
            self.time = line.value
        }
        let cpu = cpu ?? -1
        guard let before = omitted else {
            omitted = (hasBegun ? self.time : nil, cpu, events)
            return
        }
        let sum = before.events.flatMap { sum in events.map(sum.addingClamped) }
        omitted = (before.from, before.cpu == cpu ? cpu : -1, sum)
    }

    private mutating func tellOmission<S: EventSink & ~Copyable>(to: UInt64?, _ sink: inout S) {
        guard let gap = omitted else { return }
        omitted = nil
        // Whatever is left out before the first event or behind the last one is no gap of the trace's, but where it was counted.
        guard gap.from != nil && to != nil || gap.events != nil || gap.cpu >= 0 else { return }
        let told = EventGap(instance: 0, cpu: gap.cpu, from: gap.from, to: to, events: gap.events)
        gaps.add(told)
        sink.take(.lost(told), at: told.stamp)
    }

    /// `# entries-in-buffer/entries-written: 613/712   #P:2`: what was overwritten before it was read.
    private mutating func noteHeader() {
        guard let value = scanner.header("entries-in-buffer/entries-written") else { return }
        let numbers = value.prefix { $0 != " " }.split(separator: "/").compactMap { UInt64($0) }
        guard numbers.count == 2, numbers[1] > numbers[0] else { return }
        overrun = overrun.addingClamped(numbers[1] - numbers[0])
    }

    // MARK: - Totals

    var totals: TraceTotals {
        var totals = gaps
        totals.byName = scanner.names
        // What trace-cmd prints of a part is one, too.
        if OwnEvent.ofParts.contains(where: { scanner.names[$0] != nil }) { totals.part = PartOfTrace() }
        if let first { (totals.first, totals.last) = (first, time) }
        if overrun > 0 { totals.overrun = overrun }
        totals.illegible = illegible
        totals.unplaced = withoutVCPU
        totals.cut = cut
        totals.notes = notes
        return totals
    }

    private var notes: [String] {
        var notes: [String] = []
        if hasBegun, survey.unit == nil {
            notes.append("the lines have no times: how long anything took can't be told")
        }
        if survey.unit == .bare {
            notes.append(
                "the times are bare numbers of a clock that the text doesn't name: how long anything took can't be told"
            )
        }
        if survey.tellsDifferences { notes.append("each time is taken for what passed since the line before") }
        if assumesThread, withoutVCPU == 0 {
            notes.append("the lines name no thread: their events are taken for those of one vCPU of one VM")
        }
        if survey.selection != nil {
            notes.append(
                "a text doesn't say which events were on: all of KVM's are assumed, since some are here that nobody selects one by one"
            )
        }
        if passedOver > 0 {
            notes.append("\(passedOver) line\(passedOver == 1 ? " is" : "s are") of no event and passed over")
        }
        if repeated > 0 {
            notes.append(
                "\(repeated) lines are of files or instances whose events another one has as well: each event is read once"
            )
        }
        return notes
    }
}
