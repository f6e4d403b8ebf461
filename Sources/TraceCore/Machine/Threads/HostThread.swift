// SPDX-License-Identifier: Apache-2.0

/// A host thread that emitted events, and what it turned out to be.
struct HostThread: Sendable {
    let tid: Int32
    /// The vCPU that it runs; nil for a thread that has run none.
    var vcpu: VCPUIndex?
    /// The VM that it works for; nil while unknown.
    var vm: VMIndex?
    /// Its process, 0 where the source doesn't tell.
    var process: Int32 = 0
    /// Where it was seen last, -1 where it was only told of.
    var lastCPU: Int32
}
