// SPDX-License-Identifier: Apache-2.0

/// One event's fields as bytes: ` vcpu 0 rip 0x100ad3`, or the members of a JSON object.
///
/// Fields have the names that KVM's own print formats give them and values are in KVM's words; what the machine doesn't
/// decode isn't there. Which fields those are the event's payload tells (``EventPayload``).
struct EventText: FieldText, Sendable {
    enum Form: Sendable {
        case text, json
    }

    let form: Form
    let names: NameTables

    /// `,"key":`, without the comma at an object's start.
    @inline(__always)
    func member(_ key: StaticString, _ out: inout OutputSpan<UInt8>) {
        if out.span[out.count - 1] != UInt8(ascii: "{") { out.append(UInt8(ascii: ",")) }
        out.append(UInt8(ascii: "\""))
        out.add(key)
        out.add("\":")
    }

    @inline(__always)
    private func key(_ key: StaticString, _ out: inout OutputSpan<UInt8>) {
        guard form == .text else { return member(key, &out) }
        out.append(UInt8(ascii: " "))
        out.add(key)
        out.append(UInt8(ascii: " "))
    }

    /// The quotes that a JSON string has. Nothing between them needs escaping: see ``NameTables``.
    @inline(__always)
    private func quote(_ out: inout OutputSpan<UInt8>) {
        if form == .json { out.append(UInt8(ascii: "\"")) }
    }

    // MARK: - Kinds of fields; one that the trace lacks is left out

    func number(_ key: StaticString, _ value: (some FixedWidthInteger)?, _ out: inout OutputSpan<UInt8>) {
        guard let value else { return }
        self.key(key, &out)
        if value < 0 {
            out.add(decimal: Int64(truncatingIfNeeded: value))
        } else {
            out.add(decimal: UInt64(truncatingIfNeeded: value))
        }
    }

    func hex(
        _ key: StaticString, _ value: (some FixedWidthInteger & UnsignedInteger)?, _ out: inout OutputSpan<UInt8>
    ) {
        hex(key, value, digits: 1, &out)
    }

    private func hex(
        _ key: StaticString, _ value: (some FixedWidthInteger & UnsignedInteger)?, digits: Int,
        _ out: inout OutputSpan<UInt8>
    ) {
        guard let value else { return }
        self.key(key, &out)
        quote(&out)
        out.add(hex: UInt64(truncatingIfNeeded: value), digits: digits)
        quote(&out)
    }

    func vector(_ key: StaticString, _ value: some FixedWidthInteger, _ out: inout OutputSpan<UInt8>) {
        if let vector = UInt8(exactly: value) {
            hex(key, vector, digits: 2, &out)
        } else {
            number(key, value, &out)
        }
    }

    func word(_ key: StaticString, _ value: [UInt8], _ out: inout OutputSpan<UInt8>) {
        self.key(key, &out)
        quote(&out)
        out.add(value)
        quote(&out)
    }

    func word(_ key: StaticString, _ value: StaticString, _ out: inout OutputSpan<UInt8>) {
        self.key(key, &out)
        quote(&out)
        out.add(value)
        quote(&out)
    }

    func either(
        _ key: StaticString, _ value: Bool, _ yes: StaticString, _ no: StaticString, _ out: inout OutputSpan<UInt8>
    ) {
        if form == .text {
            out.append(UInt8(ascii: " "))
            out.add(value ? yes : no)
        } else {
            member(key, &out)
            out.add(value ? "true" : "false")
        }
    }

    func flag(_ key: StaticString, _ value: Bool?, _ out: inout OutputSpan<UInt8>) {
        guard let value, value || form == .json else { return }
        either(key, value, key, key, &out)
    }

    func inhibits(_ mask: UInt64, _ out: inout OutputSpan<UInt8>) {
        if form == .text {
            hex("inhibits", mask, &out)
        } else {
            hex("mask", mask, &out)
            member("inhibits", &out)
            out.append(UInt8(ascii: "["))
        }
        var separator: StaticString = form == .text ? " " : ""
        for bit in 0..<64 where mask & 1 << UInt64(bit) != 0 {
            out.add(separator)
            quote(&out)
            out.add(names.inhibits[bit])
            quote(&out)
            separator = form == .text ? "|" : ","
        }
        if form == .json { out.append(UInt8(ascii: "]")) }
    }
    // MARK: - Numbers that have names

    func exitReason(_ recorded: UInt32, isa: UInt32, _ out: inout OutputSpan<UInt8>) {
        let isa = ISA(recorded: isa)
        word("reason", names.exit(ExitReason(isa: isa, recorded: recorded)), &out)
        if isa == .vmx, recorded >> 31 == 1 { flag("FAILED_VMENTRY", true, &out) }
    }

    func userspaceExit(_ key: StaticString, _ reason: UInt32, _ out: inout OutputSpan<UInt8>) {
        word(key, names.userspaceExit(reason), &out)
    }

    func register(_ key: StaticString, _ offset: UInt32, _ out: inout OutputSpan<UInt8>) {
        word(key, names.register(offset), &out)
    }

    func deliveryMode(_ key: StaticString, icrLow: UInt32, _ out: inout OutputSpan<UInt8>) {
        word(key, names.mode(icrLow: icrLow), &out)
    }

    func inhibit(_ key: StaticString, bit: UInt64, _ out: inout OutputSpan<UInt8>) {
        if bit < 64 { word(key, names.inhibits[Int(bit)], &out) } else { number(key, Int64(bitPattern: bit), &out) }
    }
}
