// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// Which VMs and vCPUs are asked for.
struct SelectionOptions: ParsableArguments {
    @Option(
        name: [.customLong("vm"), .customShort("p"), .customLong("pid")],
        help: ArgumentHelp(
            "Only these VMs: by the process id of the VMM, its command or the guest's name, or as the report says it (\"VM 0\"). "
                + "With commas, or given several times, they add up.", valueName: "vm,..."))
    var vm: [CommaList<VMName>] = []

    @Option(
        help: ArgumentHelp("Only these vCPUs: numbers and ranges, such as 0,2-3.", valueName: "n,..."))
    var vcpu: [CommaList<IndexRange>] = []

    var selection: Selection {
        Selection(vms: vm.flatMap(\.elements).map(\.vm), vcpus: vcpu.flatMap(\.elements).map(\.range))
    }
}

/// A VM as a user calls it.
struct VMName: ExpressibleByArgument {
    let vm: Selection.VM

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        vm = Selection.VM(argument)
    }
}
