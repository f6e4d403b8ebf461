// SPDX-License-Identifier: Apache-2.0

/// An event of KVM's that the machine has no use for, told by its own format: each field by name, those of eight bytes
/// without a sign and arrays in hexadecimal, the others in decimal, characters as text. `print fmt` is not interpreted.
struct OtherEvent: Sendable {
    let name: String
    private let column: [UInt8]
    private let fields: [EventFormat.Field]
    private let order: ByteOrder

    /// Of a string and of an array at most.
    private static let charactersShown = 256
    private static let bytesShown = 32

    init?(_ text: [UInt8], order: ByteOrder) {
        guard let format = EventFormat(text: text[...]) else { return nil }
        name = format.name
        column = NameTables.column(NameTables.clean(format.name))
        fields = format.fields.filter { !$0.name.hasPrefix("common_") }
        self.order = order
    }

    func addText(_ record: Record, to out: inout [UInt8]) {
        out += column
        for field in fields {
            guard let value = value(field, record) else { continue }
            out += " ".utf8 + NameTables.clean(field.name) + " ".utf8 + value.bytes
        }
    }

    /// The members of a JSON object.
    func addJSON(_ record: Record, to out: inout [UInt8]) {
        var isFirst = true
        for field in fields {
            guard let value = value(field, record) else { continue }
            out += (isFirst ? "\"" : ",\"").utf8 + NameTables.clean(field.name) + "\":".utf8
            out += value.isNumber ? value.bytes : "\"".utf8 + value.bytes + "\"".utf8
            isFirst = false
        }
    }

    private func value(_ field: EventFormat.Field, _ record: Record) -> (bytes: [UInt8], isNumber: Bool)? {
        let bytes = record.bytes
        guard field.offset + field.size <= bytes.count else { return nil }
        if field.isDynamic { return text(at: field, bytes) }
        guard [1, 2, 4, 8].contains(field.size), !field.isArray else {
            let digits = bytes[field.offset..<(field.offset + field.size)].prefix(Self.bytesShown).map { byte in
                String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
            }
            return (Array(digits.joined().utf8), false)
        }
        var raw: UInt64 = 0
        for index in 0..<field.size {
            let place = order == .little ? index : field.size - 1 - index
            raw |= UInt64(bytes[field.offset + index]) << UInt64(8 * place)
        }
        if field.size == 8, !field.isSigned { return (Array(Hex.string(raw).utf8), false) }
        let shift = UInt64(64 - 8 * field.size)
        let number = field.isSigned ? Int64(bitPattern: raw << shift) >> Int64(shift) : Int64(bitPattern: raw)
        return (Array(String(number).utf8), true)
    }

    /// `__data_loc`: where it lies and how long it is (include/trace/stages/stage6_event_callback.h).
    private func text(at field: EventFormat.Field, _ bytes: UnsafeRawBufferPointer) -> (bytes: [UInt8], isNumber: Bool)?
    {
        guard field.size == 4 else { return nil }
        let place = order.value(bytes.loadUnaligned(fromByteOffset: field.offset, as: UInt32.self))
        let (start, count) = (Int(place & 0xffff), Int(place >> 16))
        guard start + count <= bytes.count else { return nil }
        return (NameTables.clean(string(bytes[start..<(start + count)])), false)
    }

    private func string(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: bytes.prefix(Self.charactersShown).prefix { $0 != 0 }, as: UTF8.self)
    }
}
