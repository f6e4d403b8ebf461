// SPDX-License-Identifier: Apache-2.0

/// What watches an analysis's machine: the rules, which judge, and the observations, which don't.
public struct Watchers: MachineObserver, Sendable {
    public internal(set) var rules = Rules()
    public internal(set) var observations = Observations()

    public init() {}

    @inline(__always)
    public mutating func observe(
        _ transition: Transition, of vcpu: VCPUIndex, at stamp: EventStamp, in machine: borrowing Machine
    ) {
        rules.observe(transition, of: vcpu, at: stamp, in: machine)
        observations.observe(transition, of: vcpu, at: stamp, in: machine)
    }

    @inline(__always)
    public func watchesEntries(of vcpu: VCPUIndex) -> Bool {
        rules.watchesEntries(of: vcpu) || observations.watchesEntries(of: vcpu)
    }

    @inline(__always)
    public func watchesExits(of vcpu: VCPUIndex) -> Bool {
        rules.watchesExits(of: vcpu) || observations.watchesExits(of: vcpu)
    }
}
