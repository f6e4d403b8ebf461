// SPDX-License-Identifier: Apache-2.0

/// What lines that were met lately had in them: most have columns and an event's name that are byte for byte another's, and to read
/// those anew takes three times as long as to compare them.
struct LineMemory {
    private(set) var names = EventNames.machines

    private struct Entry {
        var length = -1
        /// The head, and behind it zeros; and which of its bytes are the head's.
        var head = SIMD8<UInt64>.zero
        var mask = SIMD8<UInt64>.zero
        var columns = LineColumns()
    }

    /// The slots of the latest four, and which of them is the last.
    private var recent: InlineArray<4, Int> = [0, 0, 0, 0]
    private var latest = 0
    private var entries = [Entry](repeating: Entry(), count: 64)

    /// The name of an event in a word; nil where it is none.
    @inline(__always)
    func name(_ line: Span<UInt8>, _ token: Range<Int>) -> LineName? {
        if let place = names.place(line, token) {
            return LineName(printed: token, start: token.lowerBound &+ names.start(place), place: place)
        }
        return LineFrame.name(line, token).map { LineName(printed: token, start: $0.lowerBound, place: nil) }
    }

    /// Counts a line of an event.
    /// - Returns: whether it is the first of its name, and the kind.
    @inline(__always)
    mutating func countName(_ line: Span<UInt8>, _ name: LineName) -> (isFirst: Bool, kind: EventKind?) {
        guard let place = name.place else {
            return names.count(line, name.printed, from: name.start - name.printed.lowerBound)
        }
        return names.count(place)
    }

    /// The head that a line begins with, where it is one of the latest: where it ends, and whose columns it has.
    /// - Parameter last: where the line before had its own.
    @inline(__always)
    func recentHead(_ line: Span<UInt8>, from start: Int, last: Int) -> (end: Int, slot: Int)? {
        guard start &+ 64 <= line.count else { return nil }
        let head = line.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: SIMD8<UInt64>.self)
        if last >= 0, isSame(head, last) { return (start &+ entries[last].length, last) }
        for place in recent.indices {
            let slot = recent[place]
            if entries[slot].length > 0, isSame(head, slot) { return (start &+ entries[slot].length, slot) }
        }
        return nil
    }

    func columns(of slot: Int) -> LineColumns { entries[slot].columns }

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
        let bytes = line.bytes.unsafeLoadUnaligned(fromByteOffset: head.lowerBound, as: SIMD8<UInt64>.self)
        if entries[slot].length == length, isSame(bytes, slot) { return entries[slot].columns }
        var mask = SIMD8<UInt64>.zero
        for index in 0..<length { mask[index / 8] |= 0xff << UInt64(index % 8 * 8) }
        let columns = LineColumns(line, head, isVerbose: false)
        entries[slot] = Entry(length: length, head: bytes & mask, mask: mask, columns: columns)
        return columns
    }

    @inline(__always)
    private func isSame(_ head: SIMD8<UInt64>, _ slot: Int) -> Bool {
        let different = (head & entries[slot].mask) ^ entries[slot].head
        let halves = different.lowHalf | different.highHalf
        let quarters = halves.lowHalf | halves.highHalf
        return quarters.x | quarters.y == 0
    }
}

/// An event's name on a line.
struct LineName {
    /// With its system.
    var printed = 0..<0
    var start = 0
    /// Among those that were met before.
    var place: Int?

    var range: Range<Int> { start..<printed.upperBound }
}
