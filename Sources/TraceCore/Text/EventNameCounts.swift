// SPDX-License-Identifier: Apache-2.0

/// The events' names of a text, as many as a kernel may have, with how often each was met.
struct EventNameCounts {
    private var table = WordTable(capacity: mostNames)
    private var kinds: [EventKind?] = []
    private var counts: [UInt64] = []
    /// Lines whose name came when there were too many.
    private(set) var further: UInt64 = 0

    /// A kernel has some 2500 events; prose, read as lines of a trace, has no end of names.
    private static let mostNames = 8192

    /// The machine's own come first: whatever else has filled the table, their lines are events.
    init() {
        for kind in EventKind.allCases {
            for name in kind.tracepoints {
                let bytes = Array(name.utf8)
                _ = note(bytes.span, 0..<bytes.count)
            }
        }
        for index in counts.indices { counts[index] = 0 }
    }

    /// Counts a line by its event's name.
    mutating func note(_ line: Span<UInt8>, _ name: Range<Int>) -> EventKind? {
        guard let index = table.insert(line, name) else {
            further += 1
            return nil
        }
        if index == counts.count {
            kinds.append(EventKind(tracepoint: table.word(index)))
            counts.append(0)
        }
        counts[index] += 1
        return kinds[index]
    }

    /// Lines by name.
    var byName: [String: UInt64] {
        var byName: [String: UInt64] = [:]
        for index in counts.indices where counts[index] > 0 { byName[table.word(index)] = counts[index] }
        if further > 0 { byName["unknown"] = further }
        return byName
    }
}
