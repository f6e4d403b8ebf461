// SPDX-License-Identifier: Apache-2.0

/// Walks the records of one ring-buffer page, whether it comes from a file or from `trace_pipe_raw`.
///
/// The page's bytes are borrowed: they stay in place while the cursor walks them. Every load is inside them, since
/// `position` and `limit` lie in the page and each step compares a record's end with `limit` before it takes the record.
/// Rules of the header: kernel/trace/ring_buffer.c and include/linux/ring_buffer.h, 5.10 to 7.2.
public struct PageCursor {
    /// Events that the kernel overwrote or dropped before a page's first record.
    public enum Loss: Equatable, Sendable {
        case none
        /// The page had no room for the number.
        case uncounted
        case counted(UInt64)
    }

    /// What ended a walk before the page's used bytes did.
    public enum Fault: Equatable, Sendable {
        /// `commit` says so many bytes, more than a page has.
        case overfull(claimed: UInt32)
        /// The record at this offset of the page passes the used bytes.
        case overrun(offset: Int)
        /// The page's bytes end before what `commit` says.
        case cut
    }

    /// Time of the last record taken; before the first one the page's own.
    public var time: UInt64
    /// The record that ``next(_:)`` stopped at.
    public var record: Record
    /// Index of that record's binding.
    public var binding: Int
    public let loss: Loss
    /// `commit` says that the page is empty, and it isn't: no recorder writes such a page. Less than all of its bytes may lie
    /// behind those that `commit` tells of: libtracefs leaves old ones there when it reads a mapped buffer.
    public let hidesBytes: Bool
    public private(set) var fault: Fault?
    /// An absolute stamp lay before the record that precedes it.
    public private(set) var goesBack = false

    private let page: UnsafeRawPointer
    private var position: UnsafeRawPointer
    private var limit: UnsafeRawPointer
    let order: ByteOrder
    private var isCut: Bool

    /// - Parameter page: at most a page's bytes; nil where not even the header is whole.
    public init?(page bytes: UnsafeRawBufferPointer, layout: PageLayout) {
        guard let page = bytes.baseAddress, bytes.count >= layout.headerSize else { return nil }
        let available = min(bytes.count, layout.pageSize) - layout.headerSize
        self.page = page
        order = layout.order
        time = layout.order.value(page.loadUnaligned(as: UInt64.self))
        // The kernel adds its flag as a negative int, which sets the upper half of a 64-bit word.
        let commit = UInt32(truncatingIfNeeded: Self.long(page + 8, layout))
        let used = commit & ~(Commit.missedEvents | Commit.missedStored)
        position = page + layout.headerSize
        record = Record(base: position, count: 0)
        binding = 0
        guard used <= layout.capacity else {
            limit = position
            loss = .none
            hidesBytes = false
            isCut = false
            fault = .overfull(claimed: used)
            return
        }
        limit = position + min(Int(used), available)
        isCut = Int(used) > available
        loss = Self.loss(commit: commit, countAt: position + Int(used), room: available - Int(used), layout: layout)
        hidesBytes =
            commit == 0 && UnsafeRawBufferPointer(start: position, count: available).contains { $0 != 0 }
    }

    /// Over no page at all: nothing comes next.
    init() {
        page = Self.nothing
        position = page
        limit = page
        order = .little
        time = 0
        record = Record(base: page, count: 0)
        binding = 0
        loss = .none
        hidesBytes = false
        isCut = false
    }

    nonisolated(unsafe) private static let nothing = UnsafeRawPointer(
        UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))

    private enum Commit {
        static let missedEvents: UInt32 = 1 << 31
        static let missedStored: UInt32 = 1 << 30
    }

    private static func long(_ pointer: UnsafeRawPointer, _ layout: PageLayout) -> UInt64 {
        layout.longSize == 8
            ? layout.order.value(pointer.loadUnaligned(as: UInt64.self))
            : UInt64(layout.order.value(pointer.loadUnaligned(as: UInt32.self)))
    }

    private static func loss(
        commit: UInt32, countAt count: UnsafeRawPointer, room: Int, layout: PageLayout
    ) -> Loss {
        guard commit & Commit.missedEvents != 0 else { return .none }
        guard commit & Commit.missedStored != 0, room >= layout.longSize else { return .uncounted }
        return .counted(long(count, layout))
    }

    /// Goes to the next record that `tally` has a binding for and counts what it passes; false at the page's end.
    public mutating func next(_ tally: RecordTally) -> Bool {
        var place = place
        let isFound = order == .little ? step(&place, tally.entries, .little) : step(&place, tally.entries, .big)
        if isFound { self.place = place }
        return isFound
    }

    /// Where a walk stands: its last record, and where the next one begins. Whoever takes many records keeps it in a local, so that
    /// it stays in registers from record to record.
    struct Place {
        var position: UnsafeRawPointer
        var time: UInt64
        var record: Record
        /// What the tally has of the record's id.
        var entry: UInt8
    }

    var place: Place {
        @inline(__always)
        get {
            Place(position: position, time: time, record: record, entry: UInt8(truncatingIfNeeded: binding &+ 1))
        }
        @inline(__always)
        set {
            position = newValue.position
            time = newValue.time
            record = newValue.record
            binding = Int(newValue.entry) &- 1
        }
    }

    /// Goes on from a place of this page; false at the page's end, where the cursor has all that is to be known of it.
    ///
    /// The byte order is a parameter so that each caller gets code for its own.
    @inline(__always)
    mutating func step(_ place: inout Place, _ tally: RecordTally.Entries, _ order: ByteOrder) -> Bool {
        var position = place.position
        var time = place.time
        while limit - position >= 4 {
            let header = Header(position, order)
            let start: UnsafeRawPointer
            let length: Int
            if header.type &- 1 < 28 {
                start = position + 4
                length = Int(header.type &* 4)
            } else {
                self.position = position
                self.time = time
                let long = longRecord(header)
                position = self.position
                time = self.time
                guard let long else { continue }
                start = position + 8
                length = long
            }
            guard length <= limit - start else { break }
            time &+= header.delta
            position = start + length
            let id = Int(order.value(start.loadUnaligned(as: UInt16.self)))
            tally.counts[id] &+= 1
            let entry = tally.bindings[id]
            if entry != 0 {
                place = Place(position: position, time: time, record: Record(base: start, count: length), entry: entry)
                return true
            }
        }
        self.position = position
        self.time = time
        endWalk()
        return false
    }

    /// Time of the record that comes first, counted or not; nil where the page has none.
    public func firstTime() -> UInt64? {
        var ahead = self
        while ahead.limit - ahead.position >= 4 {
            let header = Header(ahead.position, order)
            if header.type < Header.padding { return ahead.time &+ header.delta }
            _ = ahead.longRecord(header)
        }
        return nil
    }

    /// The four bytes that start a record: type or length, and the time since the record before.
    private struct Header {
        /// RB_EVNT_MIN_SIZE.
        static let smallestRecord = 8
        static let padding: UInt32 = 29
        static let timeExtend: UInt32 = 30
        static let timeStamp: UInt32 = 31

        let type: UInt32
        let delta: UInt64

        @inline(__always)
        init(_ position: UnsafeRawPointer, _ order: ByteOrder) {
            let word = order.value(position.loadUnaligned(as: UInt32.self))
            type = order == .little ? word & 31 : word &>> 27
            delta = UInt64(order == .little ? word &>> 5 : word & 0x7ff_ffff)
        }
    }

    /// Length of the record behind a header of type 0. Other types hold none: they are passed, and the answer is nil.
    @inline(never)
    private mutating func longRecord(_ header: Header) -> Int? {
        if header.type == Header.padding, header.delta == 0 {
            // Written where not even the smallest record fits, as rb_reset_tail() has it.
            guard limit - position < Header.smallestRecord else {
                endWalk()
                return nil
            }
            position = limit
            isCut = false
            return nil
        }
        guard limit - position >= 8 else {
            endWalk()
            return nil
        }
        let word = order.value(position.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        switch header.type {
        case Header.timeExtend:
            time &+= UInt64(word) << 27 &+ header.delta
        case Header.timeStamp:
            let stamp = absolute(UInt64(word) << 27 | header.delta)
            goesBack = goesBack || stamp < time
            time = stamp
        case Header.padding:
            // A discarded event. Its delta is not added, as in rb_update_read_stamp().
            guard Int(word) <= limit - position - 4 else {
                endWalk()
                return nil
            }
            position += 4 + Int(word)
            return nil
        default:
            guard word > 4 else {
                endWalk()
                return nil
            }
            return (Int(word) - 4 + 3) & ~3
        }
        position += 8
        return nil
    }

    /// The 59 bits of an absolute stamp under the top five of the running one, as rb_fix_abs_ts() joins them.
    private func absolute(_ stamp: UInt64) -> UInt64 {
        let top = time & (0x1f << 59)
        guard top != 0 else { return stamp }
        let joined = stamp | top
        return joined < time ? joined &+ (1 << 59) : joined
    }

    private mutating func endWalk() {
        if fault == nil {
            if isCut {
                fault = .cut
            } else if position < limit {
                fault = .overrun(offset: position - page)
            }
        }
        limit = position
    }
}
