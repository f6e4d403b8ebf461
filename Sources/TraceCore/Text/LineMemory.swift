// SPDX-License-Identifier: Apache-2.0

/// What lines that were met lately had in them: most have columns and an event's name that are byte for byte another's, and to read
/// those anew takes three times as long as to compare them.
struct LineMemory {
    /// Names of events as printed, with their system.
    private var names = WordTable(capacity: 1 << 12)

    private struct Entry {
        var length = -1
        var words = InlineArray<8, UInt64>(repeating: 0)
        var columns = LineColumns()
    }

    private var nameStarts: [Int] = []
    /// The slots of the latest four, and which of them is the last.
    private var recent: InlineArray<4, Int> = [0, 0, 0, 0]
    private var latest = 0
    private var entries = [Entry](repeating: Entry(), count: 64)

    /// Where the name of an event begins in a word; nil where it is none.
    @inline(__always)
    mutating func name(_ line: Span<UInt8>, _ token: Range<Int>) -> Range<Int>? {
        if let index = names.index(line, token) { return token.lowerBound &+ nameStarts[index]..<token.upperBound }
        guard let name = LineFrame.name(line, token) else { return nil }
        if names.insert(line, token) != nil { nameStarts.append(name.lowerBound - token.lowerBound) }
        return name
    }

    /// The head that a line begins with, where it is one of the latest.
    @inline(__always)
    func recentHead(_ line: Span<UInt8>, from start: Int) -> (end: Int, columns: LineColumns)? {
        guard start &+ 64 <= line.count else { return nil }
        for slot in recent.indices {
            let (slot, length) = (recent[slot], entries[recent[slot]].length)
            if length > 0, isSame(line, start..<start &+ length, slot) {
                return (start &+ length, entries[slot].columns)
            }
        }
        return nil
    }

    mutating func columns(_ line: Span<UInt8>, _ head: Range<Int>, isVerbose: Bool) -> LineColumns {
        let length = head.upperBound &- head.lowerBound
        // Longer heads, those at the end of what was read, and those of other columns are read each time.
        guard length >= 8, length <= 64, head.lowerBound &+ 64 <= line.count, !isVerbose else {
            return LineColumns(line, head, isVerbose: isVerbose)
        }
        // Thread, CPU and flags are at the end.
        let tail = line.bytes.unsafeLoadUnaligned(fromByteOffset: head.upperBound &- 8, as: UInt64.self)
        let before = line.bytes.unsafeLoadUnaligned(
            fromByteOffset: max(head.lowerBound, head.upperBound &- 24), as: UInt64.self)
        let slot = Int(truncatingIfNeeded: ((tail ^ before &* 31) &* 0x9e37_79b9_7f4a_7c15) &>> 58)
        latest = (latest &+ 1) & 3
        recent[latest] = slot
        if entries[slot].length == length, isSame(line, head, slot) { return entries[slot].columns }
        return replace(slot, line, head)
    }

    @inline(__always)
    private func isSame(_ line: Span<UInt8>, _ head: Range<Int>, _ slot: Int) -> Bool {
        var (place, index) = (head.lowerBound, 0)
        var different: UInt64 = 0
        while place &+ 8 <= head.upperBound {
            different |=
                entries[slot].words[index] ^ line.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            place &+= 8
            index &+= 1
        }
        // The last eight bytes hold what is left, and some once more.
        let last = line.bytes.unsafeLoadUnaligned(fromByteOffset: head.upperBound &- 8, as: UInt64.self)
        return different | (entries[slot].words[7] ^ last) == 0
    }

    @inline(never)
    private mutating func replace(_ slot: Int, _ line: Span<UInt8>, _ head: Range<Int>) -> LineColumns {
        var entry = Entry(length: head.count, columns: LineColumns(line, head, isVerbose: false))
        for index in 0..<(head.count / 8) {
            entry.words[index] = line.bytes.unsafeLoadUnaligned(
                fromByteOffset: head.lowerBound + index * 8, as: UInt64.self)
        }
        entry.words[7] = line.bytes.unsafeLoadUnaligned(fromByteOffset: head.upperBound - 8, as: UInt64.self)
        entries[slot] = entry
        return entry.columns
    }
}
