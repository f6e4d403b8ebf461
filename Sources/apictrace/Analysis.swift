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
    /// For compressed input.
    var limit = InflationLimit()
    var threads = 1
    /// Where a terminal takes it.
    var showsProgress = true
}

/// Reads a recording (`-` is standard input), runs the machine over it and reports.
func analyze(path: String, options: AnalysisOptions) throws -> Report {
    var file = try TraceFile(argument: path, limit: options.limit)
    let window = try TimeBound.window(from: options.from, to: options.to, on: file.info.clock)
    let symbols = try options.kallsyms.map { try KernelSymbols(kallsyms: $0) }
    var analysis = Analysis(info: file.info, symbols: symbols, window: window)
    analysis.wanted = options.vm
    let progress = options.showsProgress ? Progress(of: path) : nil
    let totals = try analysis.read(&file, threads: options.threads, progress: progress?.show)
    progress?.clear()
    if TimeBound.isOutside(window, totals) { Terminal.complain("\(path): no event lies between --from and --to") }
    return ReportBuilder(
        analysis, totals: totals, path: path == "-" ? nil : path,
        selection: .init(vm: options.vm, vcpu: options.vcpu)
    ).report()
}
