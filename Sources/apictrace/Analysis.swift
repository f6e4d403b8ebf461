// SPDX-License-Identifier: Apache-2.0
import Glibc
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
    let isStandardInput = path == "-"
    var file =
        try isStandardInput ? TraceFile(descriptor: dup(STDIN_FILENO), name: "standard input") : TraceFile(path: path)
    let clock = file.info.clock
    let from = try options.from?.earliest(on: clock)
    let to = try options.to?.latest(on: clock)
    let window = from == nil && to == nil ? nil : (from ?? 0)...max(from ?? 0, to ?? .max)
    let symbols = try options.kallsyms.map { try KernelSymbols(kallsyms: $0) }
    let (analysis, totals) = try Analysis.run(&file, symbols: symbols, window: window)
    return ReportBuilder(
        analysis, totals: totals, path: isStandardInput ? nil : path,
        selection: .init(vm: options.vm, vcpu: options.vcpu)
    ).report()
}
