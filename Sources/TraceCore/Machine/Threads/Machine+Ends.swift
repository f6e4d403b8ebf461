// SPDX-License-Identifier: Apache-2.0

/// VMs that end while the trace goes on: they take part in nothing any more, and once their accounts were added up their places
/// are the next ones'.
extension Machine {
    /// A thread that ran a vCPU has ended, perhaps with its process (0: not). Returns the VMs that run no more.
    mutating func ended(_ tid: Int32, process: Int32) -> [VMIndex] {
        // Another thread may have its id.
        grouping.forgetCreation(by: tid)
        var ended = process == 0 ? [] : grouping.groups(ofProcess: process).filter(vms.indices.contains)
        if let thread = threads.index(tid: tid), let vm = threads[thread].vm {
            grouping.ended(tid, in: vm)
            threads.remove(tid: tid)
            // KVM lets no VM lose a vCPU: where all of their threads are gone, nobody can have it run again but by a new one.
            if process == 0, !vms[vm].hasEnded, !hasThreads(vm) { ended.append(vm) }
        }
        if process != 0 { losses.ended(process) }
        return ended
    }

    /// The names that have ended with a thread or process, whose ids are used again.
    mutating func forgetNames(of tid: Int32, process: Int32) {
        guard process != 0 else {
            // A process is called as its first thread is, which may end before the process.
            if !vms.indices.contains(where: { !vms[$0].hasEnded && self.process(ofVM: $0) == tid }) {
                commands[tid] = nil
            }
            return
        }
        commands[tid] = nil
        commands[process] = nil
        guests[process] = nil
        threads.remove(ofProcess: process)
    }

    /// Some vCPU has a thread, or has not had one yet.
    private func hasThreads(_ vm: VMIndex) -> Bool {
        vms[vm].vcpus.contains { vcpu in
            guard let tid = vcpus[vcpu].tid else { return true }
            return threads.index(tid: tid).map { threads[$0].vcpu == vcpu } ?? false
        }
    }

    /// The VM that what a vCPU is shows to have ended: one of the same process had its address, and the vCPU runs for the first
    /// time. Where first runs are not reported: the vCPU's thread has made another VM since, and no vCPU of the one before has run.
    func ended(before state: VCPUState, of tid: Int32) -> VMIndex? {
        guard let vm = grouping.group(kvm: state.vm, process: state.process), vms.indices.contains(vm) else {
            return nil
        }
        if state.isFirstRun {
            return vms[vm].vcpu(id: state.vcpu).flatMap { vcpus[$0].enteredAt > 0 ? vm : nil }
        }
        guard !tellsFirstRuns, let creation = grouping.creation(by: tid) else { return nil }
        return vms[vm].vcpus.allSatisfy { vcpus[$0].lastSeen <= creation } ? vm : nil
    }

    /// A VM runs no more. Its accounts stay.
    mutating func close(_ vm: VMIndex, at time: UInt64) {
        vms[vm].command = command(ofVM: vm)
        vms[vm].guest = guest(ofVM: vm)
        vms[vm].hasEnded = true
        vms[vm].apicv.ended(at: time)
        for vcpu in vms[vm].vcpus { vcpus[vcpu].bracket.isOpen = false }
        threads.leave(vm: vm)
        grouping.close(vm)
    }

    /// The places of a VM that was closed are others' from now on. Returns its vCPUs' places.
    mutating func vacate(_ vm: VMIndex, into totals: inout VMTotals) -> [VCPUIndex] {
        totals.add(vm, of: self, until: now)
        let places = places(of: vm)
        for place in places {
            vcpus[place] = VCPU(id: nil, tid: nil, vm: vm)
            vcpus[place].isFree = true
        }
        freeVCPUs += places
        vms[vm].vacate()
        grouping.vacate(vm)
        isCrowded = vcpus.count - freeVCPUs.count > Self.capacity - Self.reserve
        return places
    }

    /// All that a VM has, with those that turned out to be another of its vCPUs.
    func places(of vm: VMIndex) -> [VCPUIndex] { vcpus.indices.filter { vcpus[$0].vm == vm && !vcpus[$0].isFree } }

    /// VMs that have been silent for longest, which have an eighth of all places: looking for them takes long. Never all VMs.
    func silentVMs() -> [VMIndex] {
        var held = Table<VMIndex, (latest: UInt64, places: Int)>()
        for vcpu in vcpus.indices where !vcpus[vcpu].isFree {
            let vm = vcpus[vcpu].vm
            held[vm, default: (0, 0)].latest = max(held[vm, default: (0, 0)].latest, vcpus[vcpu].lastSeen)
            held[vm].places += 1
        }
        var (silent, freed) = ([VMIndex](), 0)
        let running = held.indices.filter { !vms[$0].hasEnded }
        for vm in running.sorted(by: { held[$0].latest < held[$1].latest }).dropLast() {
            guard freed < Self.capacity / 8 else { break }
            silent.append(vm)
            freed += held[vm].places
        }
        return silent
    }
}
