// SPDX-License-Identifier: Apache-2.0

/// Interrupts that were offered to some VM's vCPU, which VM isn't known: by the handler of a host's interrupt, whose
/// thread is whichever it hit, or by a worker that serves no VM that is known.
///
/// The vCPU that is seen to take one has it. The oldest are forgotten.
struct HomelessAccepts: Sendable {
    struct Accept: Sendable {
        var vcpu: Int32
        var vector: UInt8
        var stamp: EventStamp
    }

    private var accepts: [Accept] = []
    /// How many never found their vCPU.
    private(set) var lost: UInt64 = 0

    private static let capacity = 64

    var isEmpty: Bool { accepts.isEmpty }
    var total: UInt64 { lost &+ UInt64(accepts.count) }

    func contains(_ vector: UInt8) -> Bool { accepts.contains { $0.vector == vector } }

    mutating func add(_ accept: Accept) {
        if accepts.count == Self.capacity {
            accepts.removeFirst()
            lost &+= 1
        }
        accepts.append(accept)
    }

    /// The latest accept of a vector by a vCPU with this id.
    mutating func claim(_ vector: UInt8, by vcpu: Int32) -> EventStamp? {
        guard let index = accepts.lastIndex(where: { $0.vector == vector && $0.vcpu == vcpu }) else { return nil }
        return accepts.remove(at: index).stamp
    }

    mutating func forgetCounts() { lost = 0 }
}
