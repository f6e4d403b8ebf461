// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let intervals = 6
    private static let vcpus = 12
    private static let vectors = 3
    private static let vmsWithoutL2 = 4
    private static let names = 12

    /// What was looked at: the answer to "clean of what?" where there is no finding.
    mutating func add(surveyOf report: Report, times: TimeText) {
        if report.vms.isEmpty { return add("No vCPU shows in this trace.") }
        add(report.host.description)
        let (shown, folded) = parted(report.vms)
        for vm in shown {
            add("", label: vm.name, ink: .bold)
            for interval in vm.apicv.prefix(style.shown(Self.intervals)) {
                add("APICv \(interval.description): \(times.interval(from: interval.from, to: interval.to))", indent: 2)
            }
            if vm.apicv.count > style.shown(Self.intervals) {
                add("and \(vm.apicv.count - Self.intervals) more changes of APICv's state", indent: 2)
            }
            for vcpu in vm.vcpus.prefix(style.shown(Self.vcpus)) { add(vcpu: vcpu) }
            add(busiestOf: vm)
            if vm.vcpus.count > style.shown(Self.vcpus) {
                add("and \(vm.vcpus.count - Self.vcpus) more vCPUs", indent: 2)
            }
        }
        add(folded: folded)
        if let ended = report.endedVMs { add(ended: ended) }
    }

    /// Those with an L2 and the busiest of the others; of the rest there is little to say.
    private func parted(_ vms: [Report.VM]) -> (shown: [Report.VM], folded: [Report.VM]) {
        let others = vms.filter { !$0.hasL2 && $0.events > 0 }.sorted { $0.events > $1.events }
        let busiest = Set(others.prefix(style.shown(Self.vmsWithoutL2)).map(\.id))
        let isShown = { (vm: Report.VM) in vm.hasL2 || busiest.contains(vm.id) || vms.count == 1 || style.isVerbose }
        return (vms.filter(isShown), vms.filter { !isShown($0) })
    }

    private mutating func add(folded vms: [Report.VM]) {
        guard !vms.isEmpty else { return }
        let (most, names) = (Self.names, vms.map(\.name))
        let rest = names.count > most ? " and \(names.count - most) more" : ""
        let exits = vms.flatMap(\.vcpus).flatMap { $0.exits.l1.values }.reduce(0, &+)
        add(
            "", label: "\(vms.count) more VM\(vms.count == 1 ? "" : "s") without an L2, \(exits) exits in all",
            ink: .bold)
        add(names.prefix(most).joined(separator: ", ") + rest, indent: 2)
    }

    private mutating func add(ended: Report.EndedVMs) {
        let exits = [ended.exits.l1, ended.exits.l2, ended.exits.unknown].flatMap(\.values).reduce(0, &+)
        add("", label: "\(ended.vms) VM\(ended.vms == 1 ? "" : "s") that ended", ink: .bold)
        add(
            "\(ended.vcpus) vCPU\(ended.vcpus == 1 ? "" : "s"): \(exits) exits, L1's APIC: "
                + "\(ended.apicAccess.l1.description) by L1, \(ended.apicAccess.l2Direct.description) by L2 itself",
            indent: 2)
    }

    /// The ledger of the vectors that came most often.
    private mutating func add(busiestOf vm: Report.VM) {
        let lines = vm.vcpus.flatMap { vcpu in vcpu.interrupts.map { (vcpu, $0) } }
        for (vcpu, line) in lines.sorted(by: { $0.1.events > $1.1.events }).prefix(style.shown(Self.vectors)) {
            add("\(line.description)", label: "\(vcpu.name),", indent: 2, column: 2 + vcpu.name.count + 2)
        }
    }

    private mutating func add(vcpu: Report.VCPU) {
        let exits = [("L1", vcpu.exits.l1), ("L2", vcpu.exits.l2), ("an unknown level", vcpu.exits.unknown)]
            .map { level, reasons in (level, reasons.values.reduce(0, &+)) }
            .filter { level, count in count > 0 || level == "L2" }
            .map { "\($0.1) from \($0.0)" }
        let thread = vcpu.tid.map { ", thread \($0)" } ?? ""
        add("\(vcpu.name)\(thread): exits \(exits.joined(separator: ", "))\(vcpu.apicOfL2)", indent: 2)
    }
}

extension Report.VM {
    /// How much it did, whatever it was.
    fileprivate var events: UInt64 {
        vcpus.reduce(0) { sum, vcpu in
            vcpu.interrupts.reduce(sum &+ (vcpu.exits.l1.values.reduce(0, &+))) { $0 &+ $1.events }
        }
    }
}

extension Report.VCPU {
    fileprivate var name: String { id.map { "vCPU \($0)" } ?? "a vCPU without a number" }

    /// What L2 did to a local APIC, and to whose; nothing where no L2 was seen to run.
    fileprivate var apicOfL2: String {
        guard hasL2 else { return "" }
        let own = apicAccess.l2Own.isEmpty ? "" : "; L2's own APIC, which L1 makes up: \(apicAccess.l2Own.description)"
        return "; L1's APIC used by L2: direct \(apicAccess.l2Direct.description), "
            + "hooked by L1 \(apicAccess.l2Hooked.description)\(own)"
    }
}

extension Report.InterruptLine {
    /// How much there was of it, whatever it was.
    fileprivate var events: UInt64 {
        [accepted, acknowledged, ended].flatMap { [$0.l1, $0.l2, $0.unknown] }.reduce(0) { $0 &+ ($1 ?? 0) }
    }
}

extension Report.APICAccesses {
    /// `8 reads, 3 writes`; `?` for what the trace can't show.
    var description: String {
        let counts = [(reads, "read"), (writes, "write")].filter { $0.0 != 0 }
        return counts.isEmpty
            ? "never" : counts.map { "\($0.0.orUnknown) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: ", ")
    }
}
