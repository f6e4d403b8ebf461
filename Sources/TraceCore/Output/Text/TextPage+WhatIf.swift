// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let vms = 8

    /// What `--what-if` asked for; VMs without anything to tell are only counted.
    mutating func add(whatIfOf report: Report, times: TimeText) {
        guard let whatIf = report.whatIf else { return }
        blank()
        add("What if \(whatIf.policy.description)", ink: .bold)
        if let inhibit = report.host.inhibitOnL2Access {
            add("This kernel has such an inhibit itself: \(inhibit.name), bit \(inhibit.bit).", indent: 2)
        }
        let told = whatIf.vms.filter { vm in
            vm.trigger != nil || vm.outcome == .alreadyInhibited
                || vm.outcome == .unknown && report.vms.contains { $0.id == vm.vm && $0.hasL2 }
        }
        for vm in told.prefix(style.shown(Self.vms)) { add(vm, of: report, times) }
        if told.count > style.shown(Self.vms) {
            add("and \(told.count - Self.vms) VMs more: --json has them all", indent: 2)
        }
        let others = whatIf.vms.count - told.count
        if others > 0 {
            add("\(others) VM\(others == 1 ? "" : "s"): no L2 is seen to reach the page.", indent: 2)
        }
        if whatIf.vms.isEmpty { add("No VM that was asked for shows in the trace.", indent: 2) }
        add(whatIf.limits.joined(separator: " "), label: "Not known", indent: 2, column: 12, ink: .bold)
    }

    private mutating func add(_ vm: Report.WhatIf.VM, of report: Report, _ times: TimeText) {
        let name = report.name(ofVM: vm.vm, vcpu: nil)
        guard let trigger = vm.trigger else {
            let words =
                vm.outcome == .alreadyInhibited
                ? "APICv was inhibited whenever L2 reached the page: nothing would change."
                : "the trace doesn't show whether L2 reached the page while APICv was active."
            return add("\(name): \(words)", indent: 2)
        }
        let latest = vm.isLate ? " at the latest" : ""
        add(
            "\(name): inhibited from \(times.both(trigger.time)) on\(latest): \(trigger.event), \(trigger.text).",
            indent: 2)
        add("L2's accesses from then on, emulated with the inhibit and without: \(vm.l2Direct.description).", indent: 4)
        for finding in vm.findings { add(finding, of: report) }
        if let cost = vm.cost { add(cost, times) }
    }

    private mutating func add(_ finding: Report.WhatIf.Finding, of report: Report) {
        guard let found = report.findings.first(where: { $0.id == finding.id }) else { return }
        let words =
            switch finding.path {
            case .emulated: "all that shows it came later: without APICv there is no SVI to be stale."
            case .before: "began before the inhibit, which would not have prevented that."
            case .unknown: "whether its cause came before the inhibit doesn't show."
            }
        let vectors = found.vectors.isEmpty ? "" : ", \(found.vectorList(style))"
        add("\(found.id) (\(found.rule.rawValue), \(found.grade.rawValue)\(vectors)): \(words)", indent: 4)
    }

    private mutating func add(_ cost: Report.WhatIf.Cost, _ times: TimeText) {
        let more = cost.eoiExits &+ cost.deliveryExits
        var words = "Cost, as far as it can be counted: \(more) exits more beside \(cost.exits)"
        if let duration = cost.duration, duration > 0, let time = times.duration(from: 0, to: duration) {
            words += " in \(time), \(Self.rate(more, duration)) a second beside \(Self.rate(cost.exits, duration))"
        }
        let (eois, deliveries) = (cost.eoiExits, cost.deliveryExits)
        add(
            "\(words): \(eois) EOI\(eois == 1 ? "" : "s") of L1's and \(deliveries) deliver\(deliveries == 1 ? "y" : "ies").",
            indent: 4)
    }

    /// In a second, of so many nanoseconds.
    private static func rate(_ count: UInt64, _ nanoseconds: UInt64) -> UInt64 {
        UInt64(exactly: (Double(count) * 1e9 / Double(nanoseconds)).rounded()) ?? .max
    }
}

extension InhibitPolicy {
    /// Ends the question.
    fileprivate var description: String {
        switch self {
        case .inhibitOnL2Access: "KVM inhibited APICv when L2 first reaches L1's APIC page (\(rawValue))?"
        }
    }
}
