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
        for (index, field) in kind.tracepoint.fields.enumerated() where present & 1 << UInt8(index) != 0 {
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

/// Where one kind of record that the writer makes has its values: aligned as in the kernel's own records.
struct RecordLayout {
    /// One value's place in the record.
    struct Slot {
        /// Index of the value.
        var value: Int
        var offset: Int
        var size: Int
    }

    /// `common_type` of the records.
    let id: UInt16
    private(set) var slots: [Slot] = []
    private var used = Record.commonSize

    init(id: UInt16) {
        self.id = id
    }

    /// Bytes of a record, a multiple of four as the ring buffer wants it.
    var size: Int { (used + 3) & ~3 }

    /// Appends a field of `count` values, the first of which has the index `value`.
    /// - Returns: its offset.
    mutating func add(size: Int, count: Int, value: Int) -> Int {
        let offset = (used + size - 1) & ~(size - 1)
        for index in 0..<count {
            slots.append(Slot(value: value + index, offset: offset + index * size, size: size))
        }
        used = offset + count * size
        return offset
    }
}

/// The layouts of everything that one file holds.
///
/// Events of one kind that differ in the fields they have, as no single kernel's do, get a layout each under one name.
struct RecordLayouts {
    /// Above the ids of ftrace's own events (enum trace_type, kernel/trace/trace.h).
    private static let firstID: UInt16 = 256
    private static let variants = 1 << Tracepoint.PerField<FieldSlot>.count

    private(set) var formats: [RecordFormat] = []
    /// Those formats' layouts.
    private var layouts: [RecordLayout] = []
    /// One more than the index of the layout by kind and fields present; 0 for none yet.
    private var indices = [UInt16](repeating: 0, count: EventKind.allCases.count * variants)
    private let info: TraceInfo
    /// Of records that are copied from another file.
    let originals: [OriginalFormat]
    private let taken: Set<UInt16>
    private var latestID = firstID - 1

    init(_ info: TraceInfo, originals: [OriginalFormat] = []) {
        self.info = info
        self.originals = originals
        taken = Set(originals.map(\.id))
        for event in OwnEvent.allCases { add(RecordFormat(event, id: nextID())) }
    }

    subscript(event: OwnEvent) -> RecordLayout { layouts[Int(event.rawValue)] }

    @inline(__always)
    mutating func layout(of fields: EventFields) -> RecordLayout {
        let place = Int(fields.kind.rawValue) * Self.variants + Int(fields.present)
        if indices[place] == 0 { add(fields.kind, present: fields.present, at: place) }
        return layouts[Int(indices[place]) - 1]
    }

    /// Kinds that were recorded and never hit still need a format: their absence means something.
    mutating func addMissing() {
        for kind in info.recordedKinds.kinds {
            let start = Int(kind.rawValue) * Self.variants
            guard indices[start..<(start + Self.variants)].allSatisfy({ $0 == 0 }) else { continue }
            var present: UInt8 = 0
            for (index, field) in kind.tracepoint.fields.enumerated() {
                let isThere = field.names.contains { info.formatFields.contains("\(name(of: kind)).\($0)") }
                if field.isRequired || isThere { present |= 1 << UInt8(index) }
            }
            add(kind, present: present, at: start + Int(present))
        }
    }

    /// Whatever describes the records of a copy: those of the original, and of what is added to them.
    func text(of system: String) -> [[UInt8]] {
        let copied = originals.filter { $0.system == system }.map(\.text)
        let own = formats.filter { $0.system == system && (originals.isEmpty || OwnEvent.ofParts.contains($0.name)) }
        return copied + own.map { Array($0.text.utf8) }
    }

    func describes(_ id: UInt16) -> Bool { taken.contains(id) }

    var systems: [String] { Set(formats.map(\.system) + originals.map(\.system)).sorted() }

    private mutating func nextID() -> UInt16 {
        repeat { latestID &+= 1 } while taken.contains(latestID)
        return latestID
    }

    private mutating func add(_ kind: EventKind, present: UInt8, at place: Int) {
        add(
            RecordFormat(kind, name: name(of: kind), present: present, id: nextID(), inhibitNames: info.inhibitNames))
        indices[place] = UInt16(formats.count)
    }

    private mutating func add(_ format: RecordFormat) {
        formats.append(format)
        layouts.append(format.layout)
    }

    /// The tracepoint as this recording calls it.
    func name(of kind: EventKind) -> String {
        kind.tracepoints.first { info.eventsSelected?.contains($0) ?? false } ?? kind.tracepoints[0]
    }
}
