// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing with ftrace: ``LiveSession``'s counterpart where BPF can't be used.
struct FtraceSession: LiveTracing, ~Copyable {
    private(set) var source: FtraceSource
    let info: TraceInfo

    init() throws(TracingUnavailable) {
        guard !HostFacts.isLockedDown else { throw .lockdown }
        // Making an instance is root's; of others it would take CAP_DAC_OVERRIDE, which lets a process write any file.
        guard getuid() == 0 else { throw .ftraceNeedsRoot }
        guard let tracefs = Tracefs.directory else { throw .withoutTracefs }
        guard SystemFile.exists(tracefs + "/events/kvm") else { throw .noKVM }
        for name in LiveSource.requiredTracepoints where !SystemFile.exists("\(tracefs)/events/kvm/\(name)") {
            throw .tracepointMissing(name)
        }
        let host = HostFacts.current
        // Whatever may end the process: the instance must go first.
        EventLoop.block(EventLoop.ending)
        do {
            source = try FtraceSource(in: tracefs)
        } catch {
            throw TracingUnavailable(error)
        }
        info = TraceInfo(host, source.formats)
    }

    static let countsMore = false

    var settled: UInt64 { source.settled }
    var base: UInt64? { source.base }

    func totals() -> TraceTotals { source.totals() }

    mutating func drain(into sink: inout some LiveSink & ~Copyable) throws(BPFError) {
        try source.drain(into: &sink)
    }

    func look(at sleepers: [Int32]) {}

    mutating func tellAnew(into sink: inout some LiveSink & ~Copyable) -> UInt64 { source.tellAnew() }

    mutating func finish(into sink: inout some LiveSink & ~Copyable) throws(BPFError) {
        try source.finish(into: &sink)
    }
}

extension TraceInfo {
    /// What ftrace says of itself; the kernel's types are asked as well, where there are any.
    fileprivate init(_ host: HostFacts, _ formats: FormatCatalog) {
        self.init(format: Self.live + "ftrace)", clock: TraceClock(name: "mono", unit: .nanoseconds), cpus: host.cpus)
        kernel = host.kernel
        take(formats)
        isa = host.isa
        if let types = try? KernelTypes() { sviFix = FixState(types) }
    }
}
