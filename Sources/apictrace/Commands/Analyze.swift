// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
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
        help: ArgumentHelp(
            "Files that trace-cmd or perf recorded, trace.dat where none is named; of a folder all that are in it and below; - reads "
                + "standard input."),
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

    @Option(
        help: ArgumentHelp(
            "Also tell what an inhibit of APICv would have changed that KVM doesn't have: from when on, for which losses, at what cost.",
            valueName: "policy"))
    var whatIf: InhibitPolicy?

    @OptionGroup var verdict: VerdictOptions

    @OptionGroup var symbols: KallsymsOption

    @Option(
        help: ArgumentHelp(
            "With 2 a thread of its own reads and inflates what comes next. Chosen by itself: 2 where there are CPUs for it.",
            valueName: "n"))
    var threads: Int?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Of several files so many are analysed side by side. Chosen by itself: one a CPU.", valueName: "n"))
    var jobs: Int?

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
        try timeline.validate(recordings: inputs.count)
        guard threads.map((1...2).contains) ?? true else { throw ValidationError("--threads is 1 or 2.") }
        guard jobs ?? 1 > 0 else { throw ValidationError("--jobs is 1 or more.") }
        guard !pretty || report.json else { throw ValidationError("--pretty is for --json.") }
        guard !mail || !report.json && !report.quiet && !report.verbose else {
            throw ValidationError("--mail is a form of its own: it goes with none of --json, --quiet and --verbose.")
        }
    }

    func run() throws {
        let recordings = NamedRecording.all(inputs)
        try timeline.validate(recordings: recordings.count)
        try checkOutputs(against: recordings.map(\.path) + [symbols.kallsyms].compactMap(\.self))
        try output.redirect()
        let jobs = min(self.jobs ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)), recordings.count)
        let options = options(jobs: jobs)
        var told = ToldRecordings(page: PagedOutput(report.display))
        do {
            try AnalysisJobs.run(recordings, jobs: jobs) { [timeline] recording in
                Result {
                    if let failure = recording.failure { throw failure }
                    return try analyze(path: recording.path, options: options, outputs: timeline)
                }
            } tell: { recording, outcome in
                try tell(recording, outcome, &told)
            }
        } catch {
            // What ends the run ends it for whoever reads their outputs, too.
            try? ci.write(told.files + [.failed(path: "apictrace", error: "\(error)")], failOn: verdict.failOn)
            throw error
        }
        try tellOfPassedOver(&told)
        told.page.finish()
        try ci.write(told.files, failOn: verdict.failOn)
        throw told.worst
    }

    /// Nothing that is read is replaced, and no output by another.
    private func checkOutputs(against read: [String]) throws {
        let written = (outputs + [output.output].compactMap(\.self)).filter { $0 != "-" }
        if let output = written.first(where: { OutputStream.isSame($0, as: read) }) {
            throw ValidationError("\(output) is read: it would be replaced.")
        }
        let places = written.map(OutputStream.place)
        guard places.count == Set(places).count else {
            throw ValidationError("Each output needs a file of its own.")
        }
    }

    /// What was passed over, and folders in which there was nothing else.
    private func tellOfPassedOver(_ told: inout ToldRecordings) throws {
        guard !told.passedOver.isEmpty else { return }
        let named = told.passedOver.prefix(8).map(\.path.printable).joined(separator: ", ")
        let more = told.passedOver.count > 8 ? ", ..." : ""
        Terminal.complain(
            "texts without an event of KVM's, passed over: \(told.passedOver.count) (\(named)\(more))")
        let folders = Set(told.passedOver.compactMap(\.folder)).subtracting(told.folders)
        for folder in folders.sorted() { try tell(NamedRecording.noRecording(in: folder), of: folder, &told) }
    }

    private func options(jobs: Int) -> AnalysisOptions {
        var options = AnalysisOptions(selection: selection.selection, time: time, symbols: symbols)
        options.policy = whatIf
        if let threads { options.threads = threads } else if jobs > 1 { options.threads = 1 }
        options.limit = input.limit
        options.showsProgress = !report.quiet && jobs < 2
        return options
    }

    /// What was told so far.
    private struct ToldRecordings {
        var page: PagedOutput
        /// For outputs that tell of all of them.
        var files: [AnalyzedFile] = []
        var worst = ExitStatus.clean
        var count = 0
        var passedOver: [NamedRecording] = []
        /// Those of which something was told.
        var folders: Set<String> = []
    }

    private func tell(
        _ recording: NamedRecording, _ outcome: Result<Report, any Error>, _ told: inout ToldRecordings
    ) throws {
        do {
            let report = try outcome.get()
            if told.count > 0, !self.report.json, !self.report.quiet { told.page.add("\n") }
            if !replacesReport {
                told.page.add(try text(of: report, file: recording.path, style: self.report.style))
            }
            if !ci.paths.isEmpty { told.files.append(.report(report)) }
            told.worst = max(told.worst, verdict.status(of: report))
        } catch let error as InputError {
            if recording.isPassedOver(for: error) {
                told.passedOver.append(recording)
                return
            }
            try tell(error, of: recording.path, &told)
        }
        told.count += 1
        if let folder = recording.folder { told.folders.insert(folder) }
    }

    private func tell(_ error: InputError, of path: String, _ told: inout ToldRecordings) throws {
        Terminal.complain("\(error)")
        if report.json, !replacesReport {
            told.page.add(try Report.Failure(path: path, error: "\(error)").line() + "\n")
        }
        if !ci.paths.isEmpty { told.files.append(.failed(path: path, error: "\(error)")) }
        told.worst = max(told.worst, .unreadable)
    }

    private func text(of report: Report, file: String, style: TextStyle) throws -> String {
        if self.report.json {
            return try (self.report.quiet ? report.verdictObject() : pretty ? report.json() : report.line()) + "\n"
        }
        if mail { return report.mail(kallsyms: symbols.kallsyms) }
        return self.report.quiet
            ? "\(file.printable): \(report.verdictLine)\n" : report.text(style: style, rows: Terminal.rows)
    }
}
