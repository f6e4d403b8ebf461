// SPDX-License-Identifier: Apache-2.0

/// Where a trace comes from: it is read into a sink, and learns nothing of what becomes of it.
public protocol TraceSource: ~Copyable {
    /// What the trace says of itself.
    var info: TraceInfo { get }
    /// Time of the earliest record, which reports count from, in clock units; 0 where there is none.
    func begin() -> UInt64
    /// Hands every event that the machine uses, every gap and every fact to `sink`, in the order of time.
    /// - Parameters:
    ///   - threads: with 2 or more a second one may read and decode, and the caller's only tells the sink.
    ///   - progress: told every now and then how many bytes have been read, and of how many; by the caller's thread.
    /// - Throws: where the disk fails before the first record. What fails later is a cut.
    mutating func read<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?
    ) throws(InputError) -> TraceTotals
}

extension TraceSource where Self: ~Copyable {
    /// On the caller's thread alone.
    public mutating func read<S: EventSink & ~Copyable>(into sink: inout S) throws(InputError) -> TraceTotals {
        try read(into: &sink, threads: 1, progress: nil)
    }
}
