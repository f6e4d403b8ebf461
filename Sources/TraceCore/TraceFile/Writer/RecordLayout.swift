// SPDX-License-Identifier: Apache-2.0

/// How the writer lays one kind of record out, and the format text that says so.
struct RecordLayout {
    /// One value's place in the record.
    struct Slot {
        /// Index of the value.
        var value: Int
        var offset: Int
        var size: Int
    }

    private struct Declaration {
        var type: FieldType
        var name: String
        var offset: Int
        var count: Int
    }

    let system: String
    let name: String
    /// `common_type` of the records.
    let id: UInt16
    private(set) var slots: [Slot] = []
    /// Bytes of a record, a multiple of four as the ring buffer wants it.
    private(set) var size = Record.commonSize
    private var declarations: [Declaration] = []
    /// Names of the bits of a field that is a mask.
    private let flags: (field: String, names: [String])

    /// - Parameters:
    ///   - name: of the tracepoint, where a kernel has had several for the kind.
    ///   - present: bit by field: records have it.
    init(_ kind: EventKind, name: String, present: UInt8, id: UInt16, inhibitNames: [String]) {
        system = kind.traceSystem
        self.name = name
        self.id = id
        flags = kind == .apicvInhibitChanged ? ("inhibits", inhibitNames) : ("", [])
        for (index, field) in kind.boundFields.enumerated() where present & 1 << UInt8(index) != 0 {
            add(field.type, field.names[0], count: 1, value: index)
        }
        size = (size + 3) & ~3
    }

    init(_ event: OwnEvent, id: UInt16) {
        system = OwnEvent.system
        name = event.name
        self.id = id
        flags = ("", [])
        var value = 0
        for field in event.fields {
            add(field.type, field.name, count: field.count, value: value)
            value += field.count
        }
        size = (size + 3) & ~3
    }

    private mutating func add(_ type: FieldType, _ name: String, count: Int, value: Int) {
        let offset = (size + type.size - 1) & ~(type.size - 1)
        declarations.append(Declaration(type: type, name: name, offset: offset, count: count))
        for index in 0..<count {
            slots.append(Slot(value: value + index, offset: offset + index * type.size, size: type.size))
        }
        size = offset + count * type.size
    }

    // MARK: - Format text

    /// As tracefs' `format` file has it.
    var format: String {
        """
        name: \(name)
        ID: \(id)
        format:
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
        \tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
        \tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

        \(declarations.map(Self.line).joined(separator: "\n"))

        print fmt: \(printFormat)

        """
    }

    private static func line(_ field: Declaration) -> String {
        let array = field.count > 1 ? "[\(field.count)]" : ""
        return "\tfield:\(field.type.declaration) \(field.name)\(array);\toffset:\(field.offset);"
            + "\tsize:\(field.type.size * field.count);\tsigned:\(field.type.isSigned ? 1 : 0);"
    }

    private var printFormat: String {
        let words = declarations.map { "\($0.name)=\(isText($0) ? "%s" : $0.type.conversion)" }
        let arguments = declarations.map { ", " + argument($0) }
        return "\"\(words.joined(separator: " "))\"\(arguments.joined())"
    }

    private func isText(_ field: Declaration) -> Bool {
        field.count > 1 || (field.name == flags.field && !flags.names.isEmpty)
    }

    private func argument(_ field: Declaration) -> String {
        if field.name == flags.field, !flags.names.isEmpty {
            let bits = flags.names.enumerated().map { "{ 1UL << \($0.offset), \"\($0.element)\" }" }
            return "__print_flags(REC->\(field.name), \"|\", \(bits.joined(separator: ", ")))"
        }
        if field.count > 1, field.type != .character {
            return "__print_array(REC->\(field.name), \(field.count), \(field.type.size))"
        }
        return "REC->\(field.name)"
    }
}
