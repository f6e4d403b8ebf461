// SPDX-License-Identifier: Apache-2.0

/// Where one integer field lies in a record and how wide it is, in one word.
///
/// A field is loaded by the eight bytes that end with it: a record starts with eight bytes of common fields, so these are
/// always inside the record, whatever the width.
public struct FieldSlot: Equatable, Sendable {
    /// Bits 15:0 bytes from the start of the record to the end of the field; bits 21:16 bits of the eight bytes that aren't
    /// the field's; bit 24 signed. 0 where the format has no such field.
    let word: UInt32

    static let absent = FieldSlot(word: 0)

    private init(word: UInt32) {
        self.word = word
    }

    /// Nil for a field that isn't an integer of 1, 2, 4 or 8 bytes behind the common fields.
    init?(_ field: EventFormat.Field) {
        guard [1, 2, 4, 8].contains(field.size), !field.isDynamic, field.offset >= Record.commonSize,
            let end = UInt16(exactly: field.offset + field.size)
        else { return nil }
        self.init(word: UInt32(end) | UInt32(64 - 8 * field.size) << 16 | (field.isSigned ? 1 << 24 : 0))
    }

    var isPresent: Bool { word != 0 }

    var end: Int { Int(word & 0xffff) }

    var shift: UInt64 { UInt64(word &>> 16 & 0x3f) }

    var size: Int { 8 - Int(shift) / 8 }

    var isSigned: Bool { word & 1 << 24 != 0 }
}
