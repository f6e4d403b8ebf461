// SPDX-License-Identifier: Apache-2.0

/// The fields of one event id, found by name once and loaded by place from then on.
public struct EventBinding: Sendable {
    public let kind: EventKind
    /// The bytes that a record must have for every slot to lie inside; never under eight.
    let length: Int
    /// In the order of ``Tracepoint/fields``.
    let slots: Tracepoint.PerField<FieldSlot>
    /// Where each field's low bytes lie, 0 for one that the format lacks; of use where ``isDirect``.
    let places: Tracepoint.PerField<UInt16>
    /// Each field that the format has is an integer at least as wide as the payload's: one load gets it, without shift or sign.
    let isDirect: Bool

    /// Nil for a tracepoint that the machine has no use for and for one whose format lacks a mandatory field.
    public init?(_ format: EventFormat) {
        guard let kind = EventKind(tracepoint: format.name) else { return nil }
        var slots = Tracepoint.PerField<FieldSlot>(repeating: .absent)
        var places = Tracepoint.PerField<UInt16>(repeating: 0)
        var length = Record.commonSize
        var isDirect = true
        for (index, field) in kind.tracepoint.fields.enumerated() {
            let slot = field.names.lazy.compactMap(format.field).first.flatMap(FieldSlot.init)
            if let slot {
                slots[index] = slot
                places[index] = UInt16(slot.end - slot.size)
                length = max(length, slot.end)
                isDirect = isDirect && field.width.map { $0 <= slot.size } ?? false
            } else if field.isRequired {
                return nil
            }
        }
        self.kind = kind
        self.length = length
        self.slots = slots
        self.places = places
        self.isDirect = isDirect
    }

    /// No record is long enough for it.
    fileprivate static let nothing = EventBinding()

    private init() {
        kind = .entry
        length = .max
        slots = Tracepoint.PerField(repeating: .absent)
        places = Tracepoint.PerField(repeating: 0)
        isDirect = false
    }
}

/// A trace's bindings by what its ``RecordTally`` has of an id: one more than the binding's index.
///
/// Where they lie they are read: a copy of a binding for each record costs more than decoding it. Sound since there is an entry for each
/// byte, and nobody changes them.
final class BindingTable: Sendable {
    nonisolated(unsafe) let base: UnsafePointer<EventBinding>
    /// How many bindings there are.
    let count: Int

    private static let size = Int(UInt8.max) + 1

    /// Entry 0, and those that no id has, let no record pass.
    init(_ bindings: [EventBinding]) {
        let entries = UnsafeMutablePointer<EventBinding>.allocate(capacity: Self.size)
        entries.initialize(repeating: .nothing, count: Self.size)
        count = min(bindings.count, RecordTally.mostBindings)
        for (index, binding) in bindings.prefix(count).enumerated() { entries[index + 1] = binding }
        base = UnsafePointer(entries)
    }

    deinit {
        base.deallocate()
    }
}
