// SPDX-License-Identifier: Apache-2.0

/// Turns records into events, by the bindings of one trace's formats.
///
/// It knows nothing of pages and files, so that every source of raw records shares it.
public struct EventDecoder: Sendable {
    public let order: ByteOrder
    let bindings: [EventBinding]

    public init(order: ByteOrder, bindings: [EventBinding]) {
        self.order = order
        self.bindings = bindings
    }

    /// The event of a record, nil where the record is shorter than its format says.
    /// - Parameter binding: index into the bindings that the decoder was made with.
    public func event(_ record: Record, binding index: Int) -> KVMEvent? {
        fits(record, binding: index) ? decode(record, binding: index) : nil
    }

    /// How many bindings it decodes by.
    var count: Int { bindings.count }

    /// Whether the record is an event's, with every field that its format promises.
    @inline(__always)
    func fits(_ record: Record, binding index: Int) -> Bool {
        index < bindings.count && record.count >= bindings[index].length
    }

    @inline(__always)
    func entry(_ record: Record, _ binding: EventBinding) -> KVMEvent.Entry {
        var fields = RecordFields(record, binding)
        return KVMEvent.Entry(&fields)
    }

    @inline(__always)
    func exit(_ record: Record, _ binding: EventBinding) -> KVMEvent.Exit {
        var fields = RecordFields(record, binding)
        return KVMEvent.Exit(&fields)
    }

    /// The event of a record that fits.
    @inline(never)
    func decode(_ record: Record, binding index: Int) -> KVMEvent {
        order == .little ? decode(record, bindings[index]) : decodeReversed(record, bindings[index])
    }

    /// Big-endian hosts are too rare to slow the others down: their fields are turned round in a copy.
    private func decodeReversed(_ record: Record, _ binding: EventBinding) -> KVMEvent {
        var bytes = [UInt8](record.bytes)
        for index in binding.slots.indices where binding.slots[index].isPresent {
            let slot = binding.slots[index]
            bytes[(slot.end - slot.size)..<slot.end].reverse()
        }
        return bytes.withUnsafeBytes { decode(Record($0) ?? record, binding) }
    }

    private func decode(_ record: Record, _ binding: EventBinding) -> KVMEvent {
        var fields = RecordFields(record, binding)
        return KVMEvent(binding.kind, &fields)
    }
}

/// Reads a payload's fields through the slots that a binding found for them.
private struct RecordFields: FieldVisitor {
    private let record: Record
    private let slots: Tracepoint.PerField<FieldSlot>
    private var next = 0

    @inline(__always)
    init(_ record: Record, _ binding: EventBinding) {
        self.record = record
        slots = binding.slots
    }

    @inline(__always)
    mutating func required<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        value = Value(record, slots[next])
        next &+= 1
    }

    @inline(__always)
    mutating func optional<Value: FieldValue>(_ value: inout Value?, _: FieldType, _: String) {
        value = slots[next].isPresent ? Value(record, slots[next]) : nil
        next &+= 1
    }

    @inline(__always)
    mutating func orZero<Value: FieldValue>(_ value: inout Value, _: FieldType, _: String) {
        if slots[next].isPresent { value = Value(record, slots[next]) }
        next &+= 1
    }

    @inline(__always)
    mutating func hardIRQ(_ value: inout Bool) {
        value = record.inHardIRQ
    }
}
