// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import TraceCore

/// `apictrace live`: traces the running host.
struct Live: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trace KVM on this host.",
        discussion: """
            EXAMPLES:
              sudo apictrace live --duration 10
              sudo apictrace live --vm 4711 -- ./reproduce.sh
            """)

    @Option(help: ArgumentHelp("Trace for so many seconds.", valueName: "seconds"))
    var duration: Double?

    @Option(help: ArgumentHelp("Only the VM of this process.", valueName: "pid"))
    var vm: Int32?

    @Option(help: ArgumentHelp("Only the vCPU with this id.", valueName: "id"))
    var vcpu: Int32?

    @Option(help: "What reads the kernel's events: bpf or ftrace.")
    var backend = LiveBackend.bpf

    @Option(help: ArgumentHelp("Also write what was seen to a trace.dat.", valueName: "file"), completion: .file())
    var record: String?

    @Flag(help: "Print every event.")
    var events = false

    @Flag(help: "Show why the kernel refused a probe.")
    var verifierLog = false

    @Argument(parsing: .postTerminator, help: "Trace while this command runs.")
    var command: [String] = []

    func validate() throws {
        if let duration, !(duration > 0 && duration < 1e9) {
            throw ValidationError("--duration must be a positive number of seconds.")
        }
    }

    func run() throws {
        do {
            try trace()
        } catch let unavailable as TracingUnavailable {
            if case .refused(_, let log) = unavailable, verifierLog { Terminal.show(log) }
            Terminal.complain(unavailable.text)
            throw ExitCode(ExitStatus.untraceable.code)
        }
    }

    private func trace() throws {
        let printer = LivePrinter(showsEvents: events)
        switch backend {
        case .bpf:
            var session = try LiveSession(LiveOptions(vm: vm, vcpu: vcpu))
            var recorder = try LiveRecorder(printer, path: record, info: session.info)
            try Capabilities.drop(startsCommand: !command.isEmpty)
            try session.run(for: duration, command: command, into: &recorder)
            let totals = session.source.totals()
            try recorder.finish(totals, hits: totals.byName)
            recorder.next.finish(session)
        case .ftrace:
            var session = try FtraceSession()
            var recorder = try LiveRecorder(printer, path: record, info: session.info)
            try Capabilities.drop(keeping: FtraceSession.capabilities, startsCommand: !command.isEmpty)
            try session.run(for: duration, command: command, into: &recorder)
            let totals = session.source.totals()
            try recorder.finish(totals)
            recorder.next.finish(totals, found: session.found)
        }
    }
}
