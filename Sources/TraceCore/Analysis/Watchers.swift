// SPDX-License-Identifier: Apache-2.0

/// What watches an analysis's machine: the rules, which judge, and the observations, which don't; and whoever an output wants.
public struct Watchers<Other: Onlooker & ~Copyable>: MachineObserver, ~Copyable, Sendable {
    public internal(set) var rules = Rules()
    public internal(set) var observations = Observations()
    /// What KVM is asked to have done otherwise, nil where nobody asks.
    var policy: InhibitOnL2Access?
    var onlooker: Other
    /// Somebody waits for what the vCPU's next entry says. It is asked at each entry, for which four tables would be looked into.
    private var waiting = Table<VCPUIndex, Bool>()

    init(onlooker: consuming Other) {
        self.onlooker = onlooker
    }

    /// All of them begin anew.
    mutating func begin(at time: UInt64) {
        rules = Rules()
        observations = Observations()
        waiting = Table()
        policy?.begin(at: time)
        onlooker.begin()
    }

    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        if onlooker.watchesExits(of: vcpu) {
            onlooker.observe(transition, of: vcpu, at: stamp, in: machine)
            if case .exited = transition { return }
        }
        rules.observe(transition, of: vcpu, at: stamp, in: machine)
        observations.observe(transition, of: vcpu, at: stamp, in: machine)
        policy?.observe(transition, of: vcpu, at: stamp, in: machine)
        look(at: vcpu)
    }

    public mutating func entered(
        _ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        if onlooker.watchesEntries(of: vcpu) {
            onlooker.entered(level, of: vcpu, at: stamp, in: machine)
            guard isWaiting(vcpu) else { return }
        }
        rules.entered(level, of: vcpu, at: stamp, in: machine)
        observations.entered(level, of: vcpu, at: stamp, in: machine)
        look(at: vcpu)
    }

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool { onlooker.watchesEntries(of: vcpu) || isWaiting(vcpu) }

    /// Neither rules nor observations do.
    @inline(__always)
    public func watchesExits(of vcpu: VCPUIndex) -> Bool { onlooker.watchesExits(of: vcpu) }

    /// Live: the words of a vCPU's local APIC.
    mutating func lapic(
        _ reading: LAPICReading, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        rules.lapic(reading, of: vcpu, at: stamp, in: machine)
        look(at: vcpu)
    }

    /// A VM has ended: other vCPUs have its places from now on.
    mutating func forget(vm: VMIndex, vcpus: [VCPUIndex]) {
        rules.forget(vm: vm, vcpus: vcpus)
        observations.forget(vcpus)
        for vcpu in vcpus { look(at: vcpu) }
    }

    private mutating func look(at vcpu: VCPUIndex) {
        waiting[vcpu, default: false] = rules.watchesEntries(of: vcpu) || observations.watchesEntries(of: vcpu)
    }

    @inline(__always)
    private func isWaiting(_ vcpu: VCPUIndex) -> Bool { waiting.contains(vcpu) && waiting[vcpu] }
}
