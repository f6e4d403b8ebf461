// SPDX-License-Identifier: Apache-2.0

/// What tracefs' `format` file says of one tracepoint: its id and where its fields lie.
///
/// Fields are known by name only. The grammar of `print fmt` is left alone: it changes with the kernel and libtraceevent
/// fails on today's KVM events; the one thing taken from it is the flag names that it spells.
public struct EventFormat: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public var name: String
        /// Bytes from the start of the record, the common fields included.
        public var offset: Int
        public var size: Int
        public var isSigned: Bool
        /// `__data_loc` or `__rel_loc`: the field holds where the data lies, not the data.
        public var isDynamic: Bool
        /// Several values of one type, one behind the other.
        public var isArray: Bool
    }

    public var name: String
    /// `common_type` of the records.
    public var id: UInt16
    /// The common fields and the event's own.
    public var fields: [Field]
    /// No `field:` line had to be left out because it makes no sense.
    var isWhole: Bool
    private let printFormat: ArraySlice<UInt8>?

    /// The flag names of a `__print_flags` list by bit, empty where there's none.
    public var flagNames: [String] { printFormat.map(Self.flagNames) ?? [] }

    /// More than any tracepoint has, and longer than any name: what goes beyond is damage.
    private static let mostFields = 256
    fileprivate static let longestName = 128

    public init?(text: String) {
        self.init(text: Array(text.utf8)[...])
    }

    /// Nil where the text has no name or no id.
    init?(text: ArraySlice<UInt8>) {
        guard let identity = Self.identity(of: text) else { return nil }
        name = identity.name
        id = identity.id
        let lines = text.lines
        (fields, isWhole) = Self.fields(in: lines)
        printFormat = lines.lazy.compactMap { $0.value(after: "print fmt:") }.first
    }

    /// The `field:` lines, which `header_page` has too; one that makes no sense is left out, and they are not whole then.
    static func fields(in lines: [ArraySlice<UInt8>]) -> (fields: [Field], isWhole: Bool) {
        var fields: [Field] = []
        var isWhole = true
        for line in lines {
            guard let declaration = line.value(after: "field:") else { continue }
            if fields.count < mostFields, let field = Field(declaration: declaration) {
                fields.append(field)
            } else {
                isWhole = false
            }
        }
        return (fields, isWhole)
    }

    /// The two lines that a format text starts with, which is all that is wanted of most.
    static func identity(of text: ArraySlice<UInt8>) -> (name: String, id: UInt16)? {
        let lines = text.split(separator: UInt8(ascii: "\n"), maxSplits: 2)
        guard lines.count >= 2, let name = lines[0].value(after: "name:"),
            (1...longestName).contains(name.count), let id = lines[1].value(after: "ID:").flatMap({ UInt16($0.text) })
        else { return nil }
        return (name.text, id)
    }

    public func field(_ name: String) -> Field? {
        fields.first { $0.name == name }
    }

    /// KVM spells its inhibit bits `{ 1UL << (APICV_INHIBIT_REASON_IRQWIN), "IRQWIN" }` since 6.12, the enum unresolved and in
    /// the enum's order (arch/x86/include/asm/kvm_host.h, APICV_INHIBIT_REASONS). A number in its place is believed.
    private static func flagNames(printFormat: ArraySlice<UInt8>) -> [String] {
        guard let start = printFormat.firstRange(of: Array("__print_flags(".utf8)) else { return [] }
        var names: [String] = []
        for entry in printFormat[start.upperBound...].split(separator: UInt8(ascii: "{")).dropFirst() {
            let quoted = entry.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
            guard quoted.count >= 3 else { break }
            let shifted = quoted[0].firstRange(of: Array("<<".utf8)).map { quoted[0][$0.upperBound...] }
            let bit = shifted.flatMap { Int($0.filter { !" (),".utf8.contains($0) }[...].text) } ?? names.count
            guard (0..<64).contains(bit) else { break }
            while names.count <= bit { names.append("") }
            names[bit] = quoted[1].text
        }
        return names
    }
}

extension EventFormat.Field {
    /// From `unsigned int vcpu_id; offset:8; size:4; signed:0;`.
    fileprivate init?(declaration: ArraySlice<UInt8>) {
        let parts = declaration.split(separator: UInt8(ascii: ";"))
        guard let type = parts.first else { return nil }
        var offset: Int?
        var size: Int?
        isSigned = false
        for part in parts.dropFirst() {
            if let value = part.value(after: "offset:") { offset = Int(value.text) }
            if let value = part.value(after: "size:") { size = Int(value.text) }
            if let value = part.value(after: "signed:") { isSigned = value.text == "1" }
        }
        guard let offset, let size, (0...0xffff).contains(offset), (0...0xffff).contains(size) else { return nil }
        self.offset = offset
        self.size = size
        isDynamic = type.starts(with: "__data_loc".utf8) || type.starts(with: "__rel_loc".utf8)
        isArray = !isDynamic && type.contains(UInt8(ascii: "["))
        let named = isDynamic ? type : type.prefix { $0 != UInt8(ascii: "[") }
        guard let last = named.split(whereSeparator: \.isBlank).last, last.count <= EventFormat.longestName else {
            return nil
        }
        name = last.text
    }
}

extension ArraySlice<UInt8> {
    /// The rest of a line that starts with `key`, blanks aside.
    fileprivate func value(after key: String) -> ArraySlice<UInt8>? {
        let line = drop(while: \.isBlank)
        guard line.starts(with: key.utf8) else { return nil }
        return line.dropFirst(key.utf8.count).trimmed
    }

    private var trimmed: ArraySlice<UInt8> {
        var rest = drop(while: \.isBlank)
        while rest.last?.isBlank == true { rest.removeLast() }
        return rest
    }
}

extension UInt8 {
    /// A space, a tab or a carriage return.
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0d }
}
