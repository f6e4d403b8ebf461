// SPDX-License-Identifier: Apache-2.0

/// Where one integer field lies in a record and how wide it is.
///
/// A field is loaded by the eight bytes that end with it: a record starts with eight bytes of common fields, so these are
/// always inside the record, whatever the width.
public struct FieldSlot: Equatable, Sendable {
    /// Bytes from the start of the record to the end of the field; 0 where the format has no such field.
    @usableFromInline let end: UInt16
    /// Bits of the eight bytes that aren't the field's.
    @usableFromInline let shift: UInt8
    @usableFromInline let isSigned: Bool

    static let absent = FieldSlot(end: 0, shift: 0, isSigned: false)

    private init(end: UInt16, shift: UInt8, isSigned: Bool) {
        self.end = end
        self.shift = shift
        self.isSigned = isSigned
    }

    /// Nil for a field that isn't an integer of 1, 2, 4 or 8 bytes behind the common fields.
    init?(_ field: EventFormat.Field) {
        guard [1, 2, 4, 8].contains(field.size), !field.isDynamic,
            field.offset >= Record.commonSize, let end = UInt16(exactly: field.offset + field.size)
        else { return nil }
        self.init(end: end, shift: UInt8(64 - 8 * field.size), isSigned: field.isSigned)
    }

    @inlinable
    var isPresent: Bool { end != 0 }
}
