// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// What the user narrowed an analysis down to.
struct AnalysisOptions {
    var selection = Selection()
    var time = TimeOptions()
    var symbols = KallsymsOption()
    var policy: InhibitPolicy?
    /// For compressed input.
    var limit = InflationLimit()
    /// That read: 2 read ahead.
    var threads = sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 ? 2 : 1
    /// Where a terminal takes it.
    var showsProgress = true
}

/// Reads a recording (`-` is standard input), runs the machine over it and reports.
///
/// - Parameter outputs: what is written beside the report, before it is returned.
func analyze(path: String, options: AnalysisOptions, outputs: TimelineOptions? = nil) throws -> Report {
    var run = try AnalysisRun(path: path, options: options)
    guard let outputs, outputs.isWanted else {
        var analysis = Analysis(info: run.file.info, symbols: run.symbols, window: run.window)
        analysis.wanted = options.selection
        analysis.policy = options.policy
        let totals = try run.file.read(into: &analysis, threads: options.threads, progress: run.progress?.show)
        analysis.finish()
        return run.report(analysis, totals)
    }
    var analysis = WatchedAnalysis(
        info: run.file.info, symbols: run.symbols, window: run.window, onlooker: Timeline())
    analysis.wanted = options.selection
    analysis.policy = options.policy
    let totals = try run.file.read(into: &analysis, threads: options.threads, progress: run.progress?.show)
    analysis.finish()
    let timeline = analysis.release(for: Timeline())
    let report = run.report(analysis, totals)
    try outputs.write(report, timeline)
    return report
}

/// What an analysis needs beside the events, whoever watches it.
private struct AnalysisRun: ~Copyable {
    let path: String
    let selection: Selection
    var file: Recording
    let window: ClosedRange<UInt64>?
    let symbols: KernelSymbols?
    let progress: Progress?

    init(path: String, options: AnalysisOptions) throws {
        let file = try Recording(argument: path, limit: options.limit)
        let window = try options.time.window(of: file)
        let symbols = try options.symbols.symbols()
        self.path = path
        selection = options.selection
        self.file = file
        self.window = window
        self.symbols = symbols
        progress = options.showsProgress ? Progress(of: path) : nil
    }

    func report<Other: Onlooker & ~Copyable>(
        _ analysis: consuming WatchedAnalysis<Other>, _ totals: TraceTotals
    ) -> Report {
        progress?.clear()
        if TimeBound.isOutside(window, totals) {
            Terminal.complain("\(path): no event lies between --from and --to")
        }
        return ReportBuilder(analysis, totals: totals, path: path == "-" ? nil : path, selection: selection).report()
    }
}
