// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TraceCore

/// `apictrace live`: traces the running host.
struct Live: PrivilegedCommand {
    static let configuration = CommandConfiguration(
        commandName: "live",
        abstract: "Trace KVM on this host: findings as they come, and the report of analyze at the end.",
        discussion: """
            Ends after --duration, with COMMAND, when a finding reaches --until, when the reader of its output leaves, or at \
            a signal (^C, HUP, TERM, QUIT, ...), always with the report. COMMAND goes on if the trace ends before it; with \
            --json its output goes to standard error.

            With one --vm, by process or name, and with one --vcpu, the kernel sends the events of these alone. Where several are \
            asked for, or a VM by its number, or with ftrace, the events of all VMs of this host are traced and the others' left \
            out of what is shown: they take room in the buffer all the same.

            Exit status: 0 clean, or all findings below --fail-on; 1 found; 2 inconclusive; 4 this host can't be traced \
            (apictrace doctor says more); 5 COMMAND failed, was killed or could not be started, and nothing was found; 6 the \
            report, the recording or another output could not be written (a report that standard output doesn't take goes to \
            standard error), or --listen has no such address; 64 wrong usage.

            EXAMPLES:
              sudo apictrace live
              sudo apictrace live --duration 60 --vm web01,web02
              sudo apictrace live --record-dir /var/tmp/traces --rotate-time 10m --keep 24
              sudo apictrace live --listen 9752 --metrics /var/lib/prometheus/node-exporter/apictrace.prom
              sudo apictrace live --until suspect --json | jq -c 'select(.type != "summary")'
              sudo apictrace live --quiet --fail-on hazard ./reproduce.sh
            """)

    @Option(help: ArgumentHelp("Trace for so many seconds; without it until ^C.", valueName: "seconds"))
    var duration: Double?

    @Option(help: ArgumentHelp("End when a finding of this grade or a graver one is there.", valueName: "grade"))
    var until: Grade?

    @OptionGroup var selection: SelectionOptions
    @OptionGroup var verdict: VerdictOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var whole: WholeTraceOptions

    @Option(help: "What reads the kernel's events; without it bpf, and ftrace where BPF can't be used.")
    var backend: LiveBackend?

    @OptionGroup var recording: RecordOptions

    @Option(
        help: ArgumentHelp(
            "Room for what was seen and not yet read, of all CPUs together (K, M: powers of 1024), 8M without it: more loses "
                + "less. BPF only.",
            valueName: "size"))
    var buffer: ByteCount?

    @Option(
        name: .customShort("b"),
        help: ArgumentHelp("The same in KiB for each CPU, as trace-cmd takes it.", valueName: "kib"))
    var bufferOfCPU: UInt32?

    @Flag(
        help: ArgumentHelp(
            "Also write each vCPU's IRR, ISR, TPR and PPR at every exit, as KVM holds them (apictrace:lapic in the trace.dat; "
                + "BPF only)."))
    var lapic = false

    @Option(
        help: ArgumentHelp(
            "With --json and --json-lines: time from one summary to the next (s, m, h), 1s without it.",
            valueName: "time"))
    var summaryEvery: Period?

    @Option(
        help: ArgumentHelp(
            "Also write the lines of --json to this file, beside a screen or text.", valueName: "file"),
        completion: .file())
    var jsonLines: String?

    @OptionGroup var monitoring: MetricsOptions

    @Flag(help: "Show why the kernel refused a probe.")
    var verifierLog = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("Trace while this command runs. A -- before it may be left out.", valueName: "command"))
    var words: [String] = []

    private var command: [String] { words.first == "--" ? Array(words.dropFirst()) : words }
    private var json: Bool { report.json }
    private var quiet: Bool { report.quiet }
    private var recordsToOutput: Bool { recording.goesToOutput }

    func validate() throws {
        if let duration, !(duration > 0 && duration < 1e9) {
            throw ValidationError("--duration must be a positive number of seconds.")
        }
        guard until.map({ $0 >= .exposed }) ?? true else {
            throw ValidationError("--until takes a finding's grade: exposed or a graver one.")
        }
        // What begins the command is no option of ours that somebody mistyped.
        if let word = words.first, word.hasPrefix("-"), !["--", "-h", "--help", "--version"].contains(word) {
            throw ValidationError("Unknown option '\(word)'")
        }
        guard buffer == nil || bufferOfCPU == nil else { throw ValidationError("--buffer and -b say the same.") }
        guard ringBytes != nil else { throw ValidationError("The buffer has 4K at least and 1G at most.") }
        guard jsonLines != "-" else {
            throw ValidationError("--json-lines takes a file; --json is for standard output.")
        }
        let files = [recording.record, jsonLines, monitoring.metrics].compactMap(\.self).map { OutputStream.place($0) }
        guard Set(files).count == files.count else {
            throw ValidationError("Two of --record, --json-lines and --metrics name the same file.")
        }
        guard summaryEvery == nil || json || jsonLines != nil else {
            throw ValidationError("--summary-every is for --json and --json-lines.")
        }
        guard !lapic || recording.isGiven && backend != .ftrace else {
            throw ValidationError("--lapic is for a --record or --record-dir made with BPF.")
        }
    }

    func run() throws {
        switch words.first {
        case "-h", "--help": throw CleanExit.helpRequest(Self.self)
        case "--version": throw CleanExit.message(Apictrace.version)
        default: break
        }
        do {
            throw try trace()
        } catch let unavailable as TracingUnavailable {
            try showLog(of: unavailable)
            throw unavailable
        }
    }

    private func showLog(of unavailable: TracingUnavailable) throws {
        if case .refused(_, let log) = unavailable, verifierLog, !Terminal.show(log) { throw ExitStatus.unwritten }
    }

    private func trace() throws -> ExitStatus {
        // The address first: one that can't be had costs no trace.
        let metrics = try monitoring.outlets()
        var options = LiveOptions(selection: selection.selection)
        options.processes = try AskedVMs.processes(of: options.selection)
        if hasScreen { options.running = options.asked(VCPUFinder.find()) }
        options.sendsLAPIC = lapic
        options.ringBytes = ringBytes ?? options.ringBytes
        switch backend {
        case .bpf: return try traceWithBPF(try LiveSession.started(options), options, metrics)
        case .ftrace: return try trace(try FtraceSession(), options, metrics)
        case nil: return try traceWithWhatWorks(options, metrics)
        }
    }

    /// A power of two, as the kernel wants it; nil where that would be too much or too little.
    private var ringBytes: UInt32? {
        let perCPU = bufferOfCPU.map { UInt64($0) * 1024 * UInt64(max(HostFacts.onlineCPUs, 1)) }
        guard let bytes = buffer?.bytes ?? perCPU else { return LiveOptions().ringBytes }
        guard (4096...(1 << 30)).contains(bytes) else { return nil }
        var size: UInt32 = 4096
        while UInt64(size) < bytes { size <<= 1 }
        return size
    }

    /// BPF, or ftrace where BPF can't be used and ftrace can; what BPF lacks is the error where neither can.
    private func traceWithWhatWorks(_ options: LiveOptions, _ metrics: MetricsOutlets?) throws -> ExitStatus {
        let session: LiveSession
        do throws(TracingUnavailable) {
            session = try .started(options)
        } catch {
            guard error.leavesFtrace else { throw error }
            let instead: FtraceSession
            do throws(TracingUnavailable) { instead = try FtraceSession() } catch _ { throw error }
            try showLog(of: error)
            Terminal.complain(
                "without BPF: \(error.text); reading the same tracepoints with ftrace"
                    + (lapic ? ", which leaves --lapic out" : ""))
            return try trace(instead, options, metrics)
        }
        return try traceWithBPF(session, options, metrics)
    }

    private func traceWithBPF(
        _ session: consuming LiveSession, _ options: LiveOptions, _ metrics: MetricsOutlets?
    ) throws -> ExitStatus {
        if session.info.isa == .unknown {
            Terminal.complain(
                SystemFile.exists("/proc/cpuinfo")
                    ? "neither kvm_intel nor kvm_amd is loaded yet; of a kvm_intel that comes later no memory is judged "
                        + "(signs C1 and C2): load it before"
                    : "/proc isn't mounted, so that the CPU's vendor is not known: no memory is judged (signs C1 and C2)"
            )
        }
        return try trace(session, options, metrics)
    }

    private func trace<Tracing: LiveTracing & ~Copyable>(
        _ tracing: consuming Tracing, _ options: LiveOptions, _ metrics: MetricsOutlets?
    ) throws -> ExitStatus {
        var options = options
        options.sendsAll = !Tracing.countsMore
        let out = OutputQueue(outputDescriptor)
        let keyboard = hasScreen ? Keyboard() : nil
        let lines = try jsonLines.map { path throws(TraceWriterError) in try JSONLinesFile(path: path) }
        let output = output(out, hasKeys: keyboard != nil, lines)
        let reporter = LiveReporter(tracing.info, options, output: output, to: out, metrics: metrics, until: until)
        var sink = try LiveRecorder(
            reporter, path: recording.record, info: tracing.info, countsHits: Tracing.countsMore)
        do throws(BPFError) {
            try Privileges.giveUp(startsCommand: !command.isEmpty)
        } catch {
            throw TracingUnavailable.failed(error)
        }
        try sink.next.begin(tracing)
        // All but the first of its files are made without privileges: so is the first.
        if let parts = try recording.parts(tracing.info, countsHits: Tracing.countsMore) { try sink.begin(parts) }
        let end: RunEnd
        do {
            end = try tracing.run(
                for: duration, command: command, commandOutput: json ? STDERR_FILENO : outputDescriptor,
                keyboard: keyboard, into: &sink)
        } catch {
            sink.abandon()
            sink.next.end()
            throw error
        }
        sink.next.end()
        let ends: [(any Error)?] = [end.command, end.failure]
        var troubles = ends.compactMap(\.self)
        // The recording first: the report may have to wait for its reader.
        sink.next.close(tracing)
        sink.noteLastNews()
        do throws(TraceWriterError) {
            try sink.finish(tracing.totals())
        } catch {
            troubles.append(error)
        }
        let (report, failure) = try sink.next.finish(tracing)
        if let failure { troubles.append(failure) }
        do throws(TraceWriterError) { try lines?.finish() } catch { troubles.append(error) }
        let isShown = show(report, out, isAsked: end.isAsked)
        for trouble in troubles { Terminal.complain("\(trouble)") }
        return (troubles.compactMap { ExitStatus($0) } + [verdict.status(of: report), isShown ? .clean : .unwritten])
            .max() ?? .clean
    }

    /// Waits until the report was read. Where that can't be, it goes to standard error: a trace can't be made once more.
    private func show(_ report: Report, _ out: OutputQueue, isAsked: Bool) -> Bool {
        // A recording that may not grow has left a SIGXFSZ of our own.
        let trouble = out.finish(unless: EventLoop.ending.filter { $0 != SIGXFSZ }, isAsked: isAsked)
        // What is left are some lines, which nobody may read either: from here on a signal does what it does to any process.
        EventLoop.unblock(EventLoop.ending)
        if out.dropped > 0 {
            Terminal.complain(
                "standard output was read too slowly: \(out.dropped) findings and summaries were left out; the report has the "
                    + "findings")
        }
        guard let trouble else { return true }
        Terminal.complain("standard output: \(trouble); the report:")
        Terminal.show(quiet ? report.verdictLine + "\n" : report.text(style: TextStyle()))
        return false
    }

    /// For all but the recording.
    private var outputDescriptor: Int32 { recordsToOutput ? STDERR_FILENO : STDOUT_FILENO }

    /// A command shares the terminal: no screen that its output would spoil.
    private var hasScreen: Bool { Terminal.isScreen && command.isEmpty && !quiet && !json && !recordsToOutput }

    private func output(_ out: OutputQueue, hasKeys: Bool, _ lines: JSONLinesFile?) -> any LiveOutput {
        let shown = shownOutput(out, hasKeys: hasKeys)
        return lines.map { LiveOutputs([shown, jsonOutput($0.out, isQuiet: false)]) } ?? shown
    }

    private func jsonOutput(_ out: OutputQueue, isQuiet: Bool) -> JSONLines {
        JSONLines(out: out, isQuiet: isQuiet, interval: summaryEvery?.nanoseconds ?? JSONLines.second)
    }

    private func shownOutput(_ out: OutputQueue, hasKeys: Bool) -> any LiveOutput {
        if json { return jsonOutput(out, isQuiet: quiet) }
        return hasScreen
            ? TerminalScreen(out: out, style: report.style, hasKeys: hasKeys)
            : TextLines(out: out, isQuiet: quiet, style: report.style)
    }
}
