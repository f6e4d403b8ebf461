// SPDX-License-Identifier: Apache-2.0

/// A perf.data as perf record writes it, to a file or to a pipe, whatever its compression.
///
/// Read from start to end with memory that doesn't grow with the file. What damage leaves readable is read, and
/// ``TraceTotals/cut`` tells of the rest. A sample names its process as well as its thread: no VM has to be inferred.
public struct PerfData: TraceSource {
    public let info: TraceInfo
    private let container: PerfContainer

    /// - Parameters:
    ///   - file: that begins as one.
    ///   - cut: damage that was met before, in unpacking the file.
    /// - Throws: where nothing can be told of the file, with what to do.
    init(_ file: InputFile, cut: TraceCut?) throws(InputError) {
        container = try PerfContainer(file, cut: cut)
        info = container.info
    }

    /// On the caller's thread, whatever `threads` is.
    public func read<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?
    ) throws(InputError) -> TraceTotals {
        let size = container.records.upperBound - container.records.lowerBound
        var reading = PerfReading(
            container, progress: progress.map { ReadProgress(total: size, show: $0) }, takesOthers: S.takesOthers)
        reading.run(into: &sink)
        if let reason = reading.held.spillFailure {
            throw .cannotRead(file: container.file.name, offset: 0, reason: reason)
        }
        let totals = reading.totals(container)
        if totals.byName.isEmpty, let cut = totals.cut { try container.file.probe(cut.offset) }
        return totals
    }

    public func begin() -> UInt64 {
        var reading = PerfReading(container, progress: nil)
        _ = reading.nextLimit()
        return reading.first ?? 0
    }
}
