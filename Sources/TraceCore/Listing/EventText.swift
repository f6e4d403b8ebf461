// SPDX-License-Identifier: Apache-2.0

/// One event's fields as bytes: `vcpu 0 rip 0x100ad3`, or the members of a JSON object.
///
/// Fields have the names that KVM's own print formats give them and values are in KVM's words; what the machine doesn't
/// decode isn't there. See EventText+Fields.swift for the events.
struct EventText {
    enum Form: Sendable {
        case text, json
    }

    let form: Form
    var out = ByteText()
    let names: NameTables

    init(form: Form, names: NameTables) {
        self.form = form
        self.names = names
    }

    /// The rest of a line or of a JSON object's members: names stand between values and blanks or commas.
    @inline(__always)
    private mutating func key(_ key: StaticString) {
        if form == .text {
            if out.bytes.last != ByteText.space { out.add(byte: ByteText.space) }
            out.add(key)
            out.add(byte: ByteText.space)
        } else {
            member(key)
        }
    }

    /// `,"key":`, without the comma at an object's start.
    @inline(__always)
    mutating func member(_ key: StaticString) {
        if out.bytes.last != UInt8(ascii: "{") { out.add(byte: UInt8(ascii: ",")) }
        out.add(byte: UInt8(ascii: "\""))
        out.add(key)
        out.add("\":")
    }

    /// A JSON string, or bare text. Nothing in `text` needs escaping: see ``NameTables``.
    @inline(__always)
    mutating func string(_ text: [UInt8]) {
        if form == .json { out.add(byte: UInt8(ascii: "\"")) }
        out.add(text)
        if form == .json { out.add(byte: UInt8(ascii: "\"")) }
    }

    // MARK: - Kinds of fields; one that the trace lacks is left out

    @inline(__always)
    mutating func number(_ key: StaticString, _ value: (some FixedWidthInteger)?) {
        guard let value else { return }
        self.key(key)
        if value < 0 { out.add(decimal: Int64(truncatingIfNeeded: value)) } else { out.add(decimal: UInt64(value)) }
    }

    @inline(__always)
    mutating func hex(_ key: StaticString, _ value: (some FixedWidthInteger & UnsignedInteger)?, digits: Int = 1) {
        guard let value else { return }
        self.key(key)
        if form == .json { out.add(byte: UInt8(ascii: "\"")) }
        out.add(hex: UInt64(truncatingIfNeeded: value), digits: digits)
        if form == .json { out.add(byte: UInt8(ascii: "\"")) }
    }

    /// Two digits as in the report; a number that isn't a vector stays one.
    mutating func vector(_ key: StaticString, _ value: some FixedWidthInteger) {
        if let vector = UInt8(exactly: value) { hex(key, vector, digits: 2) } else { number(key, value) }
    }

    mutating func word(_ key: StaticString, _ value: [UInt8]) {
        self.key(key)
        string(value)
    }

    mutating func word(_ key: StaticString, _ value: StaticString) {
        self.key(key)
        if form == .json { out.add(byte: UInt8(ascii: "\"")) }
        out.add(value)
        if form == .json { out.add(byte: UInt8(ascii: "\"")) }
    }

    /// Text has only the word for what is the case.
    mutating func either(_ key: StaticString, _ value: Bool, _ yes: StaticString, _ no: StaticString) {
        if form == .text {
            if out.bytes.last != ByteText.space { out.add(byte: ByteText.space) }
            out.add(value ? yes : no)
        } else {
            member(key)
            out.add(value ? "true" : "false")
        }
    }

    /// Text has the key where it is true, and nothing otherwise.
    mutating func flag(_ key: StaticString, _ value: Bool?) {
        guard let value, value || form == .json else { return }
        either(key, value, key, key)
    }

    /// `inhibits 0x8 BLOCKIRQ`; in JSON a mask and a list, as in the report.
    mutating func inhibits(_ mask: UInt64) {
        if form == .text {
            hex("inhibits", mask)
        } else {
            hex("mask", mask)
            member("inhibits")
            out.add(byte: UInt8(ascii: "["))
        }
        var separator: StaticString = form == .text ? " " : ""
        for bit in 0..<64 where mask & 1 << UInt64(bit) != 0 {
            out.add(separator)
            string(names.inhibits[bit])
            separator = form == .text ? "|" : ","
        }
        if form == .json { out.add(byte: UInt8(ascii: "]")) }
    }
}
