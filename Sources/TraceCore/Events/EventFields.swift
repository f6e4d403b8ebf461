// SPDX-License-Identifier: Apache-2.0

/// An event taken apart again: what ``EventDecoder`` makes an event of, in the same order, for a record that is written.
struct EventFields: FieldVisitor {
    let kind: EventKind
    /// In the order of ``Tracepoint/fields``.
    var values = Tracepoint.PerField<UInt64>(repeating: 0)
    /// Bit by field: the event has it.
    private(set) var present: UInt8 = 0
    /// `common_flags` of the record.
    private(set) var commonFlags: UInt8 = 0
    private var next = 0

    init(_ event: KVMEvent) {
        kind = event.kind
        event.visit(&self)
    }

    @inline(__always)
    mutating func required<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        set(value.word)
    }

    @inline(__always)
    mutating func optional<Value: FieldValue>(_ value: inout Value?, _: FieldType, _: String) {
        set(value?.word)
    }

    @inline(__always)
    mutating func orZero<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        set(value.word)
    }

    @inline(__always)
    mutating func hardIRQ(_ value: inout Bool) {
        if value { commonFlags = Record.hardIRQFlag }
    }

    @inline(__always)
    private mutating func set(_ value: UInt64?) {
        defer { next &+= 1 }
        guard let value else { return }
        values[next] = value
        present |= 1 << UInt8(next)
    }
}
