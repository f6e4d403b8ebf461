// SPDX-License-Identifier: Apache-2.0

/// The names that a listing prints, as bytes and by number, so that printing one is a copy.
///
/// None of them has a control character, a quote or a backslash, wherever it came from: no form needs to escape them.
final class NameTables: Sendable {
    /// By the kind's raw value, the name that the trace has for its tracepoint.
    let tracepoints: [[UInt8]]
    /// The same as a column of text: with a colon, and blanks up to trace-cmd's column.
    let tracepointColumns: [[UInt8]]
    let clock: [UInt8]
    let clockUnit: [UInt8]
    /// By bit.
    let inhibits: [[UInt8]]
    /// Bytes of a name at most; KVM's own have less than half as many.
    static let longest = 64
    private let vmxExits: [[UInt8]]
    private let svmExits: [[UInt8]]
    private let registers: [[UInt8]]
    private let modes: [[UInt8]]
    private let userspaceExits: [[UInt8]]

    init(_ info: TraceInfo, inhibitNames: InhibitNames) {
        let selected = Set(info.eventsSelected ?? [])
        tracepoints = EventKind.allCases.map { kind in
            Self.clean(kind.tracepoints.first(where: selected.contains) ?? kind.tracepoints[0])
        }
        tracepointColumns = tracepoints.map(Self.column)
        clock = Self.clean(info.clock.name)
        clockUnit = Self.clean(info.clock.unit.rawValue)
        inhibits = (0..<64).map { Self.clean(inhibitNames.name(bit: $0)) }
        vmxExits = (0..<0x80).map { Self.clean(ExitReason(isa: .vmx, recorded: $0).name) }
        svmExits = (0..<0x410).map { Self.clean(ExitReason(isa: .svm, recorded: $0).name) }
        registers = (0..<APICRegister.count).map { Self.clean(APICRegister(index: $0).name) }
        userspaceExits = Self.userspaceExitNames.map { Self.clean("KVM_EXIT_\($0)") }
        modes = DeliveryMode.allCases.map { Self.clean($0.rawValue) }
    }

    /// With a colon, and blanks up to trace-cmd's column.
    static func column(_ name: [UInt8]) -> [UInt8] {
        name + ":".utf8 + [UInt8](repeating: UInt8(ascii: " "), count: max(0, 20 - name.count))
    }

    /// The kernel's names of threads have 15 bytes.
    static let commandColumns = 15
    static let noCommand = command("<...>")

    static func command(_ name: String) -> [UInt8] {
        let name = clean(name).prefix(commandColumns)
        return name + [UInt8](repeating: UInt8(ascii: " "), count: commandColumns - name.count)
    }

    /// Cut to a length that lets a line's be known.
    static func clean(_ name: String) -> [UInt8] {
        name.utf8.prefix(longest).map {
            (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") ? $0 : 0x3f
        }
    }

    @inline(__always)
    func exit(_ reason: ExitReason) -> [UInt8] {
        let table = reason.isa == .svm ? svmExits : vmxExits
        let isListed = (reason.isa == .vmx || reason.isa == .svm) && reason.code < table.count
        return isListed ? table[Int(reason.code)] : Self.clean(reason.name)
    }

    @inline(__always)
    func register(_ offset: UInt32) -> [UInt8] {
        registers[APICRegister(offset: offset).index]
    }

    @inline(__always)
    func mode(icrLow: UInt32) -> [UInt8] {
        modes[Int(icrLow >> 8 & 7)]
    }

    func userspaceExit(_ reason: UInt32) -> [UInt8] {
        reason < userspaceExits.count ? userspaceExits[Int(reason)] : Self.clean(String(reason))
    }

    /// KVM_EXIT_*, include/uapi/linux/kvm.h, as include/trace/events/kvm.h lists them, 7.2.
    private static let userspaceExitNames = [
        "UNKNOWN", "EXCEPTION", "IO", "HYPERCALL", "DEBUG", "HLT", "MMIO", "IRQ_WINDOW_OPEN", "SHUTDOWN", "FAIL_ENTRY",
        "INTR", "SET_TPR", "TPR_ACCESS", "S390_SIEIC", "S390_RESET", "DCR", "NMI", "INTERNAL_ERROR", "OSI",
        "PAPR_HCALL",
        "S390_UCONTROL", "WATCHDOG", "S390_TSCH", "EPR", "SYSTEM_EVENT", "S390_STSI", "IOAPIC_EOI", "HYPERV",
        "ARM_NISV",
        "X86_RDMSR", "X86_WRMSR",
    ]
}
