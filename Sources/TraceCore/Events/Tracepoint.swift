// SPDX-License-Identifier: Apache-2.0

/// A tracepoint as a kernel has it: its names, and the fields that the payload takes of it.
struct Tracepoint: Sendable {
    /// The current one first.
    let names: [String]
    /// Its directory under tracefs' `events`: arch/x86/kvm/mmu/mmutrace.h is a system of its own.
    let system: String
    /// In the order in which the payload shows them.
    let fields: [Field]

    /// A value for each field: no event has more.
    typealias PerField<Value> = InlineArray<7, Value>

    struct Field {
        /// The field's names over the kernels, the current one first.
        var names: [String]
        /// An event whose format lacks it can't be decoded.
        var isRequired: Bool
        /// As ``TraceWriter`` writes it: as wide as the payload.
        var type: FieldType
        /// Bytes of the payload's integer; nil for a flag, of which every byte counts.
        var width: Int?
    }

    /// - Parameter formerly: the name that older kernels have for it.
    init<Payload: EventPayload>(
        _ name: String, formerly: String? = nil, system: String = "kvm", of _: Payload.Type
    ) {
        names = [name] + (formerly.map { [$0] } ?? [])
        self.system = system
        var table = FieldTable()
        _ = Payload(&table)
        fields = table.fields
    }
}

extension EventKind {
    /// The tracepoint's names, the current one first.
    public var tracepoints: [String] { tracepoint.names }

    /// The directory of the tracepoint under tracefs' `events`.
    public var traceSystem: String { tracepoint.system }

    /// The kind of a tracepoint's name, nil for one that the machine has no use for.
    public init?(tracepoint name: String) {
        guard let kind = Self.byTracepoint[name] else { return nil }
        self = kind
    }

    private static let byTracepoint = Dictionary(
        uniqueKeysWithValues: allCases.flatMap { kind in kind.tracepoints.map { ($0, kind) } })
}

/// Notes what a payload's fields are called.
private struct FieldTable: FieldVisitor {
    var fields: [Tracepoint.Field] = []

    mutating func required<Value: FieldValue>(
        _: inout Value, _ type: FieldType, _ name: String, formerly older: String?
    ) {
        let names = [name] + (older.map { [$0] } ?? [])
        fields.append(Tracepoint.Field(names: names, isRequired: true, type: type, width: Value.width))
    }

    mutating func optional<Value: FieldValue>(_: inout Value?, _ type: FieldType, _ name: String) {
        fields.append(Tracepoint.Field(names: [name], isRequired: false, type: type, width: Value.width))
    }

    mutating func orZero<Value: FieldValue>(
        _: inout Value, _ type: FieldType, _ name: String, formerly older: String?
    ) {
        let names = [name] + (older.map { [$0] } ?? [])
        fields.append(Tracepoint.Field(names: names, isRequired: false, type: type, width: Value.width))
    }

    mutating func hardIRQ(_: inout Bool) {}
}
