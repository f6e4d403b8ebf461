// SPDX-License-Identifier: Apache-2.0

/// Who watches beside the rules and the observations, for an output that needs more than they keep. Mostly nobody does, and that
/// costs nothing: the analysis is compiled for each.
public protocol Onlooker: MachineObserver, ~Copyable, Sendable {
    /// The time that is asked for begins: what came before is no part of it.
    mutating func begin()
    /// Other vCPUs have these places from now on.
    mutating func forget(_ vcpus: [VCPUIndex])
    /// Its memory is used up.
    var needsRoom: Bool { get }
    /// - Parameter moments: when what findings rest on happened, as far as there are any.
    mutating func makeRoom(keeping moments: [Moment], in machine: borrowing Machine)
    /// The trace is over.
    mutating func finish(_ machine: borrowing Machine)
}

/// When something happened on a vCPU, or on any of a VM's.
public struct Moment: Equatable, Sendable {
    public var vm: VMIndex
    public var vcpu: VCPUIndex?
    public var time: UInt64
}

extension NoObserver: Onlooker {
    @inline(__always)
    public var needsRoom: Bool { false }
    public mutating func begin() {}
    public mutating func forget(_ vcpus: [VCPUIndex]) {}
    public mutating func makeRoom(keeping moments: [Moment], in machine: borrowing Machine) {}
    public mutating func finish(_ machine: borrowing Machine) {}
}
