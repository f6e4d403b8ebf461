// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing from the first check to the last event: the source, and what is known of the host.
struct LiveSession: LiveTracing, ~Copyable {
    private(set) var source: LiveSource
    let info: TraceInfo
    static let signals = [SIGINT, SIGTERM]

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

    mutating func drain(into sink: inout some LiveSink & ~Copyable) throws(BPFError) {
        try source.drain(into: &sink)
    }

    mutating func finish(into sink: inout some LiveSink & ~Copyable) throws(BPFError) {
        try source.finish(into: &sink)
    }
}
