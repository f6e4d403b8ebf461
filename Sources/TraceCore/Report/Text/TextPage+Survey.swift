// SPDX-License-Identifier: Apache-2.0

extension TextPage {
    private static let intervals = 6
    private static let vcpus = 12

    /// What was looked at: the answer to "clean of what?" where there is no finding.
    mutating func add(surveyOf report: Report, times: TimeText) {
        if report.vms.isEmpty { add("No vCPU shows in this trace.") }
        for vm in report.vms {
            add("", label: vm.name, ink: .bold)
            for interval in vm.apicv.prefix(Self.intervals) {
                add("APICv \(interval.description): \(times.interval(from: interval.from, to: interval.to))", indent: 2)
            }
            if vm.apicv.count > Self.intervals {
                add("and \(vm.apicv.count - Self.intervals) more changes of APICv's state", indent: 2)
            }
            for vcpu in vm.vcpus.prefix(Self.vcpus) { add(vcpu: vcpu) }
            if vm.vcpus.count > Self.vcpus {
                add("and \(vm.vcpus.count - Self.vcpus) more vCPUs", indent: 2)
            }
        }
    }

    private mutating func add(vcpu: Report.VCPU) {
        let name = vcpu.id.map { "vCPU \($0)" } ?? "a vCPU without a number"
        let exits = [("L1", vcpu.exits.l1), ("L2", vcpu.exits.l2), ("an unknown level", vcpu.exits.unknown)]
            .map { level, reasons in (level, reasons.values.reduce(0, &+)) }
            .filter { level, count in count > 0 || level == "L2" }
            .map { "\($0.1) from \($0.0)" }
        add(
            "\(name), thread \(vcpu.tid): exits \(exits.joined(separator: ", ")); "
                + "L1's APIC used by L2: direct \(vcpu.apicAccess.l2Direct.description), "
                + "hooked by L1 \(vcpu.apicAccess.l2Hooked.description)",
            indent: 2)
    }
}

extension Report.APICAccesses {
    /// `8 reads, 3 writes`; `?` for what the trace can't show.
    fileprivate var description: String {
        let counts = [(reads, "reads"), (writes, "writes")].filter { $0.0 != 0 }
        return counts.isEmpty ? "never" : counts.map { "\($0.0.orUnknown) \($0.1)" }.joined(separator: ", ")
    }
}
