// SPDX-License-Identifier: Apache-2.0

/// A host thread that emitted events, and what it turned out to be.
struct HostThread: Sendable {
    let tid: Int32
    /// Index of the vCPU that it runs, -1 for a thread that has run none.
    var vcpu = -1
    /// Index of the VM that it works for, -1 while unknown.
    var vm = -1
    /// Its process, 0 where the source doesn't tell.
    var process: Int32 = 0
    var lastCPU: Int32
    var lastTime: UInt64

    /// Returns the time of the previous event where that was on another CPU.
    @inline(__always)
    mutating func ran(at stamp: EventStamp) -> UInt64? {
        let left = lastTime
        lastTime = stamp.time
        if lastCPU == stamp.cpu { return nil }
        lastCPU = stamp.cpu
        return left
    }
}
