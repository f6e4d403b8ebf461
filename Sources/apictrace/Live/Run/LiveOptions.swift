// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// What to trace.
struct LiveOptions: Equatable, Sendable {
    var selection = Selection()
    /// Processes of the VMs that are asked for; empty where the kernel is not to filter by them.
    var processes: [Int32] = []
    /// Also read the local APIC's words at every exit.
    var sendsLAPIC = false
    /// A power of two, a multiple of the page size: 8 MiB hold 10 ms of 10 million records a second.
    var ringBytes: UInt32 = 8 << 20

    /// The kernel filters by one process at most; where several are asked for, what comes is sorted out by us.
    var onlyProcess: Int32? { processes.count == 1 ? processes[0] : nil }

    /// The same of vCPUs.
    var onlyVCPU: Int32? {
        guard let range = selection.vcpus.first, selection.vcpus.count == 1, range.count == 1 else { return nil }
        return range.lowerBound
    }
}

/// What live tracing reads the kernel's events with.
enum LiveBackend: String, CaseIterable, ExpressibleByArgument {
    /// Probes: filter and count in the kernel, and see vCPUs' state and memory.
    case bpf
    /// A private instance in tracefs: events alone.
    case ftrace
}
