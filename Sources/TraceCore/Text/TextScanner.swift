// SPDX-License-Identifier: Apache-2.0

/// Goes through a text line by line and tells what each line is. What a mailer broke is put together again.
struct TextScanner: ~Copyable {
    private(set) var lines: TextLines
    private var reader = EventTextReader()
    /// Every event's name that was met, and how many lines have it.
    private(set) var names = EventNameCounts()

    enum Line {
        case event(EventLine)
        /// So many events were lost here; nil where the recorder had no room for the number.
        case lost(UInt64?, LineFrame?)
        /// Whoever sent the text left something out here.
        case omission
        /// A header's line: of tracefs' or perf's.
        case header
        case other
    }

    struct EventLine {
        let frame: LineFrame
        let kind: EventKind?
        /// Nil where the machine has no use for it, or its text can't be read.
        var event: KVMEvent?
    }

    /// Of the isa that exits' names told.
    var isa: ISA { reader.isa }

    init(_ file: InputFile) {
        lines = TextLines(file)
    }

    /// The next line; nil at the end.
    mutating func next() -> Line? {
        guard lines.advance() else { return nil }
        // A handle of its own, so that what is looked at doesn't keep the scanner from changing.
        let buffer = lines.buffer
        let text = buffer.span
        if let frame = LineFrame(text, in: lines.current) { return event(frame, text) }
        let remark = Self.remark(text, lines.current)
        guard case .other = remark, let frame = brokenFrame(text) else { return remark }
        return event(frame, text)
    }

    // MARK: - Events

    private mutating func event(_ frame: LineFrame, _ text: Span<UInt8>) -> Line {
        if let lost = Self.perfLoss(text, lines.current, frame) { return lost }
        guard Self.isEvent(text, frame) else { return .other }
        let kind = names.note(text, frame.name)
        var line = EventLine(frame: frame, kind: kind, event: nil)
        guard let kind else { return .event(line) }
        var reading = read(kind, frame, text, to: lines.current.upperBound)
        // A text is three lines of a mail at most, but authors set one field a line.
        for _ in 0..<8 {
            guard let next = lines.next, goesOn(next, kind, reading, text) else { break }
            let more = read(kind, frame, text, to: next.upperBound)
            guard more.fields > reading.fields, lines.join(next) else { break }
            reading = more
        }
        line.event = reading.event
        return .event(line)
    }

    /// Prose has colons too: an event that isn't KVM's has a thread or a CPU.
    private static func isEvent(_ line: Span<UInt8>, _ frame: LineFrame) -> Bool {
        if line.hasPrefix("PERF_RECORD_", at: frame.name.lowerBound) { return false }
        return frame.thread != nil || frame.cpu != nil || LineFrame.isOfKVM(line, frame.name)
    }

    private mutating func read(
        _ kind: EventKind, _ frame: LineFrame, _ text: Span<UInt8>, to end: Int
    ) -> EventTextReader.Reading {
        reader.read(kind, text, frame.text..<max(frame.text, end), inHardIRQ: frame.inHardIRQ)
    }

    /// The next line may be the rest of an event's text: it begins with one of its words, or something is missing and it is no event.
    private func goesOn(
        _ next: Range<Int>, _ kind: EventKind, _ reading: EventTextReader.Reading, _ line: Span<UInt8>
    ) -> Bool {
        let start = line.unquotedStart(next)
        guard start < next.upperBound, line[start] != UInt8(ascii: "#") else { return false }
        guard reading.isComplete else { return LineFrame(line, in: next) == nil }
        return reader.beginsWithWord(of: kind, line, start..<next.upperBound) && LineFrame(line, in: next) == nil
    }

    /// An event whose name, or time and name, a mailer put on the next line.
    private mutating func brokenFrame(_ line: Span<UInt8>) -> LineFrame? {
        guard lines.current.count < 160, let next = lines.next, next.count < 400 else { return nil }
        let end = line.trimmedEnd(lines.current.upperBound, from: lines.current.lowerBound)
        guard end > lines.current.lowerBound else { return nil }
        let last = line[end - 1]
        guard last == UInt8(ascii: ":") || last == UInt8(ascii: "]") || last == UInt8(ascii: ".") else { return nil }
        let both = lines.current.lowerBound..<next.upperBound
        guard let frame = LineFrame(line, in: both), frame.name.lowerBound >= next.lowerBound, frame.time != nil,
            frame.thread != nil || frame.cpu != nil
        else { return nil }
        // Alone the next line would be the whole of another event.
        if let alone = LineFrame(line, in: next), alone.thread != nil { return nil }
        return lines.join(next) ? frame : nil
    }

    // MARK: - What is no event

    private static func perfLoss(_ line: Span<UInt8>, _ range: Range<Int>, _ frame: LineFrame) -> Line? {
        guard line.hasPrefix("PERF_RECORD_LOST", at: frame.name.lowerBound) else { return nil }
        var words = TextWords(frame.text..<range.upperBound)
        while words.next(line) {
            if line.hasPrefix("lost", at: words.token.lowerBound) { return .lost(words.number(line, radix: 10), frame) }
        }
        return .lost(nil, frame)
    }

    private static func remark(_ line: Span<UInt8>, _ current: Range<Int>) -> Line {
        let start = line.unquotedStart(current)
        let range = start..<max(start, current.upperBound)
        guard !range.isEmpty else { return .other }
        if line[start] == UInt8(ascii: "#") { return .header }
        if let lost = droppedEvents(line, range) { return lost }
        return isOmission(line, range) ? .omission : .other
    }

    /// `CPU:1 [LOST 2057 EVENTS]` of trace_pipe, `CPU:7 [204600 EVENTS DROPPED]` of trace-cmd, perhaps behind a file's name.
    private static func droppedEvents(_ line: Span<UInt8>, _ range: Range<Int>) -> Line? {
        var words = TextWords(range)
        var (cpu, number): (UInt64?, UInt64?)
        var isLoss = false
        var hasEvents = false
        for _ in 0..<8 {
            guard words.next(line) else { break }
            if line.hasPrefix("CPU", at: words.token.lowerBound), words.token.count == 3, cpu == nil {
                cpu = words.number(line, radix: 10)
            } else if cpu != nil, let digits = line.decimal(words.token) {
                number = digits
            } else if line.hasPrefix("EVENTS", at: words.token.lowerBound) {
                hasEvents = true
            } else if line.hasPrefix("LOST", at: words.token.lowerBound)
                || line.hasPrefix("DROPPED", at: words.token.lowerBound)
            {
                isLoss = true
            }
        }
        guard let cpu, isLoss, hasEvents else { return nil }
        return .lost(number, LineFrame(ofCPU: Int32(exactly: cpu)))
    }

    /// `[...]`, `...` or `---truncated---`.
    private static func isOmission(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var dots = 0
        for index in range.prefix(40) {
            switch line[index] {
            case UInt8(ascii: "."): dots += 1
            // An ellipsis as one character.
            case 0xe2, 0x80: break
            case 0xa6: dots += 3
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"): break
            case let byte where byte.isQuoteMark: break
            default: return line.hasPrefix("---truncated---", at: range.lowerBound)
            }
        }
        return dots >= 3 && range.count <= 40
    }

    /// A header's line at hand: the name and the value, where it has both.
    func header(_ name: StaticString) -> String? {
        let line = lines.buffer.span
        var start = line.unquotedStart(lines.current)
        while start < lines.current.upperBound, line[start] == UInt8(ascii: "#") || line[start].isSpace { start += 1 }
        guard line.hasPrefix(name, at: start),
            let colon = line.firstIndex(of: UInt8(ascii: ":"), from: start, to: lines.current.upperBound),
            colon - start - name.utf8CodeUnitCount <= 4
        else { return nil }
        var from = colon + 1
        while from < lines.current.upperBound, line[from].isSpace { from += 1 }
        let end = line.trimmedEnd(lines.current.upperBound, from: from)
        return from < end && end - from <= 200 ? line.text(from..<end) : nil
    }
}
