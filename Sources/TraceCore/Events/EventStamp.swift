// SPDX-License-Identifier: Apache-2.0

/// When and where an event was recorded: the trace clock's time, the host CPU and the host thread that ran.
public struct EventStamp: Equatable, Sendable {
    /// Units of the trace clock (nanoseconds for most clocks, see ``TraceClock``).
    public var time: UInt64
    /// Below 0 where the input doesn't tell.
    public var cpu: Int32
    /// `common_pid` of the record: a thread id in the host's initial pid namespace. Below 0 for a thread that is assumed, since the
    /// input names none.
    public var tid: Int32

    @inline(__always)
    public init(time: UInt64, cpu: Int32, tid: Int32) {
        self.time = time
        self.cpu = cpu
        self.tid = tid
    }
}

extension EventStamp {
    public var knownCPU: Int32? { cpu < 0 ? nil : cpu }
    public var knownThread: Int32? { tid < 0 ? nil : tid }
}

extension UInt64 {
    /// Clock units since an earlier stamp; 0 where the CPUs' clocks disagree on the order.
    func elapsed(since earlier: UInt64) -> UInt64 {
        self > earlier ? self - earlier : 0
    }
}
