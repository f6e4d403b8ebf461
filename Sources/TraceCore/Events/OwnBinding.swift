// SPDX-License-Identifier: Apache-2.0

/// The fields of one of apictrace's own events in a file, found by name.
struct OwnBinding {
    let event: OwnEvent
    private let fields: [OwnEvent.Field]
    let slots: [FieldSlot]
    private let length: Int

    /// Nil for an event that this version doesn't know and for one that lacks a field which is not optional.
    init?(_ format: EventFormat) {
        guard let event = OwnEvent(name: format.name) else { return nil }
        let fields = event.fields(in: format)
        var slots: [FieldSlot] = []
        for field in fields {
            guard var part = format.field(field.name), part.size == field.type.size * field.count else {
                guard field.isOptional else { return nil }
                slots += [FieldSlot](repeating: .absent, count: field.count)
                continue
            }
            part.size = field.type.size
            for _ in 0..<field.count {
                guard let slot = FieldSlot(part) else { return nil }
                slots.append(slot)
                part.offset += part.size
            }
        }
        self.event = event
        self.fields = fields
        self.slots = slots
        length = slots.filter(\.isPresent).map(\.end).max() ?? Record.commonSize
    }

    /// The values of a record in the order of ``OwnEvent/fields``, nil for one that is too short.
    func values(_ record: Record) -> [UInt64]? {
        record.count >= length ? slots.map { $0.isPresent ? record.value($0) : 0 } : nil
    }

    /// The hits that a record of ``OwnEvent/counts`` tells, of one tracepoint or of many.
    func counts(_ values: [UInt64]) -> [(tracepoint: String, hits: UInt64)] {
        guard fields.first?.type == .character, let hits = values.last else {
            return zip(fields, values).map { ($0.name, $1) }
        }
        return [(String(words: values.dropLast()), hits)]
    }
}
