// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let findings = 8
    private static let vectors = 6
    private static let registers = 8
    private static let exits = 10
    private static let intervals = 4
    /// Columns of a row's name, and of A beside B.
    private static let columns = (name: 32, side: 34)

    mutating func add(findingsOf comparison: Comparison) {
        guard !comparison.findings.isEmpty else { return }
        blank()
        add(row: "Findings", "A", "B", ink: .bold)
        for finding in comparison.findings.prefix(style.shown(Self.findings)) {
            add(row: finding.rule.rawValue + finding.place, finding.a.orNone, finding.b.orNone)
        }
        more(comparison.findings.count, Self.findings, "findings")
    }

    /// What a VM and its counterpart did differently.
    mutating func add(_ vm: Comparison.VMPair) {
        blank()
        add(row: vm.matchedBy.words, vm.a?.name ?? "-", vm.b?.name ?? "-", ink: .bold)
        add(apicv: vm.apicv)
        for vcpu in vm.vcpus { add(vcpu) }
        add(accesses: vm)
        add(exits: vm.exits)
    }

    private mutating func add(accesses vm: Comparison.VMPair) {
        func cell(_ access: Report.RegisterAccess?, of name: Comparison.VMName?) -> String {
            name == nil ? "-" : access.words
        }
        if !vm.apicAccess.isEmpty { add(row: "  APIC accesses", "reads, writes", "", ink: .bold) }
        for access in vm.apicAccess.prefix(style.shown(Self.registers)) {
            add(
                row: "    \(access.kind.words)\(access.register.map { ", \($0)" } ?? "")",
                cell(access.a, of: vm.a), cell(access.b, of: vm.b))
        }
        more(vm.apicAccess.count, Self.registers, "rows of accesses")
    }

    private mutating func add(apicv: Comparison.Pair<Comparison.APICvHistory>) {
        let (a, b) = (apicv.a?.states ?? [], apicv.b?.states ?? [])
        for index in 0..<min(max(a.count, b.count), style.shown(Self.intervals)) {
            let cells = [a, b].map { index < $0.count ? $0[index].words : "" }
            add(row: index == 0 ? "  APICv" : "", cells[0], cells[1])
        }
        more(max(a.count, b.count), Self.intervals, "states of APICv")
        if let (a, b) = apicv.a.flatMap({ a in apicv.b.map { (a.changes, $0.changes) } }), a != b {
            add(row: "    changes", "\(a)", "\(b)")
        }
    }

    private mutating func add(_ vcpu: Comparison.VCPUPair) {
        let name = (vcpu.a ?? vcpu.b)?.id.map { "vCPU \($0)" } ?? "a vCPU without a number"
        let isAlone = vcpu.matchedBy == .none
        guard isAlone || !vcpu.interrupts.isEmpty || vcpu.ipisSent.a != vcpu.ipisSent.b else { return }
        add(
            row: "  \(name)\(vcpu.matchedBy == .order ? ", by order" : "")",
            vcpu.a == nil ? "not there" : "accepted/taken/ended", vcpu.b == nil ? "not there" : "", ink: .bold)
        for vector in vcpu.interrupts.sorted(by: { $0.weight > $1.weight }).prefix(style.shown(Self.vectors)) {
            add(row: "    \(vector.vector)", vector.a.words, vector.b.words)
        }
        more(vcpu.interrupts.count, Self.vectors, "vectors")
        if vcpu.ipisSent.a != vcpu.ipisSent.b {
            add(
                row: "    IPIs sent", vcpu.a == nil ? "-" : vcpu.ipisSent.a.orUnknown,
                vcpu.b == nil ? "-" : vcpu.ipisSent.b.orUnknown)
        }
    }

    private mutating func add(exits: [Comparison.ExitChange]) {
        guard !exits.isEmpty else { return }
        add(row: "  Exits", exits.contains { $0.a?.perSecond != nil } ? "a second (all)" : "", "", ink: .bold)
        let shown =
            exits.filter { $0.reason == nil }
            + exits.filter { $0.reason != nil }
            .sorted { $0.difference > $1.difference }
        for exit in shown.prefix(style.shown(Self.exits)) {
            add(row: "    \(exit.level.words) \(exit.reason ?? "all")", exit.a.words, exit.b.words)
        }
        more(shown.count, Self.exits, "reasons")
    }

    private mutating func add(row name: String, _ a: String, _ b: String, ink: TextStyle.Ink? = nil) {
        let (nameColumns, sideColumns) = Self.columns
        let cells = [name.filled(nameColumns), a.filled(sideColumns), b.printable]
        let used = cells.prefix(b.isEmpty ? a.isEmpty ? 1 : 2 : 3)
        add("", label: String(used.joined().reversed().drop { $0 == " " }.reversed()), ink: ink)
    }

    private mutating func more(_ count: Int, _ shown: Int, _ what: String) {
        guard count > style.shown(shown) else { return }
        add("and \(count - shown) more \(what): -v lists them", indent: 4)
    }
}

extension String {
    /// With blanks behind it up to a column, and one at least.
    fileprivate func filled(_ columns: Int) -> String {
        let text = printable
        return text + String(repeating: " ", count: max(1, columns - text.count))
    }
}

extension Comparison.FindingChange {
    fileprivate var place: String { (b ?? a)?.vcpu.map { ", vCPU \($0)" } ?? "" }
}

extension Comparison.FindingSide? {
    /// `confirmed: 0x41, 0x51; 400 times`.
    fileprivate var orNone: String {
        guard let self else { return "-" }
        let vectors = self.vectors.isEmpty ? "" : ": \(self.vectors.prefix(4).joined(separator: ", "))"
        return "\(self.grade.rawValue)\(vectors)\(self.vectors.count > 4 ? ", ..." : "") (\(self.count.times))"
    }
}

extension Comparison.VMName {
    fileprivate var name: String { Report.VM.name(id: id, pid: pid, command: command, guest: guest) }
}

extension Comparison.VMMatch {
    fileprivate var words: String {
        switch self {
        case .process: "VM, the same process"
        case .guest: "VM, by the guest's name"
        case .command: "VM, by its command"
        case .nested: "VM, the only one with an L2"
        case .order: "VM, by command and order"
        case .number: "VM, by its number"
        case .only: "VM, the only one left"
        case .none: "VM, in one of them alone"
        }
    }
}

extension Comparison.APICvTotal {
    /// `inhibited 0x1 (DISABLED) 98.2 %`.
    fileprivate var words: String {
        let names = inhibits.isEmpty ? "" : " (\(inhibits.joined(separator: ", ")))"
        let tenths = Int((share * 1000).rounded())
        return "\(state.rawValue)\(state == .inhibited ? " \(mask)\(names)" : "")\(inferred ? ", inferred" : ""), "
            + "\(tenths / 10).\(tenths % 10) %"
    }
}

extension Comparison.AccessKind {
    fileprivate var words: String {
        switch self {
        case .l1: "L1"
        case .l2Direct: "L2, direct"
        case .l2Hooked: "L2, hooked by L1"
        case .l2Own: "L2, its own APIC"
        }
    }
}

extension Report.RegisterAccess? {
    fileprivate var words: String { map { "\($0.reads), \($0.writes)" } ?? "?" }
}

extension Comparison.ExitLevel {
    fileprivate var words: String {
        switch self {
        case .l1: "L1"
        case .l2: "L2"
        case .unknown: "unknown level:"
        }
    }
}

extension Comparison.Count? {
    /// `1234.5 (49380)`.
    fileprivate var words: String {
        guard let self else { return "-" }
        guard let rate = self.perSecond else { return "\(self.count)" }
        let tenths = UInt64((rate * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) (\(self.count))"
    }
}

extension Comparison.VectorChange {
    /// What became of it comes first, then how often.
    fileprivate var weight: UInt64 {
        let (a, b) = (self.a?.deliveries ?? 0, self.b?.deliveries ?? 0)
        return (self.a?.fate == self.b?.fate ? 0 : UInt64.max / 2) + min(a > b ? a - b : b - a, .max / 4)
    }
}

extension Comparison.VectorSide {
    fileprivate var deliveries: UInt64 {
        ledger.map { max($0.accepted.sum, $0.acknowledged.sum, $0.ended.sum) } ?? 0
    }
}

extension Comparison.VectorSide? {
    /// `lost: accepted 401, taken 1, ended 1`.
    fileprivate var words: String {
        guard let self else { return "-" }
        guard let ledger = self.ledger else { return self.fate.rawValue }
        let isClassed = self.fate == .accepted || self.fate == .outstanding
        let reason = isClassed ? ledger.class.map { " (\($0.rawValue))" } ?? "" : ""
        return "\(self.fate.rawValue)\(reason) \(ledger.accepted.sum)/\(ledger.acknowledged.sum)/\(ledger.ended.sum)"
    }
}
