// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// What the user narrowed an analysis down to.
struct AnalysisOptions {
    /// Process id of the VMM.
    var vm: Int32?
    var vcpu: Int32?
    var from: TimeBound?
    var to: TimeBound?
    /// Path of a copy of the traced host's /proc/kallsyms.
    var kallsyms: String?
}

/// Reads a recording (`-` is standard input), runs the machine over it and reports.
func analyze(path: String, options: AnalysisOptions) throws -> Report {
    throw AnalysisError.notJoined
}

private enum AnalysisError: Error, CustomStringConvertible {
    case notJoined

    var description: String { "the reader and the machine are not joined yet" }
}
