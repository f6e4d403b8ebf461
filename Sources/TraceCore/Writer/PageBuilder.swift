// SPDX-License-Identifier: Apache-2.0

/// One CPU's ring-buffer page while it fills: the counterpart of ``PageCursor``, for a 64-bit little-endian kernel.
struct PageBuilder {
    static let pageSize = PageLabel.pageSize
    private static let headerSize = 16
    private static let countSize = 8

    /// The page; meaningful up to the used bytes.
    private var bytes = [UInt8](repeating: 0, count: pageSize)
    private var used = headerSize
    private var limit = pageSize - PageLabel.size
    private var time: UInt64 = 0
    private var loss = PageCursor.Loss.none
    /// Something came since it was stored.
    var isDirty = false

    private enum RecordType {
        static let longestShort = 28 * 4
        static let timeExtend: UInt32 = 30
    }

    /// Nothing needs writing: neither a record nor a loss.
    var isEmpty: Bool { used == Self.headerSize && loss == .none }

    /// A new page.
    /// - Parameters:
    ///   - time: for a page that stays without records, else its first one's counts.
    ///   - loss: of events before its first record.
    mutating func start(at time: UInt64, after loss: PageCursor.Loss) {
        used = Self.headerSize
        self.time = time
        self.loss = loss
        // The number of lost events follows the records.
        limit = Self.pageSize - PageLabel.size
        if case .counted = loss { limit -= Self.countSize }
        isDirty = loss != .none
        store(time, at: 0)
    }

    /// Adds a record with its `common_flags`; false where the page has no room for it or for the step in time.
    mutating func append(
        _ layout: RecordLayout, at stamp: EventStamp, flags: UInt8, values: Span<UInt64>
    ) -> Bool {
        guard let start = add(size: layout.size, at: stamp.time) else { return false }
        fill(layout, tid: stamp.tid, flags: flags, values: values, at: start)
        return true
    }

    /// Adds a record as another file has it, a multiple of four bytes; false as above.
    mutating func append(_ record: [UInt8], at time: UInt64) -> Bool {
        guard let start = add(size: record.count, at: time) else { return false }
        bytes.replaceSubrange(start..<(start + record.count), with: record)
        return true
    }

    /// Adds the header of a record.
    /// - Returns: where the record itself goes; nil where there is no room.
    @inline(__always)
    private mutating func add(size: Int, at stamp: UInt64) -> Int? {
        if used == Self.headerSize {
            time = stamp
            store(time, at: 0)
        }
        let delta = stamp &- time
        let isLong = size > RecordType.longestShort
        let needsExtend = delta >> 27 != 0
        let header = (needsExtend ? 8 : 0) + (isLong ? 8 : 4)
        guard stamp >= time, delta >> 59 == 0, used + header + size <= limit else { return nil }
        if needsExtend {
            store(UInt32(truncatingIfNeeded: delta) << 5 | RecordType.timeExtend, at: used)
            store(UInt32(truncatingIfNeeded: delta >> 27), at: used + 4)
        }
        let step = needsExtend ? 0 : UInt32(truncatingIfNeeded: delta) << 5
        if isLong {
            store(step, at: used + header - 8)
            store(UInt32(size + 4), at: used + header - 4)
        } else {
            store(step | UInt32(size / 4), at: used + header - 4)
        }
        let start = used + header
        used = start + size
        time = stamp
        isDirty = true
        return start
    }

    /// The whole page as it stands, with its header and its label.
    mutating func finished(_ label: PageLabel) -> [UInt8] {
        var commit = UInt64(used - Self.headerSize)
        var end = used
        switch loss {
        case .none: break
        case .uncounted: commit |= 1 << 31
        case .counted(let events):
            commit |= 1 << 31 | 1 << 30
            store(events, at: used)
            end += Self.countSize
        }
        store(commit, at: 8)
        for index in end..<Self.pageSize { bytes[index] = 0 }
        bytes.replaceSubrange((Self.pageSize - PageLabel.size)..., with: label.bytes)
        return bytes
    }

    private mutating func fill(
        _ layout: RecordLayout, tid: Int32, flags: UInt8, values: Span<UInt64>, at start: Int
    ) {
        // Padding between fields is zero.
        for offset in stride(from: start, to: start + layout.size, by: 4) { store(UInt32(0), at: offset) }
        store(UInt32(layout.id) | UInt32(flags) << 16, at: start)
        store(tid, at: start + 4)
        for slot in layout.slots {
            let value = values[slot.value]
            switch slot.size {
            case 1: store(UInt8(truncatingIfNeeded: value), at: start + slot.offset)
            case 2: store(UInt16(truncatingIfNeeded: value), at: start + slot.offset)
            case 4: store(UInt32(truncatingIfNeeded: value), at: start + slot.offset)
            default: store(value, at: start + slot.offset)
            }
        }
    }

    @inline(__always)
    private mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        var span = bytes.mutableSpan
        var raw = span.mutableBytes
        raw.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
    }
}
