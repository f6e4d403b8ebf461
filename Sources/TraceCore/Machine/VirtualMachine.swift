// SPDX-License-Identifier: Apache-2.0

/// One VM: what its vCPUs share.
public struct VirtualMachine: Sendable {
    public internal(set) var isa: ISA = .unknown
    public internal(set) var apicv = APICvTimeline()
    /// Indices of its vCPUs in the machine, in order of appearance.
    public internal(set) var vcpus: [Int] = []

    init() {}

    /// Whether hardware may deliver an interrupt to L1 without any event.
    var mayDeliverSilently: Bool { apicv.state != .inhibited }
}
