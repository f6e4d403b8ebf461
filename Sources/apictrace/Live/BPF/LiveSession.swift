// SPDX-License-Identifier: Apache-2.0
import Glibc
import TraceCore

/// One run of live tracing from the first check to the last event: the source, and what is known of the host.
struct LiveSession: LiveTracing, ~Copyable {
    private(set) var source: LiveSource
    let info: TraceInfo

    /// With the privileges that it takes in effect, and only while it takes them.
    static func started(_ options: LiveOptions) throws(TracingUnavailable) -> LiveSession {
        try Privileges.raised { () throws(TracingUnavailable) in try LiveSession(options) }
    }

    private init(_ options: LiveOptions) throws(TracingUnavailable) {
        let types = try Self.types()
        let host = HostFacts.current
        source = try LiveSource.start(options, host: host, types: types)
        info = TraceInfo(host, types, kinds: source.kinds)
    }

    /// Loads the probes and attaches a rare one, and takes them away again: what doctor knows of them is so.
    /// - Returns: how many programs this kernel took.
    static func rehearse() throws(TracingUnavailable) -> Int {
        try LiveSource.rehearse(host: .current, types: try types())
    }

    /// The kernel's types, where they and all else that the probes need are there.
    private static func types() throws(TracingUnavailable) -> KernelTypes {
        guard !HostFacts.isLockedDown else { throw .lockdown }
        guard SystemFile.exists(KernelTypes.directory + "vmlinux") else {
            throw SystemFile.exists("/sys/kernel") ? .noBTF : .noSysfs
        }
        guard Tracefs.directory != nil else { throw .withoutTracefs }
        let types: KernelTypes
        do { types = try KernelTypes() } catch { throw TracingUnavailable(error) }
        guard types.hasKVM else { throw .noKVM }
        return types
    }

    static let countsMore = true

    var settled: UInt64 { source.settled }
    var base: UInt64? { source.base }

    func totals() -> TraceTotals { source.totals() }

    mutating func drain(into sink: inout some LiveSink & ~Copyable) throws(BPFError) {
        try source.drain(into: &sink)
    }

    func look(at sleepers: [Int32]) {
        source.look(at: sleepers)
    }

    mutating func tellAnew(into sink: inout some LiveSink & ~Copyable) -> UInt64 { source.tellAnew(to: &sink) }

    mutating func finish(into sink: inout some LiveSink & ~Copyable) throws(BPFError) {
        try source.finish(into: &sink)
    }
}
