// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Analyze: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Say whether a recording shows lost interrupts, which, since when, why, and what to do.",
        discussion: """
            Exit status: 0 clean, or all findings below --fail-on; 1 found; 2 inconclusive; 3 a file can't be read; \
            6 the report could not be written; 64 wrong usage. Of several files the worst counts, in the order 0, 2, 1, 3.

            There is no -C and no -e as events has them: what some CPUs or some events show alone is no basis for a verdict.

            EXAMPLES:
              apictrace analyze trace.dat
              apictrace analyze --json trace.dat | jq .verdict
              apictrace analyze --quiet --fail-on hazard run-*.dat
              apictrace analyze --mail trace.dat >mail.txt
              apictrace analyze --html report.html trace.dat
              apictrace analyze --quiet --sarif findings.sarif --junit verdicts.xml run-*.dat
              apictrace analyze --vm 2104 --vcpu 0 --from 72.3 --to 72.5 trace.dat
              ssh host cat trace.dat | apictrace analyze --kallsyms host.kallsyms -
            """)

    @Argument(
        help: "Files that trace-cmd or perf recorded, trace.dat where none is named; - reads standard input.",
        completion: .file())
    var files: [String] = []

    @OptionGroup var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var time: TimeOptions
    @OptionGroup var report: ReportOptions

    @Flag(help: "With --json: indented, for people to read.")
    var pretty = false

    @Flag(help: "Print a text of 72 columns for a mailing list: what happened, the proof, the host, what is not known.")
    var mail = false

    @OptionGroup var verdict: VerdictOptions

    @Option(
        help: ArgumentHelp(
            "The traced host's /proc/kallsyms, to tell whether its KVM has the fix.", valueName: "file"),
        completion: .file())
    var kallsyms: String?

    @Option(
        help: ArgumentHelp(
            "With 2 a thread of its own reads and inflates what comes next. Chosen by itself: 2 where there are CPUs for it.",
            valueName: "n"))
    var threads: Int?

    @OptionGroup var output: OutputFileOptions
    @OptionGroup var timeline: TimelineOptions
    @OptionGroup var ci: CIOptions
    @OptionGroup var whole: WholeTraceOptions

    private var inputs: [String] { input.files(files) }

    /// Files that are written beside the report.
    private var outputs: [String] { timeline.paths + ci.paths }

    /// Standard output is taken: there is no room for the report.
    private var replacesReport: Bool { outputs.contains("-") }

    func validate() throws {
        guard inputs.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("Standard input can be read once only.")
        }
        try timeline.validate(inputs: inputs)
        guard outputs.count == Set(outputs).count else { throw ValidationError("Each output needs a file of its own.") }
        if let output = outputs.first(where: { OutputStream.isSame($0, as: inputs) }) {
            throw ValidationError("\(output) is read: it would be replaced.")
        }
        guard threads.map((1...2).contains) ?? true else { throw ValidationError("--threads is 1 or 2.") }
        guard !pretty || report.json else { throw ValidationError("--pretty is for --json.") }
        guard !mail || !report.json && !report.quiet && !report.verbose else {
            throw ValidationError("--mail is a form of its own: it goes with none of --json, --quiet and --verbose.")
        }
    }

    func run() throws {
        try output.redirect()
        var options = AnalysisOptions(selection: selection.selection, time: time, kallsyms: kallsyms)
        if let threads { options.threads = threads }
        options.limit = input.limit
        options.showsProgress = !report.quiet
        let style = report.style
        var worst = ExitStatus.clean
        var page = PagedOutput(report.display)
        var analyzed: [AnalyzedFile] = []
        for (index, file) in inputs.enumerated() {
            do {
                let report = try analyze(path: file, options: options, outputs: timeline)
                if index > 0, !self.report.json, !self.report.quiet { page.add("\n") }
                if !replacesReport { page.add(try text(of: report, file: file, style: style)) }
                if !ci.paths.isEmpty { analyzed.append(.report(report)) }
                worst = max(worst, verdict.status(of: report))
            } catch let error as InputError {
                Terminal.complain("\(error)")
                if report.json, !replacesReport {
                    page.add(try Report.Failure(path: file, error: "\(error)").line() + "\n")
                }
                if !ci.paths.isEmpty { analyzed.append(.failed(path: file, error: "\(error)")) }
                worst = max(worst, .unreadable)
            }
        }
        page.finish()
        try ci.write(analyzed, failOn: verdict.failOn)
        throw worst
    }

    private func text(of report: Report, file: String, style: TextStyle) throws -> String {
        if self.report.json {
            return try (self.report.quiet ? report.verdictObject() : pretty ? report.json() : report.line()) + "\n"
        }
        if mail { return report.mail(kallsyms: kallsyms) }
        return self.report.quiet
            ? "\(file.printable): \(report.verdictLine)\n" : report.text(style: style, rows: Terminal.rows)
    }
}
