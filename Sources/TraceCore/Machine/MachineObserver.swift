// SPDX-License-Identifier: Apache-2.0

/// What watches the machine: it sees each transition as it happens. Several watch it together as one (``Watchers``).
public protocol MachineObserver: ~Copyable {
    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine)
    /// The vCPU runs guest code of this level from now on. A third of a trace: called only where it is asked for.
    mutating func entered(_ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine)
    func watchesEntries(of vcpu: VCPUIndex) -> Bool
    /// Whether it has a use for ``Transition/exited(_:level:)``, which are as many, and for what is told only then.
    func watchesExits(of vcpu: VCPUIndex) -> Bool
}

/// Any of them: what holds tables can't be copied.
public typealias Observer = MachineObserver & ~Copyable

extension MachineObserver where Self: ~Copyable {
    public mutating func entered(
        _ level: Level, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {}
    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool { false }
    @inline(__always)
    public func watchesExits(of vcpu: VCPUIndex) -> Bool { false }
}

/// Nobody watches it.
public struct NoObserver: MachineObserver, Sendable {
    public init() {}

    @inline(__always)
    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {}
}
