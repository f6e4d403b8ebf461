// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// What the user narrowed an analysis down to.
struct AnalysisOptions {
    var selection = Selection()
    var time = TimeOptions()
    /// Path of a copy of the traced host's /proc/kallsyms.
    var kallsyms: String?
    /// For compressed input.
    var limit = InflationLimit()
    /// That read: 2 read ahead.
    var threads = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 ? 2 : 1
    /// Where a terminal takes it.
    var showsProgress = true
}

/// Reads a recording (`-` is standard input), runs the machine over it and reports.
func analyze(path: String, options: AnalysisOptions) throws -> Report {
    var file = try Recording(argument: path, limit: options.limit)
    let window = try options.time.window(of: file)
    let symbols = try options.kallsyms.map { try KernelSymbols(kallsyms: $0) }
    var analysis = Analysis(info: file.info, symbols: symbols, window: window)
    analysis.wanted = options.selection
    let progress = options.showsProgress ? Progress(of: path) : nil
    let totals = try file.read(into: &analysis, threads: options.threads, progress: progress?.show)
    analysis.finish()
    progress?.clear()
    if TimeBound.isOutside(window, totals) { Terminal.complain("\(path): no event lies between --from and --to") }
    return ReportBuilder(
        analysis, totals: totals, path: path == "-" ? nil : path,
        selection: options.selection
    ).report()
}
