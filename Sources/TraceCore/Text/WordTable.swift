// SPDX-License-Identifier: Apache-2.0

/// Small numbers by word: event names, exit reasons. Looked up in a line's bytes, without a String.
struct WordTable {
    /// The beginning of each.
    private var keys: [WordKey] = []
    /// All words, one after the other.
    private var pool: [UInt8] = []
    /// Where each begins; one more at the end.
    private var starts = [0]
    /// A word's number plus one by its hash; 0 for none.
    private var slots: [UInt16]
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [UInt16](repeating: 0, count: size)
    }

    init(_ words: [String]) {
        self.init(capacity: words.count)
        for word in words {
            let bytes = Array(word.utf8)
            _ = insert(bytes.span, 0..<bytes.count)
        }
    }

    var count: Int { starts.count - 1 }

    func word(_ index: Int) -> String {
        String(decoding: pool[starts[index]..<starts[index + 1]], as: UTF8.self)
    }

    /// The number of a word of a line; nil where there is none.
    func index(_ line: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let slot = self.slot(line, range, WordKey(line, range))
        return slots[slot] == 0 ? nil : Int(slots[slot]) - 1
    }

    /// The same, as a new number where there was none; nil where the table is full.
    mutating func insert(_ line: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let key = WordKey(line, range)
        let slot = self.slot(line, range, key)
        if slots[slot] != 0 { return Int(slots[slot]) - 1 }
        guard count < capacity else { return nil }
        keys.append(key)
        for index in range { pool.append(line[index]) }
        starts.append(pool.count)
        slots[slot] = UInt16(count)
        return count - 1
    }

    /// The slot where the word is, or would be.
    private func slot(_ line: Span<UInt8>, _ range: Range<Int>, _ key: WordKey) -> Int {
        var slot = Int(truncatingIfNeeded: key.hash) & (slots.count - 1)
        while slots[slot] != 0, !isWord(Int(slots[slot]) - 1, line, range, key) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private func isWord(_ index: Int, _ line: Span<UInt8>, _ range: Range<Int>, _ key: WordKey) -> Bool {
        guard keys[index] == key else { return false }
        if key.isWhole { return true }
        let start = starts[index]
        for offset in 16..<range.count where pool[start + offset] != line[range.lowerBound + offset] { return false }
        return true
    }
}
