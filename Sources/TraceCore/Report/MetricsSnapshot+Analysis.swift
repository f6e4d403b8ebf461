// SPDX-License-Identifier: Apache-2.0

extension MetricsSnapshot {
    /// What the VMs that are asked for have done so far, those that ended included.
    ///
    /// - Parameter time: up to when everything has come, in clock units.
    public mutating func add(_ analysis: borrowing Analysis, until time: UInt64) {
        let wanted = analysis.wanted
        // Those whose places are others' now, and then those that have a place.
        var sum = wanted.isEmpty ? analysis.ended.totals : analysis.ended.ofWanted
        vmsEnded += UInt64(sum.vms)
        for vm in analysis.machine.vms.indices
        where !analysis.machine.vms[vm].isVacant && analysis.machine.isSelected(vm, wanted) {
            sum.add(vm, of: analysis.machine, until: time, only: wanted)
            if analysis.machine.vms[vm].hasEnded { vmsEnded += 1 } else { addRunning(vm, of: analysis.machine, wanted) }
        }
        add(sum.inhibited, analysis.machine.inhibitNames)
        for (path, counts) in [
            (Access.Path.l1, sum.accessesByL1), (.l2Direct, sum.accessesDirect), (.l2Hooked, sum.accessesHooked),
            (.l2Own, sum.accessesOwn), (.unknown, sum.accessesUnbracketed),
        ] {
            accesses[Access(path, isWrite: false), default: 0] += counts.reads
            accesses[Access(path, isWrite: true), default: 0] += counts.writes
        }
    }

    /// None that has not run a vCPU.
    private mutating func addRunning(_ vm: VMIndex, of machine: borrowing Machine, _ wanted: Selection) {
        let ran = machine.vms[vm].vcpus.count {
            machine.vcpus[$0].tid != nil && wanted.contains(vcpu: machine.vcpus[$0].id)
        }
        guard ran > 0 else { return }
        vms[machine.vms[vm].apicv.state, default: 0] += 1
        vcpus += UInt64(ran)
    }

    /// A reason that has not been there yet has its zero: a rate needs a value to begin with.
    private mutating func add(_ time: InhibitedTime, _ names: InhibitNames) {
        for name in names.certainNames { inhibited[name, default: 0] += 0 }
        for reason in time.reasons { inhibited[names.name(bit: reason.bit), default: 0] += reason.time }
        inhibited["unknown", default: 0] += time.unknown
    }
}
