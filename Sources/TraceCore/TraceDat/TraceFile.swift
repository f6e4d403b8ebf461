// SPDX-License-Identifier: Apache-2.0

/// A trace.dat as trace-cmd records it, versions 6 and 7, whatever its compression.
///
/// Read from start to end with memory that doesn't grow with the file. What damage leaves readable is read, and
/// ``TraceTotals/cut`` tells of the rest.
public struct TraceFile {
    public let info: TraceInfo
    private let container: TraceContainer

    /// - Parameter limit: for compressed input.
    /// - Throws: where nothing can be told of the file, with what to do.
    public init(path: String, limit: InflationLimit = InflationLimit()) throws(TraceFileError) {
        try self.init(InputFile(path: path), limit)
    }

    /// Reads from a descriptor, which is taken over and closed. One that can't be sought in, such as a pipe, is copied to an
    /// unlinked file in `TMPDIR` first.
    public init(
        descriptor: Int32, name: String, limit: InflationLimit = InflationLimit()
    ) throws(TraceFileError) {
        try self.init(InputFile(owning: descriptor, name: name), limit)
    }

    private init(_ input: InputFile, _ limit: InflationLimit) throws(TraceFileError) {
        var file = input
        var cut: TraceCut?
        var head = file.bytes(at: 0, count: SpoolFile.headSize)
        let compression = Compression(head: head)
        if compression != .none {
            (file, cut) = try input.inflated(compression, limit)
            head = file.bytes(at: 0, count: SpoolFile.headSize)
            if head.isEmpty, let cut { throw .damaged(file: input.name, cut) }
        }
        guard !head.isEmpty else { throw .empty(file: file.name) }
        if let foreign = ForeignFormat(head: head, file: file.name, size: file.size) {
            throw .foreign(file: file.name, foreign)
        }
        container = try TraceContainer(file, cut: cut, limit: limit)
        info = container.info
    }

    /// Hands every event that the machine uses, and every hole, to `sink` in the order of time.
    /// - Parameters:
    ///   - threads: with 2 or more a second one reads and decodes, and the caller's only tells the sink.
    ///   - progress: told every now and then how many bytes of the CPUs' data have been read, and of how many; by the caller's
    ///     thread.
    /// - Throws: where the disk fails before the first record. What fails later is a cut.
    public mutating func read<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int = 1, progress: ((_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(TraceFileError) -> TraceTotals {
        guard threads < 2 else { return try readAhead(into: &sink, progress: progress) }
        var reading = TraceReading(
            container, progress: progress.map { ReadProgress(total: container.dataSize, show: $0) },
            takesOthers: S.takesOthers)
        reading.merge.run(into: &sink)
        return try checked(reading.totals(container))
    }

    /// Time of the earliest record, which reports count from; 0 where there is none.
    public func begin() -> UInt64 {
        var reading = TraceReading(container, progress: nil)
        _ = reading.merge.start()
        return reading.merge.base
    }

    private func readAhead<S: EventSink & ~Copyable>(
        into sink: inout S, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?
    ) throws(TraceFileError) -> TraceTotals {
        let ahead = ReadAhead(container)
        ahead.run(into: &sink, progress: progress)
        return try checked(ahead.totals(container))
    }

    private func checked(_ totals: TraceTotals) throws(TraceFileError) -> TraceTotals {
        if totals.byName.isEmpty, let cut = totals.cut { try container.file.probe(cut.offset) }
        return totals
    }
}
