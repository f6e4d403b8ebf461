// SPDX-License-Identifier: Apache-2.0

/// The columns of heads that were met lately: most lines have one that is byte for byte that of another, and to read it anew
/// takes three times as long as to compare it.
struct ColumnCache {
    private struct Entry {
        var length = -1
        var words = InlineArray<8, UInt64>(repeating: 0)
        var columns = LineColumns()
    }

    private var entries = [Entry](repeating: Entry(), count: 64)

    @inline(__always)
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
        if entries[slot].length == length, isSame(line, head, slot) { return entries[slot].columns }
        return replace(slot, line, head)
    }

    @inline(__always)
    private func isSame(_ line: Span<UInt8>, _ head: Range<Int>, _ slot: Int) -> Bool {
        var (place, index) = (head.lowerBound, 0)
        var different: UInt64 = 0
        while place &+ 8 <= head.upperBound {
            different |= entries[slot].words[index] ^ line.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
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
