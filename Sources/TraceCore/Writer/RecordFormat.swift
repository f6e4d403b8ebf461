// SPDX-License-Identifier: Apache-2.0

/// The format text of one kind of record that the writer lays out, and that layout.
struct RecordFormat {
    private struct Declaration {
        var type: FieldType
        var name: String
        var offset: Int
        var count: Int
    }

    let system: String
    let name: String
    private(set) var layout: RecordLayout
    private var declarations: [Declaration] = []
    /// Names of the bits of a field that is a mask.
    private let flags: (field: String, names: [String])

    /// - Parameters:
    ///   - name: of the tracepoint, where a kernel has had several for the kind.
    ///   - present: bit by field: records have it.
    init(_ kind: EventKind, name: String, present: UInt8, id: UInt16, inhibitNames: [String]) {
        system = kind.traceSystem
        self.name = name
        layout = RecordLayout(id: id)
        flags = kind == .apicvInhibitChanged ? ("inhibits", inhibitNames) : ("", [])
        for (index, field) in kind.boundFields.enumerated() where present & 1 << UInt8(index) != 0 {
            add(field.type, field.names[0], count: 1, value: index)
        }
    }

    init(_ event: OwnEvent, id: UInt16) {
        system = OwnEvent.system
        name = event.name
        layout = RecordLayout(id: id)
        flags = ("", [])
        var value = 0
        for field in event.fields {
            add(field.type, field.name, count: field.count, value: value)
            value += field.count
        }
    }

    private mutating func add(_ type: FieldType, _ name: String, count: Int, value: Int) {
        let offset = layout.add(size: type.size, count: count, value: value)
        declarations.append(Declaration(type: type, name: name, offset: offset, count: count))
    }

    // MARK: - Text

    /// As tracefs' `format` file has it.
    var text: String {
        """
        name: \(name)
        ID: \(layout.id)
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
