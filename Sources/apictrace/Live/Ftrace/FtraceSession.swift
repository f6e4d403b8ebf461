// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing with ftrace: ``LiveSession``'s counterpart where BPF can't be used.
struct FtraceSession: LiveTracing, ~Copyable {
    private(set) var source: FtraceSource
    let info: TraceInfo
    /// Nanoseconds between drains.
    private static let beat: UInt64 = 10_000_000
    /// Whatever may end the process: the instance must go first. SIGPIPE comes when nobody reads our output any more.
    private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGWINCH]

    /// What stopping and removing the instance takes at the end: root owns it.
    static let capabilities = geteuid() == 0 ? Capabilities() : Capabilities(.dacOverride)

    init() throws(TracingUnavailable) {
        guard !HostFacts.isLockedDown else { throw .lockdown }
        guard let tracefs = Tracefs.directory else {
            throw geteuid() == 0 ? .noTracefs : .notPermitted(BPFError("open", "tracefs", code: EACCES))
        }
        guard SystemFile.exists(tracefs + "/events/kvm") else { throw .noKVM }
        for name in LiveSource.requiredTracepoints where !SystemFile.exists("\(tracefs)/events/kvm/\(name)") {
            throw .tracepointMissing(name)
        }
        let host = HostFacts.current
        EventLoop.block(Self.signals)
        do {
            source = try FtraceSource(in: tracefs)
        } catch {
            throw error.code == EACCES || error.code == EPERM ? .notPermitted(error) : .failed(error)
        }
        info = TraceInfo(host, source.formats)
    }

    static let countsMore = false

    var settled: UInt64 { source.settled }
    var base: UInt64? { source.base }

    func totals() -> TraceTotals { source.totals() }

    /// Traces until the time is over, the command has ended, the sink has enough, or a signal asks for the end.
    mutating func run(
        for seconds: Double?, command: [String], commandOutput: Int32, into sink: inout some LiveSink & ~Copyable
    ) throws(TracingUnavailable) {
        do throws(BPFError) {
            let loop = try EventLoop(
                drainEvery: Self.beat, for: seconds.map { UInt64($0 * 1e9) }, catching: Self.signals)
            let child = command.isEmpty ? nil : try ChildProcess(command, output: commandOutput)
            wait: while true {
                switch try loop.next() {
                case .drain:
                    try source.drain(into: &sink)
                    guard sink.drained(self) else { break wait }
                case .deadline: break wait
                case .signal(SIGCHLD):
                    if let child, child.hasEnded { break wait }
                case .signal(SIGWINCH): sink.resized()
                case .signal: break wait
                }
            }
            try source.finish(into: &sink)
        } catch {
            throw .failed(error)
        }
    }
}

extension TraceInfo {
    /// What ftrace says of itself; the kernel's types are asked as well, where there are any.
    fileprivate init(_ host: HostFacts, _ formats: FormatCatalog) {
        self.init(format: "live (ftrace)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: host.cpus)
        kernel = host.kernel
        take(formats)
        isa = host.isa
        if let types = try? KernelTypes() { sviFix = FixState(types) }
    }
}
