// SPDX-License-Identifier: Apache-2.0

/// Small numbers by word: event names, exit reasons. Looked up in a line's bytes, without a String.
struct WordTable {
    /// The beginning of each.
    private var keys: [WordKey] = []
    /// All words, one after the other.
    private var pool: [UInt8] = []
    /// Where each begins; one more at the end.
    private var starts = [0]
    /// A word's number plus one by its hash; 0 for none. At least half of them are 0.
    private var slots: [UInt16]
    private let capacity: Int

    /// - Parameter capacity: so many words are taken, and room is made for them when they come.
    init(capacity: Int) {
        self.capacity = capacity
        slots = [UInt16](repeating: 0, count: 64)
    }

    init(_ words: [String]) {
        self.init(capacity: words.count)
        for word in words {
            let bytes = Array(word.utf8)
            _ = insert(bytes.span, 0..<bytes.count)
        }
    }

    var count: Int { keys.count }

    func word(_ index: Int) -> String {
        String(decoding: pool[starts[index]..<starts[index + 1]], as: UTF8.self)
    }

    /// The number of a word of a line; nil where there is none.
    @inline(__always)
    func index(_ line: Span<UInt8>, _ range: Range<Int>) -> Int? {
        let key = WordKey(line, range)
        var slot = Int(truncatingIfNeeded: key.hash)
        while true {
            slot &= slots.count &- 1
            let index = Int(slots[slot]) &- 1
            guard index >= 0 else { return nil }
            if keys[index] == key, key.isWhole || hasSameRest(index, line, range) { return index }
            slot &+= 1
        }
    }

    /// The same, as a new number where there was none; nil where the table is full.
    mutating func insert(_ line: Span<UInt8>, _ range: Range<Int>) -> Int? {
        if let index = index(line, range) { return index }
        guard count < capacity else { return nil }
        keys.append(WordKey(line, range))
        for index in range { pool.append(line[index]) }
        starts.append(pool.count)
        if count * 2 > slots.count {
            slots = [UInt16](repeating: 0, count: slots.count * 2)
            for index in keys.indices { place(index) }
        } else {
            place(count - 1)
        }
        return count - 1
    }

    /// Puts a word's number in the slot where it is looked for.
    private mutating func place(_ index: Int) {
        var slot = Int(truncatingIfNeeded: keys[index].hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt16(index + 1)
    }

    /// Of a word of which the key is only the beginning.
    private func hasSameRest(_ index: Int, _ line: Span<UInt8>, _ range: Range<Int>) -> Bool {
        let start = starts[index]
        for offset in 16..<range.count where pool[start + offset] != line[range.lowerBound + offset] { return false }
        return true
    }
}
