// SPDX-License-Identifier: Apache-2.0

/// The fields of one event id, found by name once and loaded by place from then on.
public struct EventBinding: Sendable {
    public let kind: EventKind
    /// The bytes that a record must have for every slot to lie inside; never under eight.
    let length: Int
    /// In the order of ``Tracepoint/fields``.
    let slots: Tracepoint.PerField<FieldSlot>

    /// Nil for a tracepoint that the machine has no use for and for one whose format lacks a mandatory field.
    public init?(_ format: EventFormat) {
        guard let kind = EventKind(tracepoint: format.name) else { return nil }
        var slots = Tracepoint.PerField<FieldSlot>(repeating: .absent)
        var length = Record.commonSize
        for (index, field) in kind.tracepoint.fields.enumerated() {
            let slot = field.names.lazy.compactMap(format.field).first.flatMap(FieldSlot.init)
            if let slot {
                slots[index] = slot
                length = max(length, slot.end)
            } else if field.isRequired {
                return nil
            }
        }
        self.kind = kind
        self.length = length
        self.slots = slots
    }
}
