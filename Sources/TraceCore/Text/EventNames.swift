// SPDX-License-Identifier: Apache-2.0

/// The events' names of a text as they are printed, as many as a kernel may have, with how often each was met.
struct EventNames {
    private struct Name {
        /// Where it begins, behind its system's.
        var start: Int
        var kind: EventKind?
        var lines: UInt64 = 0
    }

    private var table = WordTable(capacity: mostNames)
    private var names: [Name] = []
    /// Lines whose name came when there were too many.
    private var further: UInt64 = 0

    /// A kernel has some 2500 events; prose, read as lines of a trace, has no end of names.
    private static let mostNames = 8192
    /// With the machine's own: whatever else fills the table, their lines are events.
    static let machines = EventNames()

    private init() {
        for kind in EventKind.allCases {
            for name in kind.tracepoints {
                let bytes = Array(name.utf8)
                _ = insert(bytes.span, 0..<bytes.count, from: 0)
            }
        }
    }

    /// The place of a name that was met before, or is the machine's own.
    @inline(__always)
    func place(_ line: Span<UInt8>, _ token: Range<Int>) -> Int? { table.index(line, token) }

    /// Where a name begins in what is printed of it.
    @inline(__always)
    func start(_ place: Int) -> Int { names[place].start }

    /// Counts a line of a name that was met before.
    /// - Returns: whether it is the first, and the kind that has the name.
    @inline(__always)
    mutating func count(_ place: Int) -> (isFirst: Bool, kind: EventKind?) {
        let lines = names[place].lines &+ 1
        names[place].lines = lines
        return (lines == 1, names[place].kind)
    }

    /// The same of one that was not.
    mutating func count(_ line: Span<UInt8>, _ token: Range<Int>, from start: Int) -> (isFirst: Bool, kind: EventKind?)
    {
        if let place = insert(line, token, from: start) { return count(place) }
        if let place = table.index(line, token.lowerBound + start..<token.upperBound) { return count(place) }
        further += 1
        return (true, nil)
    }

    private mutating func insert(_ line: Span<UInt8>, _ token: Range<Int>, from start: Int) -> Int? {
        guard let place = table.insert(line, token) else { return nil }
        if place == names.count {
            let name = line.text(token.lowerBound + start..<token.upperBound)
            names.append(Name(start: start, kind: EventKind(tracepoint: name)))
        }
        return place
    }

    /// Lines by name, whatever system is in front of it.
    var byName: [String: UInt64] {
        var byName: [String: UInt64] = [:]
        for (place, name) in names.enumerated() where name.lines > 0 {
            byName[String(table.word(place).dropFirst(name.start)), default: 0] += name.lines
        }
        if further > 0 { byName["unknown", default: 0] += further }
        return byName
    }
}
