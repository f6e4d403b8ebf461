// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TraceCore

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Say what changed from one recording to another, and whether that is worse.",
        discussion: """
            Both recordings are analysed as analyze does it. Compared are findings and verdict, what became of each vector, APICv's \
            state over time, accesses to the APIC by register and by who serves them, exits by level and reason (a second of \
            traced time), and what is known of the fix. VMs are matched by process, name or number, vCPUs by number, and the \
            output says by which.

            Nothing is called better because a recording shows less: where events of B are missing, where it ends too soon or runs \
            no L2, the two can't be compared, unless B is worse all the same.

            Exit status: 0 B is not worse than A; 1 B is worse; 2 they can't be compared; 3 one of them can't be \
            read; 6 the output could not be written; 64 wrong usage.

            EXAMPLES:
              apictrace diff before.dat after.dat
              apictrace diff --quiet apicv-on.dat apicv-off.dat
              apictrace diff --kallsyms-b new.kallsyms old.dat new.dat
              apictrace diff --json before.dat after.dat | jq .outcome
            """)

    @Argument(
        help: ArgumentHelp(
            "Two recordings, the one from before a change first; - reads standard input.", valueName: "a b"),
        completion: .file())
    var files: [String] = []

    @OptionGroup var input: InputOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var time: TimeOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var symbols: KallsymsOption
    @OptionGroup var ownSymbols: KallsymsOfEach
    @OptionGroup var output: OutputFileOptions
    @OptionGroup var whole: WholeTraceOptions

    private var inputs: [String] { files + input.input }

    func validate() throws {
        guard inputs.count == 2 else { throw ValidationError("Two recordings are compared: name both.") }
        guard inputs != ["-", "-"] else { throw ValidationError("Standard input can be read once only.") }
        guard symbols.kallsyms == nil || ownSymbols.isEmpty else {
            throw ValidationError("--kallsyms is for both; --kallsyms-a and --kallsyms-b are for one each.")
        }
    }

    func run() throws {
        if let output = output.output,
            OutputStream.isSame(output, as: inputs + ([symbols.kallsyms] + ownSymbols.files).compactMap(\.self))
        {
            throw ValidationError("\(output) is read: it would be replaced.")
        }
        try output.redirect()
        var page = PagedOutput(report.display)
        do {
            let comparison = try compare()
            page.add(try text(of: comparison))
            page.finish()
            throw ExitStatus(comparison.outcome)
        } catch let failure as UnreadableSide {
            if report.json {
                page.add(try Comparison.failure(path: failure.path, error: "\(failure.error)") + "\n")
                page.finish()
            }
            throw failure.error
        }
    }

    private func compare() throws -> Comparison {
        let isAlone = sysconf(Int32(_SC_NPROCESSORS_ONLN)) < 2
        var reports: [Report] = []
        let sides = zip(inputs, ownSymbols.files).map { Side(path: $0, symbols: $1 ?? symbols.kallsyms) }
        try AnalysisJobs.run(sides, jobs: isAlone ? 1 : 2) {
            [selection = selection.selection, time, limit = input.limit] side in
            Result {
                var options = AnalysisOptions(selection: selection, time: time, limit: limit, threads: 1)
                options.symbols.kallsyms = side.symbols
                options.showsProgress = false
                return try analyze(path: try side.recording(), options: options)
            }
        } tell: { side, outcome in
            do {
                reports.append(try outcome.get())
            } catch let error as InputError {
                throw UnreadableSide(path: side.path, error: error)
            }
        }
        return Comparison(reports[0], reports[1])
    }

    private func text(of comparison: Comparison) throws -> String {
        if report.json { return try (report.quiet ? comparison.outcomeObject() : comparison.line()) + "\n" }
        return report.quiet ? comparison.outcomeLine + "\n" : comparison.text(style: report.style)
    }

    private struct Side {
        let path: String
        let symbols: String?

        /// A folder stands for the one recording that is in it.
        func recording() throws -> String {
            let recordings = NamedRecording.all([path])
            guard recordings.count == 1 else {
                throw InputError.cannotOpen(
                    file: path, reason: "\(recordings.count) files are in the folder: name one recording")
            }
            if let failure = recordings[0].failure { throw failure }
            return recordings[0].path
        }
    }

    private struct UnreadableSide: Error {
        let path: String
        let error: InputError
    }
}

/// Symbols of two hosts, or of one host's two kernels.
struct KallsymsOfEach: ParsableArguments {
    @Option(
        help: ArgumentHelp("The /proc/kallsyms of A's host, where B's is another kernel.", valueName: "file"),
        completion: .file())
    var kallsymsA: String?

    @Option(help: ArgumentHelp("The same of B's host.", valueName: "file"), completion: .file())
    var kallsymsB: String?

    var files: [String?] { [kallsymsA, kallsymsB] }
    var isEmpty: Bool { files.allSatisfy { $0 == nil } }
}
