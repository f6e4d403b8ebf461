// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Analyze: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say whether a recording shows lost interrupts, which, since when, why, and what to do.",
        discussion: """
            Exit status: 0 clean, or all findings below --fail-on; 1 found; 2 inconclusive; 3 a file can't be read; \
            6 the report could not be written; 64 wrong usage. Of several files the worst counts, in the order 0, 2, 1, 3.

            EXAMPLES:
              apictrace analyze trace.dat
              apictrace analyze --json trace.dat | jq .verdict
              apictrace analyze --quiet --fail-on hazard run-*.dat
              apictrace analyze --vm 2104 --vcpu 0 --from 72.3 --to 72.5 trace.dat
              ssh host cat trace.dat | apictrace analyze --kallsyms host.kallsyms -
            """)

    @Argument(help: "Files that trace-cmd recorded; - reads standard input.", completion: .file())
    var files: [String]

    @Flag(help: "Print one JSON object for each file (see apictrace schema).")
    var json = false

    @Option(help: ArgumentHelp("Only this VM, by the process id of its VMM.", valueName: "pid"))
    var vm: Int32?

    @Option(help: ArgumentHelp("Only this vCPU.", valueName: "n"))
    var vcpu: Int32?

    @Option(help: ArgumentHelp("Only from this time on, in seconds as trace-cmd prints them.", valueName: "time"))
    var from: TimeBound?

    @Option(help: ArgumentHelp("Only up to this time.", valueName: "time"))
    var to: TimeBound?

    @OptionGroup var verdict: VerdictOptions

    @Option(
        help: ArgumentHelp(
            "The traced host's /proc/kallsyms, to tell whether its KVM has the fix.", valueName: "file"),
        completion: .file())
    var kallsyms: String?

    @Option(
        help: ArgumentHelp(
            "With 2 a thread of its own reads the file while another analyses: sooner done, for more CPU time in all.",
            valueName: "n"))
    var threads = 1

    @OptionGroup var input: InputOptions

    @Flag(help: "Print one line for each file.")
    var quiet = false

    @Flag(help: "No colour, also on a terminal.")
    var noColor = false

    func validate() throws {
        try TimeBound.check(from: from, to: to)
        guard files.count(where: { $0 == "-" }) < 2 else {
            throw ValidationError("Standard input can be read once only.")
        }
        guard vcpu.map({ $0 >= 0 }) ?? true else { throw ValidationError("--vcpu counts from 0.") }
        guard (1...2).contains(threads) else { throw ValidationError("--threads is 1 or 2.") }
    }

    func run() throws {
        var options = AnalysisOptions(vm: vm, vcpu: vcpu, from: from, to: to, kallsyms: kallsyms)
        options.threads = threads
        options.limit = input.limit
        options.showsProgress = !quiet
        let style = Terminal.style(noColour: noColor)
        var worst = ExitStatus.clean
        for (index, file) in files.enumerated() {
            do {
                let report = try analyze(path: file, options: options)
                if index > 0, !json, !quiet { Terminal.output("\n") }
                try show(report, of: file, style: style)
                worst = max(worst, verdict.status(of: report))
            } catch let error as TraceFileError {
                Terminal.complain("\(error)")
                worst = max(worst, .unreadable)
            }
        }
        throw worst
    }

    private func show(_ report: Report, of file: String, style: TextStyle) throws {
        if json {
            Terminal.output(try report.json() + "\n")
        } else if quiet {
            Terminal.output("\(file.printable): \(report.verdictLine)\n")
        } else {
            Terminal.output(report.text(style: style))
        }
    }
}
