// SPDX-License-Identifier: Apache-2.0

/// How long a vCPU has run guest code while something waited: time in which it could have taken an interrupt.
///
/// A vCPU that the host doesn't run, for want of a CPU or because the VM is paused, stands still inside an exit or between
/// two; that is no waiting of the guest's.
struct RunClock: Equatable, Sendable {
    /// Nanoseconds in which it ran, exits with what KVM needs for them included.
    private(set) var awake: UInt64 = 0
    /// The same, and HLTs that L0 handled: a guest that waits for work sleeps there, and so does one that is parked with
    /// interrupts off.
    private(set) var total: UInt64 = 0
    /// Time of the latest entry.
    private var entered: UInt64?

    /// What one run of the guest, or one HLT, adds at most.
    private static let longestRun: UInt64 = 200_000_000
    /// What handling one exit takes at most: more is a host that does something else.
    private static let longestExit: UInt64 = 1_000_000

    /// The vCPU enters the guest, after an exit at `exited`.
    mutating func entered(at time: UInt64, exited: UInt64, slept: Bool) {
        defer { entered = time }
        guard let entered else { return }
        let run = min(exited.elapsed(since: entered), Self.longestRun)
        let handled = time.elapsed(since: max(exited, entered))
        awake &+= run &+ min(handled, Self.longestExit)
        total &+= run &+ min(handled, slept ? Self.longestRun : Self.longestExit)
    }

    /// Nobody looks at its entries from now on.
    mutating func stops() {
        entered = nil
    }
}
