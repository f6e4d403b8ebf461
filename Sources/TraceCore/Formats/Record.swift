// SPDX-License-Identifier: Apache-2.0

/// The bytes of one record, from its common fields on, where they lie in a page.
///
/// It borrows: whoever makes one keeps the bytes in place while it is in use.
public struct Record {
    /// `common_type`, `common_flags`, `common_preempt_count`, `common_pid`: struct trace_entry, include/linux/trace_events.h,
    /// 5.10 to 7.2.
    static let commonSize = 8

    let base: UnsafeRawPointer
    /// Bytes in the record, padding to the next multiple of four included.
    public let count: Int

    @inline(__always)
    init(base: UnsafeRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        self.init(base: base, count: bytes.count)
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// `common_pid`. Sound for a record that a binding's length check has let pass, which is never under eight bytes.
    @inline(__always)
    public func tid(_ order: ByteOrder) -> Int32 {
        order.value(base.loadUnaligned(fromByteOffset: 4, as: Int32.self))
    }

    /// `common_type`. Sound as ``tid(_:)`` is.
    @inline(__always)
    func id(_ order: ByteOrder) -> UInt16 {
        order.value(base.loadUnaligned(as: UInt16.self))
    }

    /// TRACE_FLAG_HARDIRQ of `common_flags`, include/linux/trace_events.h, 5.10 to 7.2.
    static let hardIRQFlag: UInt8 = 0x08

    /// The event happened in an interrupt's handler: its thread is whichever the interrupt hit. Sound as ``tid(_:)`` is.
    @inline(__always)
    var inHardIRQ: Bool { base.load(fromByteOffset: 2, as: UInt8.self) & Self.hardIRQFlag != 0 }

    /// The integer of a little-endian record whose low bytes begin at `place`.
    ///
    /// Sound for a place of a binding whose length the record has: it and `T`'s width lie inside of a slot.
    @inline(__always)
    func value<T: FixedWidthInteger>(at place: UInt16) -> T {
        T(littleEndian: base.loadUnaligned(fromByteOffset: Int(place), as: T.self))
    }

    /// The field's value cut to `T`'s width, sign-extended where field and `T` are signed.
    ///
    /// Sound for a slot of a binding whose length the record has: the slot's end is then between eight and `count`.
    @inline(__always)
    func value<T: FixedWidthInteger>(_ slot: FieldSlot, _: T.Type = T.self) -> T {
        let raw = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: slot.end &- 8, as: UInt64.self))
        if T.isSigned, slot.isSigned { return T(truncatingIfNeeded: Int64(bitPattern: raw) &>> Int64(slot.shift)) }
        return T(truncatingIfNeeded: raw &>> slot.shift)
    }
}
