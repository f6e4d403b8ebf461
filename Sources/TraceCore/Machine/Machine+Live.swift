// SPDX-License-Identifier: Apache-2.0

/// What only live tracing knows, read from KVM's own structures: it replaces what a file's events let one infer.
extension Machine {
    private static let mostCommands = 1 << 16

    /// What KVM holds of the vCPU that runs on the stamp's thread.
    mutating func state(
        _ state: VCPUState, at stamp: EventStamp, observer: inout some Observer
    ) {
        guard attribute(stamp, &observer) else { return }
        if state.isFirstRun { tellsFirstRuns = true }
        let vcpu = vcpu(of: thread, state)
        vcpus[vcpu].state = state
        vcpus[vcpu].lastSeen = stamp.time
        vcpus[vcpu].mode = state.isGuestMode ? .l2 : .l1
        if state.isGuestMode { vcpus[vcpu].hasNested = true }
        let vm = vcpus[vcpu].vm
        if vms[vm].isa == .unknown { vms[vm].isa = info.isa }
        if state.vmx != nil {
            vcpus[vcpu].hasHiddenVMCS = false
        } else if state.isAPICvActive {
            vcpus[vcpu].hasHiddenVMCS = true
        }
        let tellsMasks = info.recordedKinds.contains(.apicvInhibitChanged)
        let isChange = vms[vm].apicv.read(state.inhibits, tellsMasks: tellsMasks, at: stamp.time)
        guard isChange else { return }
        settleAccesses(ofVM: vm)
        observer.observe(.inhibitsChanged, of: vcpu, at: stamp, in: self)
    }

    /// Whether SVI can't be judged on one of a VM's vCPUs: what it takes was not read.
    func hidesSVI(ofVM vm: VMIndex) -> Bool {
        vms[vm].isa != .svm && vms[vm].vcpus.contains { vcpus[$0].hidesItsSVI }
    }

    /// A thread belongs to a process.
    mutating func setProcess(_ process: Int32, ofThread tid: Int32) {
        threads.setProcess(process, ofThread: tid)
    }

    /// Exits of a vCPU that has never run L2 were counted and not reported one by one.
    mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {
        guard let vcpu = threads.index(tid: tid).flatMap({ threads[$0].vcpu }) else { return }
        vcpus[vcpu].exits.add(reason, level: .l1, count: count)
        vcpus[vcpu].exitsCounted &+= count
    }

    /// A process or another thread has a name. Beyond all measure of names a new one is left out.
    public mutating func command(_ command: String, of tid: Int32) {
        if commands.count < Self.mostCommands || commands[tid] != nil { commands[tid] = command }
    }

    /// The words of a vCPU's local APIC were read. Returns the vCPU; what they mean is for the rules to say. Nil where there is no
    /// room for its thread any more.
    mutating func lapic(
        _ reading: LAPICReading, at stamp: EventStamp, observer: inout some Observer
    ) -> VCPUIndex? {
        guard attribute(stamp, &observer) else { return nil }
        let vcpu = vcpu(of: thread, id: reading.vcpu)
        vcpus[vcpu].lastSeen = stamp.time
        vcpus[vcpu].read(reading, at: stamp)
        return vcpu
    }
}
