// SPDX-License-Identifier: Apache-2.0

/// What a line has in front of the time: who, and where.
///
/// Read from the time backwards, since a thread's name may hold anything. The tools differ in which columns there are, not in their
/// order: name, thread, process, CPU, flags.
struct LineColumns {
    var thread: Int32?
    var process: Int32?
    var cpu: Int32?
    var inHardIRQ = false
    /// A file's or an instance's name in front of it, as trace-cmd report sets it there where there are several.
    private(set) var prefix: WordKey?
    /// Of the thread's name, from the line's first byte that is no quote mark.
    private(set) var command = 0..<0
    private var nameEnd: Int?

    /// - Parameters:
    ///   - head: of the line, up to the time, or to the event's name where there is none.
    ///   - isVerbose: tracefs' options latency-format and verbose are both on.
    init(_ line: Span<UInt8>, _ head: Range<Int>, isVerbose: Bool) {
        if isVerbose { readVerbose(line, head) } else { read(line, head) }
        command = command.lowerBound - head.lowerBound..<command.upperBound - head.lowerBound
    }

    init(cpu: Int32? = nil) {
        self.cpu = cpu
    }

    private mutating func read(_ line: Span<UInt8>, _ head: Range<Int>) {
        var end = line.trimmedEnd(head.upperBound, from: head.lowerBound)
        while end > head.lowerBound {
            let start = line.tokenStart(before: end, from: head.lowerBound)
            guard readColumn(line, start..<end) else { break }
            end = line.trimmedEnd(start, from: head.lowerBound)
        }
        readCommand(line, head.lowerBound..<max(nameEnd ?? end, head.lowerBound))
    }

    /// `lab-vmm     248   0 1 00000001 00000000 [0213f047]`: thread, CPU, three counts and a time (trace_print_lat_context()).
    private mutating func readVerbose(_ line: Span<UInt8>, _ head: Range<Int>) {
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
            if line[end - 1] == UInt8(ascii: ":"), prefix == nil {
                prefix = WordKey(line, start..<end)
            } else if !line[start].isDigit || !Self.isDate(line, start..<end) {
                break
            }
            start = next
        }
        command = start..<range.upperBound
    }

    /// Reads one column.
    /// - Returns: false where the thread's name has begun.
    private mutating func readColumn(_ line: Span<UInt8>, _ token: Range<Int>) -> Bool {
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
        guard token.upperBound - start >= 4 || cpu != nil && token.upperBound - start >= 1,
            token.upperBound - start <= 8
        else {
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
