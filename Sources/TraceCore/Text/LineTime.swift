// SPDX-License-Identifier: Apache-2.0

/// A line's time as printed.
struct LineTime {
    enum Unit {
        /// Seconds with a fraction, or milliseconds or microseconds: held in nanoseconds.
        case nanoseconds
        /// A bare number of a clock that is none of those, or isn't printed as one.
        case bare
    }

    var value: UInt64
    var unit: Unit

    /// The time of a line, where a token that a colon follows is one.
    /// - Returns: with it where it begins: what is before that is the head.
    static func find(_ line: Span<UInt8>, _ token: Range<Int>, from start: Int) -> (time: LineTime, place: Int)? {
        let first = line[token.lowerBound]
        if first == UInt8(ascii: "(") { return findBefore(line, token.lowerBound, from: start) }
        var digits = token
        if first == UInt8(ascii: "["),
            let close = line.firstIndex(of: UInt8(ascii: "]"), from: digits.lowerBound, to: digits.upperBound)
        {
            // trace-cmd puts times of more than twelve digits right behind the CPU.
            digits = close + 1..<digits.upperBound
        }
        return LineTime(line, digits).map { ($0, digits.lowerBound) }
    }

    /// The time that begins at a place and that a colon ends: nearly all have six or nine digits behind the point.
    /// - Returns: with it where the colon is.
    @inline(__always)
    static func inFront(_ line: Span<UInt8>, _ place: Int) -> (time: LineTime, end: Int)? {
        if place &+ 32 <= line.count {
            var point = place
            var seconds: UInt64 = 0
            while point < place &+ 9, line[point].isDigit {
                seconds = seconds &* 10 &+ UInt64(line[point] &- 0x30)
                point &+= 1
            }
            if point > place, line[point] == UInt8(ascii: ".") {
                let digits = DecimalDigits(line, at: point &+ 1)
                if digits.count == 6, line[point &+ 7] == UInt8(ascii: ":") {
                    return (
                        LineTime(value: seconds &* 1_000_000_000 &+ digits.value &* 1000, unit: .nanoseconds),
                        point &+ 7
                    )
                }
                let last = line[point &+ 9]
                if digits.count == 8, last.isDigit, line[point &+ 10] == UInt8(ascii: ":") {
                    let fraction = digits.value &* 10 &+ UInt64(last &- 0x30)
                    return (LineTime(value: seconds &* 1_000_000_000 &+ fraction, unit: .nanoseconds), point &+ 10)
                }
            }
        }
        guard let end = line.firstIndex(of: UInt8(ascii: ":"), from: place, to: place &+ 24),
            let time = LineTime(line, place..<end)
        else { return nil }
        return (time, end)
    }

    /// `429.089ms (+47.307ms):`, as tracefs prints with latency-format and verbose.
    private static func findBefore(_ line: Span<UInt8>, _ place: Int, from start: Int) -> (time: LineTime, place: Int)?
    {
        let end = line.trimmedEnd(place, from: start)
        let token = line.tokenStart(before: end, from: start)
        guard token < end, let time = LineTime(line, token..<end) else { return nil }
        return (time, token)
    }

    /// `16.637742`, `70049107361`, `429.089ms`, `194408us+`.
    init?(_ line: Span<UInt8>, _ token: Range<Int>) {
        var index = token.lowerBound
        var whole: UInt64 = 0
        while index < token.upperBound, line[index].isDigit {
            guard whole < .max / 20 else { return nil }
            whole = whole &* 10 &+ UInt64(line[index] &- 0x30)
            index += 1
        }
        guard index > token.lowerBound else { return nil }
        guard index < token.upperBound else {
            self.init(value: whole, unit: .bare)
            return
        }
        var fraction: UInt64 = 0
        var digits = 0
        if line[index] == UInt8(ascii: ".") {
            index += 1
            while index < token.upperBound, line[index].isDigit, digits < 9 {
                fraction = fraction &* 10 &+ UInt64(line[index] &- 0x30)
                index += 1
                digits += 1
            }
            guard digits > 0 else { return nil }
        }
        guard let scale = Self.scale(line, index..<token.upperBound, hasFraction: digits > 0) else { return nil }
        while digits < 9 {
            fraction &*= 10
            digits += 1
        }
        let (nanoseconds, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        self.init(value: nanoseconds.addingClamped(fraction / (1_000_000_000 / scale)), unit: .nanoseconds)
    }

    private init(value: UInt64, unit: Unit) {
        self.value = value
        self.unit = unit
    }

    /// Nanoseconds that 1 stands for.
    private static func scale(_ line: Span<UInt8>, _ suffix: Range<Int>, hasFraction: Bool) -> UInt64? {
        if suffix.isEmpty { return hasFraction ? 1_000_000_000 : nil }
        guard suffix.count >= 2, line[suffix.lowerBound + 1] == UInt8(ascii: "s") else { return nil }
        switch line[suffix.lowerBound] {
        case UInt8(ascii: "m"): return 1_000_000
        case UInt8(ascii: "u"): return 1000
        default: return nil
        }
    }
}
