// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TraceCore

/// `apictrace live`: traces the running host.
struct Live: PrivilegedCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trace KVM on this host: findings as they come, and the report of analyze at the end.",
        discussion: """
            Ends after --duration, with COMMAND, when a finding reaches --until, or at SIGINT or SIGTERM. COMMAND goes on \
            if the trace ends before it; with --json its output goes to standard error.

            Exit status: 0 clean, or all findings below --fail-on; 1 found; 2 inconclusive; 4 this host can't be traced \
            (apictrace doctor says more); 64 wrong usage.

            EXAMPLES:
              sudo apictrace live
              sudo apictrace live --duration 60 --vm $(pidof qemu-system-x86_64)
              sudo apictrace live --until suspect --json | jq -c 'select(.type != "summary")'
              sudo apictrace live --quiet --fail-on hazard -- ./reproduce.sh
            """)

    @Option(help: ArgumentHelp("Trace for so many seconds.", valueName: "seconds"))
    var duration: Double?

    @Option(help: ArgumentHelp("End when a finding of this grade or a graver one is there.", valueName: "grade"))
    var until: Grade?

    @Option(help: ArgumentHelp("Only the VM of this process.", valueName: "pid"))
    var vm: Int32?

    @Option(help: ArgumentHelp("Only the vCPU with this id.", valueName: "n"))
    var vcpu: Int32?

    @Option(help: ArgumentHelp("The lowest grade that makes the exit status 1.", valueName: "grade"))
    var failOn = Grade.exposed

    @Flag(help: "Print JSON lines (see apictrace schema --live); the last one is the report.")
    var json = false

    @Flag(help: "Print the result only.")
    var quiet = false

    @Flag(help: "No colour, also on a terminal.")
    var noColor = false

    @Option(help: "What reads the kernel's events; without it bpf, and ftrace where BPF can't be used.")
    var backend: LiveBackend?

    @Option(help: ArgumentHelp("Also write what was seen to a trace.dat.", valueName: "file"), completion: .file())
    var record: String?

    @Flag(
        help: ArgumentHelp(
            "Also write each vCPU's IRR, ISR, TPR and PPR at every exit, as KVM holds them (apictrace:lapic in the trace.dat; "
                + "BPF only)."))
    var lapic = false

    @Flag(help: "Show why the kernel refused a probe.")
    var verifierLog = false

    @Argument(parsing: .postTerminator, help: "Trace while this command runs.")
    var command: [String] = []

    func validate() throws {
        if let duration, !(duration > 0 && duration < 1e9) {
            throw ValidationError("--duration must be a positive number of seconds.")
        }
        guard failOn != .clean else {
            throw ValidationError("--fail-on clean would fail always; the lowest is inconclusive.")
        }
        guard until.map({ $0 >= .exposed }) ?? true else {
            throw ValidationError("--until takes a finding's grade: exposed or a graver one.")
        }
        guard vcpu.map({ $0 >= 0 }) ?? true else { throw ValidationError("--vcpu counts from 0.") }
        guard record != "-" else { throw ValidationError("--record writes a file; standard output takes none.") }
        guard !lapic || record != nil && backend != .ftrace else {
            throw ValidationError("--lapic is for a --record made with BPF.")
        }
    }

    func run() throws {
        do {
            throw ExitCode(ExitStatus(try trace(), failOn: failOn).code)
        } catch let unavailable as TracingUnavailable {
            if case .refused(_, let log) = unavailable, verifierLog { Terminal.show(log) }
            Terminal.complain(unavailable.text)
            throw ExitCode(ExitStatus.untraceable.code)
        }
    }

    private func trace() throws -> Report {
        var options = LiveOptions(vm: vm, vcpu: vcpu)
        options.sendsLAPIC = lapic
        switch backend {
        case .bpf: return try traceWithBPF(try LiveSession.started(options), options)
        case .ftrace: return try trace(try FtraceSession(), options)
        case nil: return try traceWithWhatWorks(options)
        }
    }

    /// BPF, or ftrace where BPF can't be used and ftrace can; what BPF lacks is the error where neither can.
    private func traceWithWhatWorks(_ options: LiveOptions) throws -> Report {
        let session: LiveSession
        do throws(TracingUnavailable) {
            session = try .started(options)
        } catch {
            guard error.leavesFtrace else { throw error }
            let instead: FtraceSession
            do throws(TracingUnavailable) { instead = try FtraceSession() } catch _ { throw error }
            Terminal.complain(
                "without BPF: \(error.text); reading the same tracepoints with ftrace"
                    + (lapic ? ", which leaves --lapic out" : ""))
            return try trace(instead, options)
        }
        return try traceWithBPF(session, options)
    }

    private func traceWithBPF(_ session: consuming LiveSession, _ options: LiveOptions) throws -> Report {
        if session.info.isa == .unknown {
            Terminal.complain(
                SystemFile.exists("/proc/cpuinfo")
                    ? "neither kvm_intel nor kvm_amd is loaded yet; of a kvm_intel that comes later no memory is judged "
                        + "(signs C1 and C2): load it before"
                    : "/proc isn't mounted, so that the CPU's vendor is not known: no memory is judged (signs C1 and C2)"
            )
        }
        return try trace(session, options)
    }

    private func trace<Tracing: LiveTracing & ~Copyable>(
        _ tracing: consuming Tracing, _ options: LiveOptions
    ) throws -> Report {
        let reporter = LiveReporter(tracing.info, options, output: output, until: until)
        var sink = try LiveRecorder(reporter, path: record, info: tracing.info)
        try Privileges.giveUp(startsCommand: !command.isEmpty)
        do {
            try tracing.run(
                for: duration, command: command, commandOutput: json ? STDERR_FILENO : STDOUT_FILENO, into: &sink)
        } catch {
            sink.next.end()
            throw error
        }
        sink.next.end()
        let totals = tracing.totals()
        try sink.finish(totals, hits: Tracing.countsMore ? totals.byName : nil)
        return try sink.next.finish(tracing)
    }

    private var output: any LiveOutput {
        let style = Terminal.style(noColour: noColor)
        if json { return JSONLines(isQuiet: quiet) }
        // A command shares the terminal: no screen that its output would spoil.
        return Terminal.isScreen && command.isEmpty && !quiet
            ? TerminalScreen(style: style) : TextLines(isQuiet: quiet, style: style)
    }
}
