// SPDX-License-Identifier: Apache-2.0

/// What watches the machine: it sees each transition as it happens. Several watch it together as one (``Watchers``).
public protocol MachineObserver: ~Copyable {
    mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine)
    /// Whether it has a use for a vCPU's entries, which are a third of a trace: only then is it told ``Transition/entered(_:)``.
    func watchesEntries(of vcpu: VCPUIndex) -> Bool
    /// The same of its exits, which are as many.
    func watchesExits(of vcpu: VCPUIndex) -> Bool
}

/// Any of them: what holds tables can't be copied.
public typealias Observer = MachineObserver & ~Copyable

extension MachineObserver where Self: ~Copyable {
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool { true }
    public func watchesExits(of vcpu: VCPUIndex) -> Bool { false }
}

/// Nobody watches it.
public struct NoObserver: MachineObserver, Sendable {
    public init() {}

    @inline(__always)
    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {}

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool { false }
}
