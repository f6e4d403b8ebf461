// SPDX-License-Identifier: Apache-2.0

extension ReportBuilder {
    /// Those of what the user asked for; what is no VM's only where no VM or vCPU was named.
    func observations() -> [Report.Observation] {
        seen.filter { observation in
            // Changes of inhibits are kept from before the window, as the state of a VM is.
            guard observation.last >= window.lowerBound else { return false }
            if let vcpu = observation.vcpu, !isSelected(vcpu: vcpu) { return false }
            guard let vm = observation.vm else { return selection.isEmpty }
            return isSelected(vm: vm)
        }.map { observation in
            Report.Observation(
                kind: observation.kind, vm: observation.vm.map { machine.vms[$0].serial },
                vcpu: observation.vcpu.flatMap { machine.vcpus[$0].id },
                vector: observation.vector?.hex, first: relative(observation.first), last: relative(observation.last),
                count: observation.count, text: observation.text)
        }
    }

    /// Of a range that somebody gave without an end in mind.
    private static let vcpusNamed = 4096

    var narrowing: Report.Selection? {
        let (from, to) = (
            window.lowerBound == 0 ? nil : window.lowerBound, window.upperBound == .max ? nil : window.upperBound
        )
        guard !selection.isEmpty || from != nil || to != nil else { return nil }
        let vcpus = selection.vcpus.flatMap { Array($0.prefix(Self.vcpusNamed)) }
        return Report.Selection(
            vm: selection.vms.count == 1 ? selection.vms[0].process : nil, vcpu: vcpus.count == 1 ? vcpus[0] : nil,
            vms: selection.vms.map(\.description), vcpus: vcpus, from: from.map { relative($0) },
            to: to.map { relative($0) })
    }
}
