// SPDX-License-Identifier: Apache-2.0

/// Where one kind of record that the writer makes has its values: aligned as in the kernel's own records.
struct RecordLayout {
    /// One value's place in the record.
    struct Slot {
        /// Index of the value.
        var value: Int
        var offset: Int
        var size: Int
    }

    /// `common_type` of the records.
    let id: UInt16
    private(set) var slots: [Slot] = []
    private var used = Record.commonSize

    init(id: UInt16) {
        self.id = id
    }

    /// Bytes of a record, a multiple of four as the ring buffer wants it.
    var size: Int { (used + 3) & ~3 }

    /// Appends a field of `count` values, the first of which has the index `value`.
    /// - Returns: its offset.
    mutating func add(size: Int, count: Int, value: Int) -> Int {
        let offset = (used + size - 1) & ~(size - 1)
        for index in 0..<count {
            slots.append(Slot(value: value + index, offset: offset + index * size, size: size))
        }
        used = offset + count * size
        return offset
    }
}
