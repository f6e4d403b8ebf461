// SPDX-License-Identifier: Apache-2.0

/// VMs that end: judged, and their places left to others.
extension WatchedAnalysis where Other: ~Copyable {
    mutating func ended(_ tid: Int32, process: Int32, at stamp: EventStamp) {
        guard stamp.time <= window.upperBound else { return }
        end(machine.ended(tid, process: process), at: stamp.time)
        machine.forgetNames(of: tid, process: process)
    }

    mutating func end(_ vms: [VMIndex], at time: UInt64) {
        guard !vms.isEmpty else { return }
        let fix = watchers.rules.fixState(in: machine)
        var findings: [VMIndex: [RuleFinding]] = [:]
        let vcpus = vms.flatMap { machine.places(of: $0) }.sorted()
        for finding in watchers.rules.findings(in: machine, fix: fix, ofVCPUs: vcpus) {
            findings[finding.vm, default: []].append(finding)
        }
        watchers.rules.rememberFix(in: machine)
        for vm in vms {
            let places = machine.places(of: vm)
            ended.add(
                .init(
                    findings: findings[vm] ?? [],
                    observations: watchers.observations.list(ofVM: vm, in: machine, isWhole: !hasLostOfAnybody),
                    coverage: Coverage(ofVM: vm, machine, fix: fix), vcpus: places.count,
                    isWanted: !wanted.vms.isEmpty && machine.isSelected(vm, wanted)),
                of: vm)
            machine.close(vm, at: time)
            forget(vm, places)
        }
        leave()
    }

    /// Nearly all places for vCPUs are taken: those of VMs that ended are left to others, then those of VMs that were silent
    /// for longest.
    @inline(never)
    mutating func makeRoom() {
        leave()
        guard machine.isCrowded else { return }
        let silent = machine.silentVMs()
        ended.presumed += silent.count
        end(silent, at: machine.now)
        // The one that is left fills them all. More of its vCPUs are left out.
        machine.isCrowded = false
    }

    /// What ended before the time that is asked for is no part of it.
    mutating func forgetEnded() {
        var others = VMTotals()
        for vm in ended.places { left(vm, machine.vacate(vm, into: &others)) }
        ended = EndedVMs()
    }

    private mutating func leave() {
        while let vm = ended.leaving(isCrowded: machine.isCrowded) {
            if !wanted.isEmpty, machine.isSelected(vm, wanted) {
                ended.ofWanted.add(vm, of: machine, until: machine.now, only: wanted)
            }
            left(vm, machine.vacate(vm, into: &ended.totals))
        }
    }

    private mutating func left(_ vm: VMIndex, _ places: [VCPUIndex]) {
        forget(vm, places)
        watchers.policy?.forget(vm)
        watchers.onlooker.forget(places)
    }

    private mutating func forget(_ vm: VMIndex, _ places: [VCPUIndex]) {
        watchers.forget(vm: vm, vcpus: places)
    }
}
