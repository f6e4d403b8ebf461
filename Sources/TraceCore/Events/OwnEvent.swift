// SPDX-License-Identifier: Apache-2.0

/// An event of apictrace's own in a trace.dat, of the system `apictrace`: what live tracing knows and no tracepoint tells.
///
/// ``TraceWriter`` writes them, the reader takes them apart by their format texts like any event.
enum OwnEvent: UInt8, CaseIterable {
    /// ``VCPUState``.
    case state
    /// ``LAPICReading``.
    case lapic
    /// The process of the thread that the record names.
    case process
    /// Hits of one tracepoint since the start, before filters and drops; its last record counts.
    case counts
    /// ``FixState`` of the traced host.
    case host
    /// Every event up to the record's time has been reported; no fields of its own.
    case tick
    /// Exits of the thread that the record names, by reason, which were counted in the kernel and not sent.
    case exits
    /// The name of the thread that the record names.
    case command
    /// The thread that the record names has ended, perhaps with its process.
    case ended
    /// An ``EventGap`` in the events of one process; those that may be anybody's are reported by their CPU's pages.
    case lost
    /// The file is a part of another one: what it was cut out for.
    case cut
    /// Events of the whole that the part leaves out, of the record's CPU: they were recorded, and are no loss.
    case leftOut

    static let system = "apictrace"

    struct Field {
        var type: FieldType
        var name: String
        /// More than 1 for an array.
        var count = 1
        /// Another version may have written none: then it is 0.
        var isOptional = false
    }

    var name: String {
        switch self {
        case .state: "state"
        case .lapic: "lapic"
        case .process: "process"
        case .counts: "counts"
        case .host: "host"
        case .tick: "tick"
        case .exits: "exits"
        case .command: "command"
        case .ended: "ended"
        case .lost: "lost"
        case .cut: "cut"
        case .leftOut: "left_out"
        }
    }

    init?(name: String) {
        guard let event = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = event
    }

    /// The names of those that tell of a part what it is.
    static let ofParts = [cut.name, leftOut.name]

    static let longestEvidence = 192
    static let longestPurpose = 96
    /// With the NUL at its end; KVM's names have less than half as many.
    static let longestTracepoint = 64
    /// The field of `counts` with the tracepoint's name.
    private static let countedEvent = "event"

    /// As a recording has them. The `counts` of older versions had no name but a field for each tracepoint.
    func fields(in format: EventFormat) -> [Field] {
        guard self == .counts, format.field(Self.countedEvent) == nil else { return fields }
        return format.fields.filter { $0.offset >= Record.commonSize && $0.size == FieldType.u64.size }
            .map { Field(type: .u64, name: $0.name) }
    }

    /// In the order of the values that a record is made of, an array's elements one by one.
    var fields: [Field] {
        switch self {
        case .state:
            [
                Field(type: .x64, name: "vm"), Field(type: .s32, name: "process"), Field(type: .s32, name: "vcpu_id"),
                Field(type: .x64, name: "inhibits"), Field(type: .flag, name: "apicv_active"),
                Field(type: .flag, name: "guest_mode"), Field(type: .flag, name: "has_lapic"),
                Field(type: .flag, name: "has_vmx"), Field(type: .flag, name: "virtual_interrupt_delivery"),
                Field(type: .flag, name: "l1_external_interrupt_exiting"),
                Field(type: .flag, name: "l1_virtual_interrupt_delivery"),
                Field(type: .flag, name: "first_run", isOptional: true),
            ]
        case .lapic:
            [
                Field(type: .s32, name: "vcpu_id"), Field(type: .u8, name: "occasion"),
                Field(type: .x16, name: "pending"), Field(type: .x8, name: "tpr"), Field(type: .x8, name: "ppr"),
                Field(type: .x32, name: "irr", count: 8), Field(type: .x32, name: "isr", count: 8),
                Field(type: .u8, name: "interrupt_flag", isOptional: true),
                Field(type: .u8, name: "apic_enabled", isOptional: true),
            ]
        case .process: [Field(type: .s32, name: "tgid")]
        case .counts:
            [
                Field(type: .character, name: Self.countedEvent, count: Self.longestTracepoint),
                Field(type: .u64, name: "hits"),
            ]
        case .host:
            [
                Field(type: .u8, name: "svi_fix"), Field(type: .u8, name: "svi_fix_basis"),
                Field(type: .character, name: "evidence", count: Self.longestEvidence),
            ]
        case .tick: []
        case .ended: [Field(type: .s32, name: "process")]
        case .lost:
            [
                Field(type: .s32, name: "process"), Field(type: .u64, name: "events"), Field(type: .u64, name: "from"),
                Field(type: .u64, name: "to"),
            ]
        case .command: [Field(type: .character, name: "comm", count: Comm.length)]
        case .cut:
            [
                Field(type: .character, name: "purpose", count: Self.longestPurpose),
                Field(type: .flag, name: "redacted"),
            ]
        case .leftOut:
            [Field(type: .u64, name: "events"), Field(type: .u64, name: "from"), Field(type: .u64, name: "to")]
        case .exits:
            [
                Field(type: .u8, name: "isa"), Field(type: .x32, name: "exit_reason"), Field(type: .u64, name: "count"),
            ]
        }
    }
}
