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
    /// Where it was seen last, -1 where it was only told of.
    var lastCPU: Int32
}
