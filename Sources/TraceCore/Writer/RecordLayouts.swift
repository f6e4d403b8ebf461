// SPDX-License-Identifier: Apache-2.0

/// The layouts of everything that one file holds.
///
/// Events of one kind that differ in the fields they have, as no single kernel's do, get a layout each under one name.
struct RecordLayouts {
    /// Above the ids of ftrace's own events (enum trace_type, kernel/trace/trace.h).
    private static let firstID: UInt16 = 256
    private static let variants = 1 << 7

    private(set) var formats: [RecordFormat] = []
    /// Those formats' layouts.
    private var layouts: [RecordLayout] = []
    /// One more than the index of the layout by kind and fields present; 0 for none yet.
    private var indices = [UInt16](repeating: 0, count: EventKind.allCases.count * variants)
    private let info: TraceInfo

    init(_ info: TraceInfo) {
        self.info = info
        for event in OwnEvent.allCases { add(RecordFormat(event, id: nextID)) }
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
            for (index, field) in kind.boundFields.enumerated() {
                let isThere = field.names.contains { info.formatFields.contains("\(name(of: kind)).\($0)") }
                if field.isMandatory || isThere { present |= 1 << UInt8(index) }
            }
            add(kind, present: present, at: start + Int(present))
        }
    }

    private var nextID: UInt16 { Self.firstID + UInt16(formats.count) }

    private mutating func add(_ kind: EventKind, present: UInt8, at place: Int) {
        add(
            RecordFormat(kind, name: name(of: kind), present: present, id: nextID, inhibitNames: info.inhibitNames))
        indices[place] = UInt16(formats.count)
    }

    private mutating func add(_ format: RecordFormat) {
        formats.append(format)
        layouts.append(format.layout)
    }

    private func name(of kind: EventKind) -> String {
        kind.tracepoints.first { info.eventsSelected?.contains($0) ?? false } ?? kind.tracepoints[0]
    }
}
