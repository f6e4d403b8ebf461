// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing from the first check to the last event: the source, the beat and what ends it.
struct LiveSession: LiveTracing, ~Copyable {
    private(set) var source: LiveSource
    let info: TraceInfo
    /// Nanoseconds between drains.
    private static let beat: UInt64 = 10_000_000

    init(_ options: LiveOptions) throws(TracingUnavailable) {
        guard !HostFacts.isLockedDown else { throw .lockdown }
        guard SystemFile.exists(KernelTypes.directory + "vmlinux") else { throw .noBTF }
        guard geteuid() != 0 || Tracefs.directory != nil else { throw .noTracefs }
        let types: KernelTypes
        do { types = try KernelTypes() } catch { throw .failed(error) }
        guard types.hasKVM else { throw .noKVM }
        let host = HostFacts.current
        source = try LiveSource.start(options, host: host, types: types)
        info = TraceInfo(host, types, kinds: source.kinds)
    }

    static let capabilities = Capabilities()
    static let countsMore = true

    var settled: UInt64 { source.settled }
    var base: UInt64? { source.base }

    func totals() -> TraceTotals { source.totals() }

    /// Traces until the time is over, the command has ended, the sink has enough, or SIGINT or SIGTERM asks for the end.
    ///
    /// - Parameter commandOutput: the descriptor that becomes the command's standard output.
    mutating func run(
        for seconds: Double?, command: [String], commandOutput: Int32, into sink: inout some LiveSink & ~Copyable
    ) throws(TracingUnavailable) {
        do throws(BPFError) {
            let loop = try EventLoop(
                drainEvery: Self.beat, for: seconds.map { UInt64($0 * 1e9) },
                catching: [SIGINT, SIGTERM, SIGCHLD, SIGWINCH])
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
