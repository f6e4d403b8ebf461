// SPDX-License-Identifier: Apache-2.0

/// What stands around an event's text on its line: when, where and who, and the event's name.
///
/// Sources: lib/traceevent (tep_print_event), kernel/trace/trace_output.c (trace_print_context) and tools/perf/builtin-script.c
/// (perf_sample__fprintf_start), 4.x to 7.2.
struct LineFrame {
    private(set) var printedName = LineName()
    /// Where the event's text begins.
    private(set) var text = 0
    private(set) var time: LineTime?
    private var head = 0..<0
    private var isVerbose = false
    private var columns = LineColumns()
    /// Where the memory has these columns, if it gave them.
    private var slot = -1

    /// Of the event, without its system.
    var name: Range<Int> { printedName.range }

    var thread: Int32? { columns.thread }
    var process: Int32? { columns.process }
    var cpu: Int32? { columns.cpu }
    var inHardIRQ: Bool { columns.inHardIRQ }
    var prefix: WordKey? { columns.prefix }
    /// Of the thread's name.
    var command: Range<Int> {
        head.lowerBound + columns.command.lowerBound..<head.lowerBound + columns.command.upperBound
    }

    /// Of no line.
    init() {}

    /// Of lost events, which have no thread and no event's name.
    init(ofCPU cpu: Int32?) {
        columns = LineColumns(cpu: cpu)
    }

    /// Nil for a line that holds no event.
    init?(_ line: Span<UInt8>, in range: Range<Int>) {
        var memory = LineMemory()
        guard find(line, range, &memory) else { return nil }
    }

    /// Whether the line holds an event.
    static func isIn(_ line: Span<UInt8>, _ range: Range<Int>, _ memory: inout LineMemory) -> Bool {
        var frame = LineFrame()
        return frame.findPlaces(line, range, &memory)
    }

    /// - Returns: false for a line that holds no event.
    mutating func find(_ line: Span<UInt8>, _ range: Range<Int>, _ memory: inout LineMemory) -> Bool {
        if findBehindKnownHead(line, range, &memory) { return true }
        guard findPlaces(line, range, &memory) else { return false }
        (columns, slot) = (memory.columns(line, head, isVerbose: isVerbose), -1)
        return true
    }

    /// The same for a line that begins like one of those before it: what follows is a time, and an event's name.
    private mutating func findBehindKnownHead(
        _ line: Span<UInt8>, _ range: Range<Int>, _ memory: inout LineMemory
    ) -> Bool {
        let start = line.unquotedStart(range)
        guard let known = memory.recentHead(line, from: start, last: slot), known.end &+ 40 <= range.upperBound,
            let (time, timeEnd) = LineTime.inFront(line, known.end)
        else { return false }
        let place = line.firstIndex(otherThan: 0x20, from: timeEnd &+ 1, to: range.upperBound)
        guard place > timeEnd &+ 1,
            let nameEnd = line.firstIndex(of: UInt8(ascii: " "), from: place, to: range.upperBound).map({ $0 &- 1 }),
            nameEnd > place, line[nameEnd] == UInt8(ascii: ":"), let name = memory.name(line, place..<nameEnd)
        else { return false }
        (self.time, printedName, text) = (time, name, nameEnd &+ 1)
        (head, isVerbose) = (start..<known.end, false)
        if slot != known.slot { (columns, slot) = (memory.columns(of: known.slot), known.slot) }
        return true
    }

    private mutating func findPlaces(_ line: Span<UInt8>, _ range: Range<Int>, _ memory: inout LineMemory) -> Bool {
        (time, isVerbose) = (nil, false)
        let start = line.unquotedStart(range)
        var search = start
        var (headEnd, timeEnd): (Int?, Int?)
        var later: (time: LineTime, place: Int, end: Int)?
        while let colon = line.firstIndex(of: UInt8(ascii: ":"), from: search, to: range.upperBound) {
            search = colon + 1
            guard search == range.upperBound || line[search].isSpace else { continue }
            // tracefs puts a blank where other lines have a mark of how long the next event took to come: `229400us :`.
            let end = line.trimmedEnd(colon, from: start)
            let token = line.tokenStart(before: end, from: start)
            guard token < end else { continue }
            if let found = LineTime.find(line, token..<end, from: start) {
                guard headEnd == nil else {
                    later = (found.time, found.place, search)
                    continue
                }
                (time, headEnd, timeEnd) = (found.time, found.place, search)
                isVerbose = line[token] == UInt8(ascii: "(")
                continue
            }
            guard end == colon, let name = memory.name(line, token..<colon) else { continue }
            if let timeEnd {
                // Between the two are a period or a difference at most: what comes later is some text's, but where a thread's name
                // has what looks like a time.
                if !Self.isAside(line, timeEnd..<token) {
                    guard let later, Self.isAside(line, later.end..<token), Self.isOfKVM(line, name.range),
                        LineColumns(line, start..<later.place, isVerbose: false).thread != nil
                    else { break }
                    (time, headEnd, isVerbose) = (later.time, later.place, false)
                }
            } else if !Self.isOfKVM(line, name.range) {
                // What has no time in front is an event only by its name.
                continue
            }
            (printedName, text) = (name, search)
            head = start..<(headEnd ?? token)
            return true
        }
        guard let timeEnd, let headEnd, let name = Self.perfLoss(line, timeEnd..<range.upperBound) else { return false }
        (printedName, text) = (LineName(printed: name, start: name.lowerBound), name.upperBound)
        head = start..<headEnd
        return true
    }

    /// Numbers alone: `10101010`, `(+36454)`. A line that was broken there may have marks of who quotes whom.
    private static func isAside(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            let byte = line[index]
            guard
                byte.isQuoteMark || byte.isDigit || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
                    || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            else { return false }
        }
        return true
    }

    /// `PERF_RECORD_LOST lost 42`, which has no colon.
    private static func perfLoss(_ line: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var start = range.lowerBound
        while start < range.upperBound, line[start].isSpace { start += 1 }
        guard line.hasPrefix("PERF_RECORD_LOST", at: start) else { return nil }
        var end = start
        while end < range.upperBound, !line[end].isSpace { end += 1 }
        return start..<end
    }

    /// A tracepoint's name as printed, perhaps behind its system.
    static func name(_ line: Span<UInt8>, _ token: Range<Int>) -> Range<Int>? {
        guard line[token.lowerBound].isLetter || line[token.lowerBound] == UInt8(ascii: "_"), token.count <= 96 else {
            return nil
        }
        var start = token.lowerBound
        for index in token {
            let byte = line[index]
            if byte == UInt8(ascii: ":") { start = index + 1 }
            guard byte.isOfName else { return nil }
        }
        return start < token.upperBound ? start..<token.upperBound : nil
    }

    /// A name of KVM's: those of kvmmmu don't all begin with `kvm`.
    static func isOfKVM(_ line: Span<UInt8>, _ name: Range<Int>) -> Bool {
        line.hasPrefix("kvm_", at: name.lowerBound) || line.hasPrefix("mark_mmio_spte", at: name.lowerBound)
            || line.hasPrefix("handle_mmio_page_fault", at: name.lowerBound)
            || line.hasPrefix("fast_page_fault", at: name.lowerBound)
    }
}

extension UInt8 {
    /// Letters, digits and `_-./:`.
    @inline(__always)
    fileprivate var isOfName: Bool { isAmong(0x07ff_e000_0000_0000, 0x07ff_fffe_87ff_fffe) }
}
