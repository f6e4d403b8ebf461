// SPDX-License-Identifier: Apache-2.0

/// What stands around an event's text on its line: when, where and who, and the event's name.
///
/// Read from the time backwards, since a thread's name may hold anything. trace-cmd report, tracefs, perf script and perf-prof
/// differ in which columns there are, not in their order: name, thread, process, CPU, flags, time, event. Sources: lib/traceevent
/// (tep_print_event), kernel/trace/trace_output.c (trace_print_context) and tools/perf/builtin-script.c
/// (perf_sample__fprintf_start), 4.x to 7.2.
struct LineFrame {
    /// Of the event, without its system.
    var name = 0..<0
    /// Where the event's text begins.
    var text = 0
    var time: LineTime?
    var thread: Int32?
    var process: Int32?
    var cpu: Int32?
    var inHardIRQ = false
    /// Of the thread's name.
    var command = 0..<0
    /// A file's or an instance's name is in front of it, as trace-cmd report sets it there where there are several.
    var isPrefixed = false
    private var nameEnd: Int?

    /// Nil for a line that holds no event.
    init?(_ line: Span<UInt8>, in range: Range<Int>) {
        let start = line.unquotedStart(range)
        var search = start
        var (headEnd, timeEnd): (Int?, Int?)
        var isVerbose = false
        while let colon = line.firstIndex(of: UInt8(ascii: ":"), from: search, to: range.upperBound) {
            search = colon + 1
            guard search == range.upperBound || line[search].isSpace else { continue }
            // tracefs puts a blank where other lines have a mark of how long the next event took to come: `229400us :`.
            let end = line.trimmedEnd(colon, from: start)
            let token = line.tokenStart(before: end, from: start)
            guard token < end else { continue }
            if headEnd == nil, let found = LineTime.find(line, token..<end, from: start) {
                (time, headEnd, timeEnd) = (found.time, found.place, search)
                isVerbose = line[token] == UInt8(ascii: "(")
                continue
            }
            guard end == colon else { continue }
            guard let name = Self.name(line, token..<colon) else { continue }
            if let timeEnd {
                // Between the two are a period or a difference at most: what comes later is some text's.
                guard Self.isAside(line, timeEnd..<token) else { break }
            } else if !Self.isOfKVM(line, name) {
                // What has no time in front is an event only by its name.
                continue
            }
            (self.name, text) = (name, search)
            let head = start..<(headEnd ?? token)
            if isVerbose { readVerboseHead(line, head) } else { readHead(line, head) }
            return
        }
        guard let timeEnd, let headEnd, let name = Self.perfLoss(line, timeEnd..<range.upperBound) else { return nil }
        (self.name, text) = (name, name.upperBound)
        readHead(line, start..<headEnd)
    }

    /// Of lost events, which have no thread and no event's name.
    init(ofCPU cpu: Int32?) {
        self.cpu = cpu
    }

    /// Numbers alone: `10101010`, `(+36454)`. A line that was broken there may have marks of who quotes whom.
    private static func isAside(_ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            let byte = line[index]
            guard byte.isQuoteMark || byte.isDigit || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")")
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
    private static func name(_ line: Span<UInt8>, _ token: Range<Int>) -> Range<Int>? {
        guard line[token.lowerBound].isLetter || line[token.lowerBound] == UInt8(ascii: "_"), token.count <= 96 else {
            return nil
        }
        var start = token.lowerBound
        for index in token {
            let byte = line[index]
            if byte == UInt8(ascii: ":") {
                start = index + 1
            } else if !byte.isLetter, !byte.isDigit, byte != UInt8(ascii: "_"), byte != UInt8(ascii: "-"),
                byte != UInt8(ascii: "."), byte != UInt8(ascii: "/")
            {
                return nil
            }
        }
        return start < token.upperBound ? start..<token.upperBound : nil
    }

    /// A name of KVM's: those of kvmmmu don't all begin with `kvm`.
    static func isOfKVM(_ line: Span<UInt8>, _ name: Range<Int>) -> Bool {
        line.hasPrefix("kvm_", at: name.lowerBound) || line.hasPrefix("mark_mmio_spte", at: name.lowerBound)
            || line.hasPrefix("handle_mmio_page_fault", at: name.lowerBound)
            || line.hasPrefix("fast_page_fault", at: name.lowerBound)
    }

    // MARK: - What is before the time

    private mutating func readHead(_ line: Span<UInt8>, _ head: Range<Int>) {
        var end = line.trimmedEnd(head.upperBound, from: head.lowerBound)
        while end > head.lowerBound {
            let start = line.tokenStart(before: end, from: head.lowerBound)
            guard read(line, start..<end) else { break }
            end = line.trimmedEnd(start, from: head.lowerBound)
        }
        readCommand(line, head.lowerBound..<max(nameEnd ?? end, head.lowerBound))
    }

    /// `lab-vmm     248   0 1 00000001 00000000 [0213f047]`: thread, CPU, three counts and a time (trace_print_lat_context()).
    private mutating func readVerboseHead(_ line: Span<UInt8>, _ head: Range<Int>) {
        var end = line.trimmedEnd(head.upperBound, from: head.lowerBound)
        for column in 0..<6 {
            let start = line.tokenStart(before: end, from: head.lowerBound)
            if column >= 4 {
                guard let number = line.decimal(start..<end).flatMap({ Int32(exactly: $0) }) else { break }
                if column == 4 { cpu = number } else { thread = number }
            }
            end = line.trimmedEnd(start, from: head.lowerBound)
        }
        readCommand(line, head.lowerBound..<end)
    }

    /// The thread's name, behind what may be in front of it: `one:`, or the date and the time of day of perf-prof.
    private mutating func readCommand(_ line: Span<UInt8>, _ range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start
            while end < range.upperBound, !line[end].isSpace { end += 1 }
            var next = end
            while next < range.upperBound, line[next].isSpace { next += 1 }
            guard end > start, next > end, next < range.upperBound else { break }
            if line[end - 1] == UInt8(ascii: ":"), !isPrefixed {
                isPrefixed = true
            } else if !line[start].isDigit || !Self.isDate(line, start..<end) {
                break
            }
            start = next
        }
        command = start..<range.upperBound
    }

    /// Reads one column.
    /// - Returns: false where the thread's name has begun.
    private mutating func read(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
        let (first, last) = (line[token.lowerBound], line[token.upperBound - 1])
        if first == UInt8(ascii: "[") { return readBracket(line, token) }
        guard thread == nil else { return false }
        // What a mailer broke behind the marks of who quotes whom has them within.
        if token.allSatisfy({ line[$0].isQuoteMark }) { return true }
        if last == UInt8(ascii: ")") || first == UInt8(ascii: "(") { return readGroup(line, token) }
        if Self.isDate(line, token) || token.count == 1 && first &- UInt8(ascii: "A") < 26 { return true }
        if readFlags(line, token) { return true }
        if let number = line.decimal(token) {
            thread = Int32(exactly: number)
            return thread != nil
        }
        return readThread(line, token)
    }

    /// `[003]`, or `[000]-0x1` with raw flags behind.
    private mutating func readBracket(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
        guard let close = line.firstIndex(of: UInt8(ascii: "]"), from: token.lowerBound, to: token.upperBound) else {
            return false
        }
        if cpu == nil, close - token.lowerBound <= 6, let number = line.decimal(token.lowerBound + 1..<close) {
            cpu = Int32(exactly: number)
        }
        return true
    }

    /// `(  1234)`, the thread's process; `(-------)` where tracefs doesn't know it.
    private mutating func readGroup(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
        var digits = token
        if line[digits.lowerBound] == UInt8(ascii: "(") { digits = digits.lowerBound + 1..<digits.upperBound }
        if !digits.isEmpty, line[digits.upperBound - 1] == UInt8(ascii: ")") {
            digits = digits.lowerBound..<digits.upperBound - 1
        }
        if let number = line.decimal(digits) {
            process = Int32(exactly: number)
            return true
        }
        return digits.allSatisfy { line[$0] == UInt8(ascii: "-") }
    }

    /// `2026-11-26` or `02:49:39.569478`.
    private static func isDate(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
        guard token.count >= 8 else { return false }
        let separator = line[token.lowerBound + 2]
        if separator == UInt8(ascii: ":") { return line[token.lowerBound + 5] == separator }
        return token.count == 10 && line[token.lowerBound + 4] == UInt8(ascii: "-")
            && line[token.lowerBound + 7] == UInt8(ascii: "-")
    }

    /// `d..1.`, or `0d..1.` with the CPU in front: interrupts off, need-resched, in an interrupt, two depths (print_lat_fmt()).
    private mutating func readFlags(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
        var start = token.lowerBound
        while start < token.upperBound, line[start].isDigit { start += 1 }
        guard token.upperBound - start >= 4 || cpu != nil && token.upperBound - start >= 1, token.upperBound - start <= 8 else {
            return false
        }
        var isHard = false
        for index in start..<token.upperBound {
            switch line[index] {
            case UInt8(ascii: "."), UInt8(ascii: "d"), UInt8(ascii: "D"), UInt8(ascii: "b"), UInt8(ascii: "B"),
                UInt8(ascii: "X"), UInt8(ascii: "N"), UInt8(ascii: "n"), UInt8(ascii: "p"), UInt8(ascii: "L"),
                UInt8(ascii: "l"), UInt8(ascii: "s"), UInt8(ascii: "S"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "e"), UInt8(ascii: "f"), UInt8(ascii: "c"), UInt8(ascii: "a"):
                continue
            case UInt8(ascii: "h"), UInt8(ascii: "H"), UInt8(ascii: "z"), UInt8(ascii: "Z"): isHard = true
            default: return false
            }
        }
        if start > token.lowerBound {
            guard cpu == nil, let number = line.decimal(token.lowerBound..<start) else { return false }
            cpu = Int32(exactly: number)
        }
        inHardIRQ = isHard
        return true
    }

    /// `name-1234`, or `1234/1235` with the process in front.
    private mutating func readThread(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
        var place = token.upperBound
        while place > token.lowerBound, line[place - 1].isDigit { place -= 1 }
        guard place > token.lowerBound, let number = line.decimal(place..<token.upperBound) else { return false }
        switch line[place - 1] {
        case UInt8(ascii: "-"):
            thread = Int32(exactly: number)
            nameEnd = place - 1
            return false
        case UInt8(ascii: "/"):
            guard let owner = line.decimal(token.lowerBound..<place - 1) else { return false }
            process = Int32(exactly: owner)
            thread = Int32(exactly: number)
            return true
        default: return false
        }
    }
}
