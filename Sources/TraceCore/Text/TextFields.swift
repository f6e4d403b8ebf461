// SPDX-License-Identifier: Apache-2.0

/// An event's fields as its text gives them: what ``EventFields`` is to a record that is written, for one that was read as words.
struct TextFields: FieldVisitor {
    /// In the order of ``Tracepoint/fields``.
    private var values = Tracepoint.PerField<UInt64>(repeating: 0)
    /// Bit by field: the text has it.
    private var present: UInt8 = 0
    var inHardIRQ = false
    /// Every field that must be there is, and no number is too large for its field.
    private(set) var isWhole = true
    private var next = 0

    init() {}

    /// What comes first counts: a line may name a field once more in other words.
    mutating func set(_ field: Int, _ value: UInt64) {
        guard !has(field) else { return }
        values[field] = value
        present |= 1 << UInt8(truncatingIfNeeded: field)
    }

    mutating func add(_ field: Int, bits: UInt64) {
        values[field] |= bits
        present |= 1 << UInt8(truncatingIfNeeded: field)
    }

    /// A number behind words that are known.
    @inline(__always)
    mutating func merge(_ field: Int, _ value: UInt64) { values[field] |= value }

    /// Leaves what only the words around a number told.
    mutating func remove(_ field: Int, _ value: UInt64) { values[field] &= ~value }

    func has(_ field: Int) -> Bool { present & 1 << UInt8(truncatingIfNeeded: field) != 0 }

    subscript(field: Int) -> UInt64 { values[field] }

    var count: Int { present.nonzeroBitCount }

    @inline(__always)
    mutating func required<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        guard let read: Value = take() else {
            isWhole = false
            return
        }
        value = read
    }

    @inline(__always)
    mutating func optional<Value: FieldValue>(_ value: inout Value?, _: FieldType, _: String) {
        value = take()
    }

    @inline(__always)
    mutating func orZero<Value: FieldValue>(
        _ value: inout Value, _: FieldType, _: String, formerly _: String?
    ) {
        if let read: Value = take() { value = read }
    }

    mutating func hardIRQ(_ value: inout Bool) {
        value = inHardIRQ
    }

    @inline(__always)
    private mutating func take<Value: FieldValue>() -> Value? {
        defer { next &+= 1 }
        guard has(next) else { return nil }
        guard let value = Value(word: values[next]) else {
            isWhole = false
            return nil
        }
        return value
    }
}
