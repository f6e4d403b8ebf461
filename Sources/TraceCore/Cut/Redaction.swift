// SPDX-License-Identifier: Apache-2.0

/// Replaces what tells of the guest and its owner: names and addresses, the same by the same throughout a file.
///
/// What a grade rests on stays: vectors, registers of the APIC, its page, threads' ids and times.
struct Redaction {
    private var names: [String: String] = [:]
    private var pages: [UInt64: Page] = [:]

    private struct Page {
        let number: UInt64
        /// What stands for each address in it.
        var addresses: [UInt64: UInt64] = [:]
    }

    /// Pages that are the same in every guest: those of the local APIC and of the IO-APIC.
    private static let known: Set<UInt64> = [0xfee00, 0xfec00]
    /// Below it a number is a flag, a port or a code of KVM's.
    private static let smallest: UInt64 = 0x10000
    private static let pageShift: UInt64 = 12

    /// - Parameter kind: what is named.
    mutating func name(_ name: String, of kind: String) -> String {
        if let known = names[name] { return known }
        let replacement = "\(kind)-\(names.count + 1)"
        names[name] = replacement
        return replacement
    }

    /// Another page, and another place in it: two instructions stay two.
    mutating func address(_ address: UInt64) -> UInt64 {
        let frame = address >> Self.pageShift
        guard address >= Self.smallest, !Self.known.contains(frame) else { return address }
        var page = page(of: frame)
        let place = page.addresses[address] ?? UInt64(page.addresses.count)
        page.addresses[address] = place
        pages[frame] = page
        return page.number << Self.pageShift | place
    }

    /// A guest frame.
    mutating func frame(_ frame: UInt64) -> UInt64 {
        frame == 0 || Self.known.contains(frame) ? frame : page(of: frame).number
    }

    private mutating func page(of frame: UInt64) -> Page {
        if let known = pages[frame] { return known }
        // Above what counts as a number, and where no memory is.
        let page = Page(number: UInt64(0x100_0000 + pages.count))
        pages[frame] = page
        return page
    }

    // MARK: - Events

    /// The values of an event's fields, in the order of its tracepoint's.
    mutating func redact(_ values: inout Tracepoint.PerField<UInt64>, of kind: EventKind) {
        let fields = kind.tracepoint.fields
        func index(_ name: String) -> Int? { fields.firstIndex { $0.names.contains(name) } }
        func value(_ name: String) -> UInt64? { index(name).map { values[$0] } }
        let isSVM = value("isa").map { $0 == UInt64(ISA.svm.recorded) } ?? false
        let isAPICPage = value("gpa").map { Self.known.contains($0 >> Self.pageShift) } ?? false
        for (place, field) in fields.enumerated() {
            let value = values[place]
            switch field.names[0] {
            case "rip", "guest_rip", "nested_rip", "fault_address", "addr", "gpa": values[place] = address(value)
            case "gfn": values[place] = frame(value)
            // VMX: the exit's qualification, which may be an address. SVM: a code in the first, an address in the second.
            case "info1", "exit_info1": values[place] = isSVM ? value : address(value)
            case "info2", "exit_info2": values[place] = isSVM ? address(value) : value
            case "data": values[place] = isOfAPIC(msr: index("ecx").map { values[$0] }) ? value : address(value)
            case "val" where kind == .mmio: values[place] = isAPICPage ? value : 0
            case "val" where kind == .cr: values[place] = address(value)
            default: break
            }
        }
    }

    /// x2APIC's registers, and IA32_APIC_BASE, whose page is one that is known.
    private func isOfAPIC(msr: UInt64?) -> Bool {
        guard let msr else { return false }
        return (0x800...0x8ff).contains(msr)
    }

    // MARK: - Names

    /// The kernel's own name of a thread that does a VM's work has the process's id, which stays, and ties the thread to it.
    private mutating func command(_ name: String) -> String {
        let isKernels = name.hasPrefix("vhost-") && name.dropFirst(6).allSatisfy { ("0"..."9").contains($0) }
        return isKernels ? name : self.name(name, of: "command")
    }

    mutating func redact(_ info: TraceInfo) -> TraceInfo {
        var info = info
        for (tid, name) in info.commands.sorted(by: { $0.key < $1.key }) { info.commands[tid] = command(name) }
        for place in info.guests.indices {
            info.guests[place].name = name(info.guests[place].name, of: "guest")
        }
        info.kernel = info.kernel.flatMap(Self.release)
        return info
    }

    mutating func redact(_ fact: LiveFact) -> LiveFact {
        switch fact {
        case .command(let name): return .command(Comm(command(name.text)))
        case .state(var state):
            state.vm = address(state.vm)
            return .state(state)
        case .lapic, .process, .ended, .tick, .exits: return fact
        }
    }

    /// Of `Linux HOST RELEASE ...` the release alone. The host may be called like one.
    private static func release(_ uname: String) -> String? {
        let words = uname.split(separator: " ")
        let isLong = words.first == "Linux" && words.count > 2
        guard let release = words.dropFirst(isLong ? 2 : 0).first(where: { KernelRelease(uname: String($0)) != nil })
        else { return nil }
        return isLong ? "Linux host \(release)" : String(release)
    }

    /// Who traces functions of his own gives their events names. How many systems are described tells of what the recorder chose,
    /// so that another name stands in the place of each.
    mutating func redact(_ format: OriginalFormat) -> OriginalFormat {
        let isKnown = FormatCatalog.systems.contains(format.system) || format.system == OwnEvent.system
        return isKnown ? format : format.nameless(system: name(format.system, of: "system"))
    }
}
