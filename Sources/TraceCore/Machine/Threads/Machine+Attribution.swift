// SPDX-License-Identifier: Apache-2.0

/// Which thread, vCPU and VM an event belongs to, and what a gap in the trace touches.
extension Machine {
    /// Makes an event the one at hand: its stamp and its thread. False where there is no room for the thread or for its vCPU.
    @inline(__always)
    mutating func attribute(_ stamp: EventStamp, _ observer: inout some Observer) -> Bool {
        if stamp.time > now { now = stamp.time }
        self.stamp = stamp
        guard let thread = threads.stillRunning(stamp) ?? switchThread(&observer),
            threads[thread].vcpu != nil || !isFull
        else {
            unattributed &+= 1
            return false
        }
        self.thread = thread
        return true
    }

    /// The vCPU that an event names and its thread runs, which makes the event the one at hand. Nil as for ``attribute(_:_:)``.
    ///
    /// Entries and exits come here. All but a few find what their CPU ran before, and need neither the thread nor the stamp.
    @inline(__always)
    mutating func attribute(_ stamp: EventStamp, vcpu id: Int32?, _ observer: inout some Observer) -> VCPUIndex? {
        guard let vcpu = threads.stillRunning(stamp, id: id) else { return attributeAnew(stamp, vcpu: id, &observer) }
        if stamp.time > now { now = stamp.time }
        return vcpu
    }

    @inline(never)
    private mutating func attributeAnew(
        _ stamp: EventStamp, vcpu id: Int32?, _ observer: inout some Observer
    ) -> VCPUIndex? {
        attribute(stamp, &observer) ? vcpu(of: thread, id: id) : nil
    }

    /// The CPU of the event at hand runs another thread than before. Its vCPU lost what was lost there, if it has just come.
    @inline(never)
    private mutating func switchThread(_ observer: inout some Observer) -> ThreadIndex? {
        let (thread, hasMoved) = threads.switchThread(at: stamp)
        guard hasMoved, let thread, let vcpu = threads[thread].vcpu else { return thread }
        let cpu = Int(stamp.cpu)
        if gapEnds.indices.contains(cpu), gapEnds[cpu] > vcpus[vcpu].lastSeen { touchedByGap(vcpu, stamp, &observer) }
        return thread
    }

    /// A gap begins on a CPU: it touches the vCPUs whose thread was last seen there, and later those that come there.
    public mutating func lost(_ gap: EventGap, observer: inout some Observer) {
        if let process = gap.process { return lost(gap, of: process, &observer) }
        let cpu = Int(gap.cpu)
        // A gap whose CPU isn't known may be anywhere.
        guard cpu < ThreadTable.cachedCPUs else { return }
        while gapEnds.count <= cpu { gapEnds.append(0) }
        if cpu >= 0 { gapEnds[cpu] = gap.to ?? .max }
        for vm in vms.indices { vms[vm].apicv.touchedByGap() }
        for index in vcpus.indices {
            guard let tid = vcpus[index].tid, let thread = threads.index(tid: tid),
                cpu < 0 || threads[thread].lastCPU == gap.cpu
            else { continue }
            touchedByGap(index, EventStamp(time: gap.from ?? now, cpu: gap.cpu, tid: tid), &observer)
        }
    }

    /// A gap in a process's events touches its VMs alone, wherever their threads are, and those that may be its.
    private mutating func lost(
        _ gap: EventGap, of process: Int32, _ observer: inout some Observer
    ) {
        let known = grouping.groups(ofProcess: process).filter(vms.indices.contains)
        let (events, from) = (max(gap.events ?? 1, 1), gap.from ?? now)
        losses.add(events, of: process, now: from, until: gap.to ?? .max, isPlaced: !known.isEmpty)
        for vm in vms.indices where known.contains(vm) || grouping.groups[vm].process == nil && !vms[vm].hasEnded {
            vms[vm].lost(events)
            for vcpu in vms[vm].vcpus {
                guard let tid = vcpus[vcpu].tid else { continue }
                touchedByGap(vcpu, EventStamp(time: from, cpu: gap.cpu, tid: tid), &observer)
            }
        }
    }

    /// A process's thread runs a vCPU of a VM, which no thread of it did before: what the process lost may be this one's.
    private mutating func tellLosses(of process: Int32, to vm: VMIndex, isNew: Bool) {
        guard grouping.runs(vm, process: process), vms[vm].eventsLost == 0 else { return }
        let events = losses.take(of: process, now: now, isNew: isNew)
        if events > 0 { vms[vm].lost(events) }
    }

    private mutating func touchedByGap(
        _ vcpu: VCPUIndex, _ stamp: EventStamp, _ observer: inout some Observer
    ) {
        vcpus[vcpu].bracket.isOpen = false
        vcpus[vcpu].mode = .unknown
        vcpus[vcpu].hasOpenReflection = false
        vcpus[vcpu].hookedEOI = nil
        vcpus[vcpu].mayHaveHookedEOI = false
        vcpus[vcpu].picVectorOfL1 = nil
        vcpus[vcpu].injectionOfL1 = nil
        vcpus[vcpu].enteredAt = 0
        acceptHeld(vcpu, level: .unknown, &observer)
        vcpus[vcpu].standstill.ends()
        vcpus[vcpu].ledger.touchedByGap()
        observer.observe(.gap, of: vcpu, at: stamp, in: self)
    }

    /// The vCPU that a thread runs, new where the thread has run none before.
    @inline(__always)
    mutating func vcpu(of thread: ThreadIndex) -> VCPUIndex { threads[thread].vcpu ?? bindNewVCPU(thread, id: nil) }

    /// The same, for an event that names the vCPU.
    @inline(__always)
    mutating func vcpu(of thread: ThreadIndex, id: Int32?) -> VCPUIndex {
        if let known = threads[thread].vcpu, id == nil || vcpus[known].id == id { return known }
        return bindNewVCPU(thread, id: id)
    }

    /// The vCPU of the thread that an event came from; nil where it runs none.
    func vcpu(ofThreadAt stamp: EventStamp) -> VCPUIndex? { threads.latest(stamp).flatMap { threads[$0].vcpu } }

    /// The vCPU that an interrupt is offered to; nil where that isn't known.
    ///
    /// The handler of a hardware interrupt runs on whatever thread that hit: it may serve any VM.
    mutating func target(of accept: KVMEvent.APICAcceptIRQ, from thread: ThreadIndex) -> VCPUIndex? {
        if accept.inHardIRQ, grouping.only == nil {
            unattributed &+= 1
            return nil
        }
        return target(accept.vcpu, of: thread)
    }

    /// The vCPU with an id in the VM that a thread works for; one that was never seen to run is noted as a target.
    mutating func target(_ id: UInt32, of thread: ThreadIndex) -> VCPUIndex? {
        let id = Int32(exactly: id)
        // Most are the thread's own.
        if let own = threads[thread].vcpu, let id, vcpus[own].id == id { return own }
        guard let vm = worksFor(thread) ?? servedByVhost(thread) ?? grouping.only, vms.indices.contains(vm), let id
        else {
            unattributed &+= 1
            return nil
        }
        if let known = vms[vm].vcpu(id: id) { return known }
        guard !isFull else {
            unattributed &+= 1
            return nil
        }
        return add(VCPU(id: id, tid: nil, vm: vm))
    }

    /// The VM of a thread: its vCPU's, or the one that it created.
    func worksFor(_ thread: ThreadIndex) -> VMIndex? {
        if let vm = threads[thread].vm { return vm }
        let (tid, process) = (threads[thread].tid, threads[thread].process)
        guard let vm = grouping.group(ofWorker: tid, process: process), vms.indices.contains(vm) else { return nil }
        return vm
    }

    /// A vhost worker is named after its owner, `vhost-PID` (vhost_worker_create, drivers/vhost/vhost.c, 5.10 to 7.3).
    private func servedByVhost(_ thread: ThreadIndex) -> VMIndex? {
        guard let command = commands[threads[thread].tid], command.hasPrefix("vhost-"),
            let owner = Int32(command.dropFirst("vhost-".count)),
            let vm = grouping.group(ofOwner: owner), vms.indices.contains(vm)
        else { return nil }
        return vm
    }

    /// The vCPU that a thread runs, and its VM, as KVM itself names them: that settles what was inferred before.
    mutating func vcpu(of thread: ThreadIndex, _ state: VCPUState) -> VCPUIndex {
        let known = threads[thread].vcpu
        let vm = grouping.group(kvm: state.vm, process: state.process, presumed: known.map { vcpus[$0].vm })
        ensureVM(vm)
        if let known {
            if vcpus[known].vm == vm, vcpus[known].id == state.vcpu { return known }
            guard !isFull || vms[vm].vcpu(id: state.vcpu) != nil else { return known }
        }
        let tid = threads[thread].tid
        let isNew = state.isFirstRun || grouping.creation(by: tid) != nil
        grouping.forgetCreation(by: tid)
        return bind(thread, tid: tid, id: state.vcpu, vm: vm, isNew: isNew)
    }

    private mutating func bindNewVCPU(_ thread: ThreadIndex, id: Int32?) -> VCPUIndex {
        let tid = threads[thread].tid
        if let known = threads[thread].vcpu, let id {
            // The thread's vCPU id has become known, or it runs another vCPU from now on.
            let vm =
                vcpus[known].id == nil
                ? grouping.learned(vcpu: id, ofThread: tid, in: vcpus[known].vm) : vcpus[known].vm
            ensureVM(vm)
            guard !isFull || vms[vm].vcpu(id: id) != nil else { return known }
            return bind(thread, tid: tid, id: id, vm: vm)
        }
        let vm = grouping.join(tid: tid, vcpu: id, process: threads[thread].process)
        ensureVM(vm)
        return bind(thread, tid: tid, id: id, vm: vm)
    }

    /// - Parameter isNew: the VM is known to begin now.
    private mutating func bind(_ thread: ThreadIndex, tid: Int32, id: Int32?, vm: VMIndex, isNew: Bool = false)
        -> VCPUIndex
    {
        let unnamed = threads[thread].vcpu.flatMap { vcpus[$0].id == nil ? $0 : nil }
        let index: VCPUIndex
        if let id, let target = vms[vm].vcpu(id: id) {
            index = target
            if let unnamed { merge(unnamed, into: target) }
        } else if let id, let unnamed, vcpus[unnamed].vm == vm {
            index = unnamed
            vcpus[index].id = id
            vms[vm].learned(id: id, of: unnamed)
        } else {
            if let unnamed { retire(unnamed) }
            index = add(VCPU(id: id, tid: tid, vm: vm))
        }
        vcpus[index].tid = tid
        vcpus[index].lastSeen = now
        let changesVM = threads[thread].vm != vm
        threads.setVCPU(index, id: id, vm: vm, ofThread: thread)
        if changesVM {
            tellLosses(of: threads[thread].process, to: vm, isNew: isNew)
            // What the thread itself changed before it ran.
            adoptOrphans()
        }
        return index
    }

    /// A thread's vCPU, whose first few events named nobody, turned out to be one that is known as a target.
    private mutating func merge(_ vcpu: VCPUIndex, into target: VCPUIndex) {
        if vcpus[target].tid == nil {
            var merged = vcpus[vcpu]
            (merged.id, merged.vm) = (vcpus[target].id, vcpus[target].vm)
            merged.ledger.add(vcpus[target].ledger)
            vcpus[target] = merged
            vcpus[vcpu].successor = target
        }
        retire(vcpu)
    }

    /// It was another VM's, or goes on under another index.
    private mutating func retire(_ vcpu: VCPUIndex) {
        vcpus[vcpu].tid = nil
        vms[vcpus[vcpu].vm].remove(vcpu, id: vcpus[vcpu].id)
    }

    /// Threads that had been tied to another VM turned out to be this one's.
    private mutating func adopt(_ tids: [Int32], into vm: VMIndex) {
        for tid in tids {
            guard let thread = threads.index(tid: tid), let vcpu = threads[thread].vcpu else { continue }
            if let target = vcpus[vcpu].id.flatMap({ vms[vm].vcpu(id: $0) }) { retire(target) }
            vms[vcpus[vcpu].vm].remove(vcpu, id: vcpus[vcpu].id)
            vms[vm].add(vcpu, id: vcpus[vcpu].id)
            vcpus[vcpu].vm = vm
            threads.setVM(vm, ofThread: thread)
        }
    }

    private mutating func add(_ vcpu: VCPU) -> VCPUIndex {
        let index = vcpus.put(vcpu, reusing: &freeVCPUs)
        if vcpus.count - freeVCPUs.count > Self.capacity - Self.reserve { isCrowded = true }
        vms[vcpu.vm].add(index, id: vcpu.id)
        return index
    }

    private mutating func ensureVM(_ vm: VMIndex) {
        guard !vms.indices.contains(vm) || vms[vm].isVacant else { return }
        let new = VirtualMachine(serial: vmsSeen)
        vms[vm, default: new] = new
        vmsSeen += 1
        adopt(grouping.claimNeighbours(of: vm), into: vm)
        adoptOrphans()
    }

    /// Changes made before their VM was known take effect in the order they were made.
    private mutating func adoptOrphans() {
        guard !orphanedChanges.isEmpty else { return }
        let changes = orphanedChanges
        orphanedChanges = []
        for (change, stamp) in changes {
            if let thread = threads.index(tid: stamp.tid), let vm = worksFor(thread) {
                _ = apply(change, toVM: vm, at: stamp)
            } else {
                orphanedChanges.append((change, stamp))
            }
        }
    }
}
