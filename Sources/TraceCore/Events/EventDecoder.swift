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
        guard (0..<bindings.count).contains(index) else { return nil }
        let binding = bindings.base + index + 1
        guard record.count >= binding.pointee.length else { return nil }
        return order == .little ? Self.decode(record, binding) : Self.decodeReversed(record, binding)
    }

    // What follows takes an entry of a table and a record that is long enough for it.

    @inline(__always)
    static func entry(_ record: Record, _ binding: UnsafePointer<EventBinding>) -> KVMEvent.Entry {
        guard binding.pointee.isDirect else { return generalEntry(record, binding) }
        var fields = DirectFields(record, binding)
        return KVMEvent.Entry(&fields)
    }

    @inline(__always)
    static func exit(_ record: Record, _ binding: UnsafePointer<EventBinding>) -> KVMEvent.Exit {
        guard binding.pointee.isDirect else { return generalExit(record, binding) }
        var fields = DirectFields(record, binding)
        return KVMEvent.Exit(&fields)
    }

    @inline(never)
    private static func generalEntry(_ record: Record, _ binding: UnsafePointer<EventBinding>) -> KVMEvent.Entry {
        var fields = RecordFields(record, binding.pointee.slots)
        return KVMEvent.Entry(&fields)
    }

    @inline(never)
    private static func generalExit(_ record: Record, _ binding: UnsafePointer<EventBinding>) -> KVMEvent.Exit {
        var fields = RecordFields(record, binding.pointee.slots)
        return KVMEvent.Exit(&fields)
    }

    /// The event of a little-endian record.
    static func decode(_ record: Record, _ binding: UnsafePointer<EventBinding>) -> KVMEvent {
        if binding.pointee.isDirect {
            var fields = DirectFields(record, binding)
            return KVMEvent(binding.pointee.kind, &fields)
        }
        var fields = RecordFields(record, binding.pointee.slots)
        return KVMEvent(binding.pointee.kind, &fields)
    }

    /// Big-endian hosts are too rare to slow the others down: their fields are turned round in a copy.
    static func decodeReversed(_ record: Record, _ binding: UnsafePointer<EventBinding>) -> KVMEvent {
        var bytes = [UInt8](record.bytes)
        let slots = binding.pointee.slots
        for index in slots.indices where slots[index].isPresent {
            bytes[(slots[index].end - slots[index].size)..<slots[index].end].reverse()
        }
        return bytes.withUnsafeBytes { decode(Record($0) ?? record, binding) }
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
    mutating func orZero<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
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
    private let binding: UnsafePointer<EventBinding>
    private var next = 0

    @inline(__always)
    init(_ record: Record, _ binding: UnsafePointer<EventBinding>) {
        self.record = record
        self.binding = binding
    }

    @inline(__always)
    private var place: UInt16 { binding.pointee.places[next] }

    @inline(__always)
    mutating func required<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        value = Value(record, at: place)
        next &+= 1
    }

    @inline(__always)
    mutating func optional<Value: FieldValue>(_ value: inout Value?, _: FieldType, _: String) {
        value = place != 0 ? Value(record, at: place) : nil
        next &+= 1
    }

    @inline(__always)
    mutating func orZero<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        if place != 0 { value = Value(record, at: place) }
        next &+= 1
    }

    @inline(__always)
    mutating func hardIRQ(_ value: inout Bool) {
        value = record.inHardIRQ
    }
}
