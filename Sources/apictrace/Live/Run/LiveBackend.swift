// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// What live tracing reads the kernel's events with.
enum LiveBackend: String, CaseIterable, ExpressibleByArgument {
    /// Probes: filter and count in the kernel, and see vCPUs' state and memory.
    case bpf
    /// A private instance in tracefs: events alone.
    case ftrace
}
