// SPDX-License-Identifier: Apache-2.0

/// A trace.dat as trace-cmd records it, versions 6 and 7, whatever its compression.
///
/// Read from start to end with memory that doesn't grow with the file. What damage leaves readable is read, and
/// ``TraceTotals/cut`` tells of the rest.
public struct TraceDat: TraceSource {
    public let info: TraceInfo
    let container: TraceContainer

    /// - Parameters:
    ///   - file: that begins as one.
    ///   - cut: damage that was met before, in unpacking the file.
    ///   - limit: for compressed data.
    /// - Throws: where nothing can be said of the file, with what to do.
    init(_ file: InputFile, cut: TraceCut?, limit: InflationLimit) throws(InputError) {
        container = try TraceContainer(file, cut: cut, limit: limit)
        // The last word of a `uname` line.
        let machine = container.options.uname?.split(separator: " ").last.map(String.init)
        if let foreign = ForeignFormat(architecture: machine)
            ?? ForeignFormat(architecture: container.formats.otherMachine)
        {
            throw .foreign(file: file.name, foreign)
        }
        info = container.info
    }

    public func read<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?
    ) throws(InputError) -> TraceTotals {
        var reading = TraceReading(
            container, progress: progress.map { ReadProgress(total: container.dataSize, show: $0) },
            takesOthers: S.takesOthers, readsAhead: threads > 1)
        reading.merge.run(into: &sink)
        return try checked(reading.totals(container))
    }

    public func begin() -> UInt64 {
        var reading = TraceReading(container, progress: nil)
        _ = reading.merge.start()
        return reading.merge.base
    }

    private func checked(_ totals: TraceTotals) throws(InputError) -> TraceTotals {
        if totals.byName.isEmpty, let cut = totals.cut { try container.file.probe(cut.offset) }
        return totals
    }
}
