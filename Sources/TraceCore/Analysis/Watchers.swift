// SPDX-License-Identifier: Apache-2.0

/// What watches an analysis's machine: the rules, which judge, and the observations, which don't.
public struct Watchers: MachineObserver, ~Copyable, Sendable {
    public internal(set) var rules = Rules()
    public internal(set) var observations = Observations()
    /// Somebody waits for what the vCPU's next entry says. It is asked at each entry, for which four tables would be looked into.
    private var waiting = Table<VCPUIndex, Bool>()

    public init() {}

    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        rules.observe(transition, of: vcpu, at: stamp, in: machine)
        observations.observe(transition, of: vcpu, at: stamp, in: machine)
        look(at: vcpu)
    }

    public mutating func entered(
        _ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        rules.entered(level, of: vcpu, at: stamp, in: machine)
        observations.entered(level, of: vcpu, at: stamp, in: machine)
        look(at: vcpu)
    }

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool { waiting.contains(vcpu) && waiting[vcpu] }

    @inline(__always)
    public func watchesExits(of vcpu: VCPUIndex) -> Bool {
        rules.watchesExits(of: vcpu) || observations.watchesExits(of: vcpu)
    }

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
}
