// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TraceCore

/// Tracepoints as trace-cmd and perf name them: `kvm_eoi`, `kvm:kvm_eoi`, `kvm_nested*`, `kvm`.
struct EventPattern: ExpressibleByArgument {
    let text: String
    private let glob: String

    init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        text = argument
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.count == 2 ? String(parts[1]) : argument
        // A system alone stands for all of its events.
        glob = EventListing.systems.contains(name) ? "*" : name
    }

    func matches(_ event: String) -> Bool { fnmatch(glob, event, 0) == 0 }

    static var allValueStrings: [String] { EventKind.allCases.flatMap(\.tracepoints) }
}
