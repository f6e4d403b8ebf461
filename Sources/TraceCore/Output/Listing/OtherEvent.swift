// SPDX-License-Identifier: Apache-2.0

/// An event of KVM's that the machine has no use for, told by its own format: each field by name, those of eight bytes
/// without a sign and arrays in hexadecimal, the others in decimal, characters as text. `print fmt` is not interpreted.
struct OtherEvent: Sendable {
    let name: String
    /// What a line of it has at most, in bytes, behind the columns.
    let longest: Int
    private let column: [UInt8]
    private let fields: [Field]
    private let order: ByteOrder

    private struct Field {
        let place: EventFormat.Field
        let name: [UInt8]
    }

    /// Of a string and of an array at most.
    private static let charactersShown = 256
    private static let bytesShown = 32
    /// The longest name of a field, with what stands around it and its value.
    private static let longestField = NameTables.longest + max(charactersShown, 2 * bytesShown) + 8

    init?(_ text: [UInt8], order: ByteOrder) {
        guard let format = EventFormat(text: text[...]) else { return nil }
        name = format.name
        column = NameTables.column(NameTables.clean(format.name))
        fields = format.fields.filter { !$0.name.hasPrefix("common_") }
            .map { Field(place: $0, name: NameTables.clean($0.name)) }
        longest = 4 * NameTables.longest + fields.count * Self.longestField
        self.order = order
    }

    func addText(_ record: Record, to out: inout OutputSpan<UInt8>) {
        out.add(column)
        for field in fields where hasValue(field.place, record) {
            out.append(UInt8(ascii: " "))
            out.add(field.name)
            out.append(UInt8(ascii: " "))
            add(field.place, record, to: &out)
        }
    }

    /// The members of a JSON object.
    func addJSON(_ record: Record, to out: inout OutputSpan<UInt8>) {
        var isFirst = true
        for field in fields where hasValue(field.place, record) {
            out.add(isFirst ? "\"" : ",\"")
            out.add(field.name)
            out.add("\":")
            if !Self.isDecimal(field.place) { out.append(UInt8(ascii: "\"")) }
            add(field.place, record, to: &out)
            if !Self.isDecimal(field.place) { out.append(UInt8(ascii: "\"")) }
            isFirst = false
        }
    }

    private static func isScalar(_ field: EventFormat.Field) -> Bool {
        !field.isDynamic && !field.isArray && [1, 2, 4, 8].contains(field.size)
    }

    private static func isDecimal(_ field: EventFormat.Field) -> Bool {
        isScalar(field) && (field.size < 8 || field.isSigned)
    }

    private func hasValue(_ field: EventFormat.Field, _ record: Record) -> Bool {
        guard field.offset + field.size <= record.bytes.count else { return false }
        return !field.isDynamic || characters(of: field, record.bytes) != nil
    }

    private func add(_ field: EventFormat.Field, _ record: Record, to out: inout OutputSpan<UInt8>) {
        if field.isDynamic {
            // Decoded first: what is no UTF-8 becomes one character for as many bytes as Swift takes for one.
            guard let characters = characters(of: field, record.bytes) else { return }
            return out.add(NameTables.clean(string(record.bytes[characters])))
        }
        let bytes = field.offset..<(field.offset + field.size)
        guard Self.isScalar(field) else {
            for index in bytes.prefix(Self.bytesShown) { out.add(hexDigitsOf: record.bytes[index]) }
            return
        }
        var raw: UInt64 = 0
        for index in 0..<field.size {
            let place = order == .little ? index : field.size - 1 - index
            raw |= UInt64(record.bytes[field.offset + index]) << UInt64(8 * place)
        }
        guard Self.isDecimal(field) else { return out.add(hex: raw) }
        guard field.isSigned else { return out.add(decimal: raw) }
        let shift = UInt64(64 - 8 * field.size)
        out.add(decimal: Int64(bitPattern: raw << shift) >> Int64(shift))
    }

    /// `__data_loc`: where it lies and how long it is (include/trace/stages/stage6_event_callback.h).
    private func characters(of field: EventFormat.Field, _ bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        guard field.size == 4 else { return nil }
        let place = order.value(bytes.loadUnaligned(fromByteOffset: field.offset, as: UInt32.self))
        let (start, count) = (Int(place & 0xffff), Int(place >> 16))
        return start + count <= bytes.count ? start..<(start + count) : nil
    }

    private func string(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: bytes.prefix(Self.charactersShown).prefix { $0 != 0 }, as: UTF8.self)
    }
}
