// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

/// What to trace.
struct LiveOptions: Equatable, Sendable {
    var selection = Selection()
    /// Processes of the VMs that are asked for; empty where the kernel is not to filter by them.
    var processes: [Int32] = []
    /// What reads the kernel's events chooses none.
    var sendsAll = false
    /// VMs that are asked for and were there before tracing began, where a screen is to show them.
    var running: [FoundVM] = []
    /// Also read the local APIC's words at every exit.
    var sendsLAPIC = false
    /// A power of two, a multiple of the page size: 8 MiB hold 10 ms of 10 million records a second.
    var ringBytes: UInt32 = 8 << 20

    /// The kernel filters by one process at most; where several are asked for, what comes is sorted out by us.
    var onlyProcess: Int32? { processes.count == 1 ? processes[0] : nil }

    /// VMs were asked for, and the events of the others come as well.
    var leavesVMsOut: Bool { !selection.vms.isEmpty && (sendsAll || onlyProcess == nil) }

    /// Those among the host's VMs that are asked for; none by the report's number, which only the trace gives them.
    func asked(_ vms: [FoundVM]) -> [FoundVM] {
        selection.vms.isEmpty ? vms : vms.filter { processes.contains($0.process) }
    }

    /// The kernel filters by one vCPU at most, too.
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
