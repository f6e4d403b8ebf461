// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing from the first check to the last event: the source, the beat and what ends it.
struct LiveSession: ~Copyable {
    private(set) var source: LiveSource
    let host: HostFacts
    let sviFix: FixState
    let info: TraceInfo
    /// VMs that were there at the start.
    let found: [FoundVM]
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
        self.host = host
        sviFix = FixState(types)
        found = VCPUFinder.find()
    }

    /// Traces until the time is over, the command has ended, or SIGINT or SIGTERM asks for the end.
    mutating func run(
        for seconds: Double?, command: [String], into sink: inout some LiveEventSink & ~Copyable
    ) throws(TracingUnavailable) {
        do throws(BPFError) {
            let loop = try EventLoop(
                drainEvery: Self.beat, for: seconds.map { UInt64($0 * 1e9) }, catching: [SIGINT, SIGTERM, SIGCHLD])
            let child = command.isEmpty ? nil : try ChildProcess(command)
            wait: while true {
                switch try loop.next() {
                case .drain: try source.drain(into: &sink)
                case .deadline: break wait
                case .signal(SIGCHLD):
                    if let child, child.hasEnded { break wait }
                case .signal: break wait
                }
            }
            try source.finish(into: &sink)
        } catch {
            throw .failed(error)
        }
    }
}
