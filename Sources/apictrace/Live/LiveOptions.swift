// SPDX-License-Identifier: Apache-2.0

/// What to trace, as far as the kernel filters it.
struct LiveOptions: Equatable, Sendable {
    /// Process of the VM, nil for every VM.
    var vm: Int32?
    var vcpu: Int32?
    /// Also read the local APIC's words at every exit.
    var sendsLAPIC = false
    /// A power of two, a multiple of the page size: 8 MiB hold 10 ms of 10 million records a second.
    var ringBytes: UInt32 = 8 << 20
}
