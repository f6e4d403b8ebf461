// SPDX-License-Identifier: Apache-2.0

/// Goes through a text line by line and tells what each line is. What a mailer broke is put together again.
struct TextScanner: ~Copyable {
    private(set) var lines: TextLines
    private var reader = EventTextReader()
    /// Of the event at hand.
    private(set) var frame = LineFrame()
    private(set) var kind: EventKind?
    /// No line before had its name.
    private(set) var isFirstOfName = false
    /// Nil where the machine has no use for it, or its text can't be read.
    var event: KVMEvent? { kind == nil ? nil : reader.event }

    private var memory = LineMemory()

    enum Line {
        case event
        /// So many events were lost here, by ``frame``'s CPU and time; nil where the recorder had no room for the number.
        case lost(UInt64?)
        /// Whoever sent the text left something out here.
        case omission
        /// A header's line: of tracefs' or perf's.
        case header
        case other
    }

    /// Lines by their event's name.
    var names: [String: UInt64] { memory.names.byName }

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
        if frame.find(text, lines.current, &memory) { return readEvent(text) }
        let remark = self.remark(text, lines.current)
        guard case .other = remark, joinBrokenLine(text) else { return remark }
        return readEvent(text)
    }

    // MARK: - Events

    private mutating func readEvent(_ text: Span<UInt8>) -> Line {
        if text.hasPrefix("PERF_RECORD_", at: frame.name.lowerBound) {
            return Self.perfRecord(text, lines.current, frame)
        }
        // Prose has colons too: an event that isn't KVM's has a thread or a CPU.
        guard frame.thread != nil || frame.cpu != nil || LineFrame.isOfKVM(text, frame.name) else { return .other }
        (isFirstOfName, kind) = memory.countName(text, frame.printedName)
        guard let kind else { return .event }
        var reading = read(kind, text, to: lines.current.upperBound)
        // A text is three lines of a mail at most, but authors set one field a line.
        for _ in 0..<8 {
            guard let next = lines.next(), goesOn(next, kind, reading, text) else { break }
            let event = reader.event
            let more = read(kind, text, to: next.upperBound)
            guard more.fields > reading.fields, lines.join(next) else {
                reader.event = event
                break
            }
            reading = more
        }
        return .event
    }

    private mutating func read(_ kind: EventKind, _ text: Span<UInt8>, to end: Int) -> EventTextReader.Reading {
        reader.read(kind, text, frame.text..<max(frame.text, end), inHardIRQ: frame.inHardIRQ)
    }

    /// The next line may be the rest of an event's text: it begins with one of its words, or something is missing and it is no event.
    private mutating func goesOn(
        _ next: Range<Int>, _ kind: EventKind, _ reading: EventTextReader.Reading, _ line: Span<UInt8>
    ) -> Bool {
        if reading.isComplete, line.haveSameStart(lines.current, next) { return false }
        let start = line.unquotedStart(next)
        guard start < next.upperBound, line[start] != UInt8(ascii: "#") else { return false }
        if reading.isComplete, !reader.vocabulary.begins(line, start..<next.upperBound, with: kind) { return false }
        return !LineFrame.isIn(line, next, &memory)
    }

    /// An event whose name, or time and name, a mailer put on the next line.
    private mutating func joinBrokenLine(_ line: Span<UInt8>) -> Bool {
        guard lines.current.count < 160, let next = lines.next(), next.count < 400 else { return false }
        let end = line.trimmedEnd(lines.current.upperBound, from: lines.current.lowerBound)
        guard end > lines.current.lowerBound else { return false }
        let last = line[end - 1]
        guard last == UInt8(ascii: ":") || last == UInt8(ascii: "]") || last == UInt8(ascii: ".") else { return false }
        // Alone the next line would be the whole of another event.
        if frame.find(line, next, &memory), frame.thread != nil { return false }
        return frame.find(line, lines.current.lowerBound..<next.upperBound, &memory)
            && frame.name.lowerBound >= next.lowerBound && frame.time != nil
            && (frame.thread != nil || frame.cpu != nil)
            && lines.join(next)
    }

    // MARK: - What is no event

    /// `PERF_RECORD_LOST lost 42`.
    private static func perfRecord(_ line: Span<UInt8>, _ range: Range<Int>, _ frame: LineFrame) -> Line {
        guard line.hasPrefix("PERF_RECORD_LOST", at: frame.name.lowerBound) else { return .other }
        var words = TextWords(frame.text..<range.upperBound)
        while words.next(line) {
            if line.hasPrefix("lost", at: words.token.lowerBound) { return .lost(words.number(line, radix: 10)) }
        }
        return .lost(nil)
    }

    private mutating func remark(_ line: Span<UInt8>, _ current: Range<Int>) -> Line {
        let start = line.unquotedStart(current)
        let range = start..<max(start, current.upperBound)
        guard !range.isEmpty else { return .other }
        if line[start] == UInt8(ascii: "#") { return .header }
        if let lost = droppedEvents(line, range) { return lost }
        return Self.isOmission(line, range) ? .omission : .other
    }

    /// `CPU:1 [LOST 2057 EVENTS]` of trace_pipe, `CPU:7 [204600 EVENTS DROPPED]` of trace-cmd, perhaps behind a file's name.
    private mutating func droppedEvents(_ line: Span<UInt8>, _ range: Range<Int>) -> Line? {
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
        frame = LineFrame(ofCPU: Int32(exactly: cpu))
        return .lost(number)
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

    /// The line at hand, which is no event's, says something: it isn't empty, nor trace-cmd's first.
    var isRemark: Bool {
        let line = lines.buffer.span
        let start = line.unquotedStart(lines.current)
        return start < lines.current.upperBound && !line.hasPrefix("cpus=", at: start)
    }

    /// The name of the event at hand, where it is one of KVM's that the machine has no use for.
    var nameOfOther: String? {
        let line = lines.buffer.span
        guard kind == nil, LineFrame.isOfKVM(line, frame.name) else { return nil }
        return line.text(frame.name)
    }

    /// Of the event at hand.
    var text: String {
        let line = lines.buffer.span
        var start = frame.text
        while start < lines.current.upperBound, line[start].isSpace { start += 1 }
        return line.text(start..<max(start, line.trimmedEnd(lines.current.upperBound, from: start)))
    }

    /// The kernel's release, in the line that tracefs begins with where `latency-format` is on.
    var releaseOfLatencyTrace: String? {
        guard lines.current.count <= 200 else { return nil }
        let words = lines.buffer.span.text(lines.current).split(separator: " ")
        guard words.count >= 5, words.suffix(5).prefix(2) == ["latency", "trace"], words[words.count - 2] == "on" else {
            return nil
        }
        return words.last.map(String.init)
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
