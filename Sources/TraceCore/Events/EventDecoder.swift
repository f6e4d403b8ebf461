// SPDX-License-Identifier: Apache-2.0

/// Turns records into events, by the bindings of one trace's formats.
///
/// It knows nothing of pages and files, so that every source of raw records shares it.
public struct EventDecoder: Sendable {
    public let order: ByteOrder
    let bindings: BindingTable

    public init(order: ByteOrder, bindings: [EventBinding]) {
        self.order = order
        self.bindings = BindingTable(bindings)
    }

    /// The event of a record, nil where the record is shorter than its format says.
    /// - Parameter index: into the bindings that the decoder was made with.
    public func event(_ record: Record, binding index: Int) -> KVMEvent? {
        guard let entry = UInt8(exactly: index + 1), record.count >= bindings[entry].length else { return nil }
        return order == .little ? Self.decode(record, bindings[entry]) : Self.decodeReversed(record, bindings[entry])
    }

    @inline(__always)
    static func entry(_ record: Record, _ binding: borrowing EventBinding) -> KVMEvent.Entry {
        if binding.isDirect {
            var fields = DirectFields(record, binding.places)
            return KVMEvent.Entry(&fields)
        }
        return generalEntry(record, binding)
    }

    @inline(__always)
    static func exit(_ record: Record, _ binding: borrowing EventBinding) -> KVMEvent.Exit {
        if binding.isDirect {
            var fields = DirectFields(record, binding.places)
            return KVMEvent.Exit(&fields)
        }
        return generalExit(record, binding)
    }

    @inline(never)
    private static func generalEntry(_ record: Record, _ binding: borrowing EventBinding) -> KVMEvent.Entry {
        var fields = RecordFields(record, binding.slots)
        return KVMEvent.Entry(&fields)
    }

    @inline(never)
    private static func generalExit(_ record: Record, _ binding: borrowing EventBinding) -> KVMEvent.Exit {
        var fields = RecordFields(record, binding.slots)
        return KVMEvent.Exit(&fields)
    }

    /// The event of a little-endian record that is long enough.
    @inline(never)
    static func decode(_ record: Record, _ binding: borrowing EventBinding) -> KVMEvent {
        var fields = RecordFields(record, binding.slots)
        return KVMEvent(binding.kind, &fields)
    }

    /// Big-endian hosts are too rare to slow the others down: their fields are turned round in a copy.
    static func decodeReversed(_ record: Record, _ binding: borrowing EventBinding) -> KVMEvent {
        var bytes = [UInt8](record.bytes)
        for index in binding.slots.indices where binding.slots[index].isPresent {
            let slot = binding.slots[index]
            bytes[(slot.end - slot.size)..<slot.end].reverse()
        }
        let held = copy binding
        return bytes.withUnsafeBytes { decode(Record($0) ?? record, held) }
    }
}

/// Reads a payload's fields through the slots that a binding found for them.
private struct RecordFields: FieldVisitor {
    private let record: Record
    private let slots: Tracepoint.PerField<FieldSlot>
    private var next = 0

    @inline(__always)
    init(_ record: Record, _ slots: Tracepoint.PerField<FieldSlot>) {
        self.record = record
        self.slots = slots
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

/// The same where one load gets each field (``EventBinding/isDirect``), which takes half of the instructions.
private struct DirectFields: FieldVisitor {
    private let record: Record
    private let places: Tracepoint.PerField<UInt16>
    private var next = 0

    @inline(__always)
    init(_ record: Record, _ places: Tracepoint.PerField<UInt16>) {
        self.record = record
        self.places = places
    }

    @inline(__always)
    mutating func required<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        value = Value(record, at: places[next])
        next &+= 1
    }

    @inline(__always)
    mutating func optional<Value: FieldValue>(_ value: inout Value?, _: FieldType, _: String) {
        value = places[next] != 0 ? Value(record, at: places[next]) : nil
        next &+= 1
    }

    @inline(__always)
    mutating func orZero<Value: FieldValue>(_ value: inout Value, _: FieldType, _: String) {
        if places[next] != 0 { value = Value(record, at: places[next]) }
        next &+= 1
    }

    @inline(__always)
    mutating func hardIRQ(_ value: inout Bool) {
        value = record.inHardIRQ
    }
}
