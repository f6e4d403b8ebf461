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
        for index in counts.indices { byName[table.word(index)] = counts[index] }
        if further > 0 { byName["unknown"] = further }
        return byName
    }
}
