// SPDX-License-Identifier: Apache-2.0

/// A recording as a user names it, recognised by what is in it.
///
/// Closed on purpose: whoever reads one needs to know no format, and what is none of these is refused with what to do.
public enum Recording: TraceSource {
    case traceDat(TraceDat)
    case perfData(PerfData)
    case text(TextTrace)

    /// - Parameter limit: for compressed input.
    /// - Throws: where nothing can be said of the file, with what to do.
    public init(path: String, limit: InflationLimit = InflationLimit()) throws(InputError) {
        if Self.isPerfDirectory(path) { throw .foreign(file: path, .perfDirectory) }
        try self.init(InputFile(path: path, Self.wanted), limit)
    }

    /// `perf record --threads` writes a folder.
    public static func isPerfDirectory(_ path: String) -> Bool {
        let head = try? InputFile(path: path + "/data").bytes(at: 0, count: PerfContainer.magic.count)
        return head == PerfContainer.magic
    }

    /// Reads from a descriptor, which is taken over and closed. One that can't be sought in, such as a pipe, is copied to an
    /// unlinked file in `TMPDIR` first.
    public init(
        descriptor: Int32, name: String, limit: InflationLimit = InflationLimit()
    ) throws(InputError) {
        try self.init(InputFile(owning: descriptor, name: name, Self.wanted), limit)
    }

    /// Of what no reader takes as much as tells what it is.
    private static func wanted(_ head: [UInt8]) -> UInt64 {
        let isRead = head.starts(with: TraceHead.magic) || head.starts(with: PerfContainer.magic)
        return isRead || Compression(head: head) != .none || TextEncoding.isText(head: head)
            ? .max : UInt64(SpoolFile.headSize)
    }

    private init(_ input: InputFile, _ limit: InflationLimit) throws(InputError) {
        var file = input
        var cut: TraceCut?
        var head = file.bytes(at: 0, count: SpoolFile.headSize)
        let compression = Compression(head: head)
        if compression != .none {
            (file, cut) = try input.inflated(compression, limit, Self.wanted)
            head = file.bytes(at: 0, count: SpoolFile.headSize)
            if head.isEmpty, let cut { throw .damaged(file: input.name, cut) }
        }
        guard !head.isEmpty else { throw .empty(file: file.name) }
        if let foreign = ForeignFormat(head: head, file: file.name, size: file.size) {
            throw .foreign(file: file.name, foreign)
        }
        if head.starts(with: PerfContainer.magic) {
            self = .perfData(try PerfData(file, cut: cut))
        } else if head.starts(with: TraceHead.magic) {
            self = .traceDat(try TraceDat(file, cut: cut, limit: limit))
        } else {
            var encoding = TextEncoding(head: file.bytes(at: 0, count: TextEncoding.headSize))
            self = .text(try TextTrace(encoding.isPlain ? file : encoding.decoded(file), cut: cut))
        }
    }

    public var info: TraceInfo {
        switch self {
        case .traceDat(let file): file.info
        case .perfData(let file): file.info
        case .text(let file): file.info
        }
    }

    public func begin() -> UInt64 {
        switch self {
        case .traceDat(let file): file.begin()
        case .perfData(let file): file.begin()
        case .text(let file): file.begin()
        }
    }

    public mutating func read<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int = 1, progress: ((_ read: UInt64, _ total: UInt64) -> Void)? = nil
    ) throws(InputError) -> TraceTotals {
        try readAll(into: &sink, threads: threads, progress: progress)
    }

    /// What the public ways to read have in common. From another module a generic call goes through the sink's witness table;
    /// where a sink of this module is in a hurry it has a way of its own, which the compiler makes for it.
    @inline(__always)
    func readAll<S: EventSink & ~Copyable>(
        into sink: inout S, threads: Int, progress: ((_ read: UInt64, _ total: UInt64) -> Void)?
    ) throws(InputError) -> TraceTotals {
        switch self {
        case .traceDat(let file): try file.read(into: &sink, threads: threads, progress: progress)
        case .perfData(let file): try file.read(into: &sink, threads: threads, progress: progress)
        case .text(let file): try file.read(into: &sink, threads: threads, progress: progress)
        }
    }
}
