// SPDX-License-Identifier: Apache-2.0

extension Machine {
    /// The VMM's process, or the thread that created the VM; nil where neither is known.
    public func process(ofVM vm: VMIndex) -> Int32? {
        grouping.groups[vm].process ?? grouping.groups[vm].creator.flatMap { $0 < 0 ? nil : $0 }
    }

    /// The VMM's command.
    func command(ofVM vm: VMIndex) -> String? {
        if let command = vms[vm].command { return command }
        let thread = process(ofVM: vm) ?? vms[vm].vcpus.compactMap { vcpus[$0].tid }.first
        return thread.flatMap { commands[$0] }
    }

    /// The guest's own name.
    func guest(ofVM vm: VMIndex) -> String? {
        vms[vm].guest ?? process(ofVM: vm).flatMap { guests[$0] }
    }

    /// `qemu-system-x86 (pid 214)`, as far as it is known.
    public func name(ofVM vm: VMIndex) -> String {
        Report.VM.name(
            id: vms[vm].serial, pid: process(ofVM: vm), command: command(ofVM: vm), guest: guest(ofVM: vm)
        ).printable
    }
}
