// SPDX-License-Identifier: Apache-2.0

/// What one hit of a tracepoint tells, and all that is known of it: its names, its fields, and how it is reported.
protocol EventPayload: Equatable, Sendable {
    /// Nothing of it is known yet.
    init()

    /// Shows each field to the visitor, which reads, writes or notes it. This is the only list of an event's fields.
    mutating func visit(_ fields: inout some FieldVisitor)

    /// Tells the fields in the order and with the names of KVM's own print format (arch/x86/kvm/trace.h, mmutrace.h, 7.2).
    func tell(_ text: some FieldText, _ out: inout OutputSpan<UInt8>)
}

extension EventPayload {
    /// A payload whose fields the visitor reads.
    @inline(__always)
    init(_ fields: inout some FieldVisitor) {
        self.init()
        visit(&fields)
    }
}

/// Whoever reads, writes or notes the fields of a payload, one after the other: ``EventDecoder``, ``EventFields`` and
/// ``Tracepoint``.
protocol FieldVisitor {
    /// An event whose format lacks the field can't be decoded.
    /// - Parameters:
    ///   - type: what recordings of live tracing give the field, as wide as the payload's; reading goes by the trace's own.
    ///   - name: in the format text.
    ///   - formerly: its name on older kernels.
    mutating func required<Value: FieldValue>(
        _ value: inout Value, _ type: FieldType, _ name: String, formerly older: String?)

    /// Some supported kernel lacks it: nil then.
    mutating func optional<Value: FieldValue>(_ value: inout Value?, _ type: FieldType, _ name: String)

    /// Some supported kernel lacks it, and 0 means the same as that it is absent.
    mutating func orZero<Value: FieldValue>(
        _ value: inout Value, _ type: FieldType, _ name: String, formerly older: String?)

    /// No field of the event's own but a flag of every record's: it happened in an interrupt's handler.
    mutating func hardIRQ(_ value: inout Bool)
}

extension FieldVisitor {
    @inline(__always)
    mutating func required<Value: FieldValue>(_ value: inout Value, _ type: FieldType, _ name: String) {
        required(&value, type, name, formerly: nil)
    }

    @inline(__always)
    mutating func orZero<Value: FieldValue>(_ value: inout Value, _ type: FieldType, _ name: String) {
        orZero(&value, type, name, formerly: nil)
    }
}

/// The type of a payload's field.
protocol FieldValue {
    /// The field's value in a record, cut to the type's width.
    init(_ record: Record, _ slot: FieldSlot)

    /// Bytes of an integer, the low ones of a field that is as wide or wider; nil for a flag, of which every byte counts.
    static var width: Int? { get }

    /// The same of an integer whose low bytes lie at a place of a little-endian record.
    init(_ record: Record, at place: UInt16)

    /// Widened with its sign: whoever takes its low bytes gets the value back.
    var word: UInt64 { get }

    /// The value that is widened so; nil for none.
    init?(word: UInt64)
}

extension FixedWidthInteger where Self: FieldValue {
    @inline(__always)
    init(_ record: Record, _ slot: FieldSlot) { self = record.value(slot) }

    static var width: Int? { MemoryLayout<Self>.size }

    @inline(__always)
    init(_ record: Record, at place: UInt16) { self = record.value(at: place) }
}

extension FixedWidthInteger {
    @inline(__always)
    var word: UInt64 { UInt64(truncatingIfNeeded: self) }

    init?(word: UInt64) {
        self.init(truncatingIfNeeded: word)
        if self.word != word { return nil }
    }
}

extension UInt8: FieldValue {}
extension UInt16: FieldValue {}
extension UInt32: FieldValue {}
extension UInt64: FieldValue {}
extension Int32: FieldValue {}

extension Bool: FieldValue {
    @inline(__always)
    init(_ record: Record, _ slot: FieldSlot) { self = record.value(slot, UInt64.self) != 0 }

    static var width: Int? { nil }

    init(_ record: Record, at place: UInt16) { self = UInt8(record, at: place) != 0 }

    @inline(__always)
    var word: UInt64 { self ? 1 : 0 }

    init?(word: UInt64) { self = word != 0 }
}

/// Whoever puts the fields of an event into words. What the trace lacks is left out.
protocol FieldText {
    func number(_ key: StaticString, _ value: (some FixedWidthInteger)?, _ out: inout OutputSpan<UInt8>)
    func hex(
        _ key: StaticString, _ value: (some FixedWidthInteger & UnsignedInteger)?, _ out: inout OutputSpan<UInt8>)
    /// Two digits as in the report; a number that isn't a vector stays one.
    func vector(_ key: StaticString, _ value: some FixedWidthInteger, _ out: inout OutputSpan<UInt8>)
    func word(_ key: StaticString, _ value: StaticString, _ out: inout OutputSpan<UInt8>)
    /// Text has only the word for what is the case.
    func either(
        _ key: StaticString, _ value: Bool, _ yes: StaticString, _ no: StaticString, _ out: inout OutputSpan<UInt8>)
    /// Text has the key where it is true, and nothing otherwise.
    func flag(_ key: StaticString, _ value: Bool?, _ out: inout OutputSpan<UInt8>)

    // MARK: - Numbers that have names

    /// The reason of a VM exit as recorded, and whether a VM entry failed.
    func exitReason(_ recorded: UInt32, isa: UInt32, _ out: inout OutputSpan<UInt8>)
    func userspaceExit(_ key: StaticString, _ reason: UInt32, _ out: inout OutputSpan<UInt8>)
    /// A local APIC register by its xAPIC offset.
    func register(_ key: StaticString, _ offset: UInt32, _ out: inout OutputSpan<UInt8>)
    /// Bits 10:8 of an interrupt command.
    func deliveryMode(_ key: StaticString, icrLow: UInt32, _ out: inout OutputSpan<UInt8>)
    /// An inhibit by its bit's number.
    func inhibit(_ key: StaticString, bit: UInt64, _ out: inout OutputSpan<UInt8>)
    /// `inhibits 0x8 BLOCKIRQ`; in JSON a mask and a list, as in the report.
    func inhibits(_ mask: UInt64, _ out: inout OutputSpan<UInt8>)
}
