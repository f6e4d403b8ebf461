// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What somebody wants of a recording.
public struct CutRequest: Sendable {
    /// Id of a finding, or its number.
    public var finding: String?
    /// Everything this close to the finding's events, in units of the clock.
    public var around: UInt64?
    /// Everything of this time.
    public var window: ClosedRange<UInt64>?
    /// Whose events `around` and `window` take, and no others'.
    public var selection = Selection()
    public var isRedacted = false
    /// Of the traced host, where the recording has none.
    public var symbols: KernelSymbols?

    public init() {}
}

/// A part of a recording that says of itself that it is one, and says nothing that the whole doesn't.
public struct RecordingPart: ~Copyable, Sendable {
    /// Its events, and those of the whole.
    public private(set) var events: (taken: UInt64, whole: UInt64)
    /// What it was made for.
    public let purpose: String
    /// In bytes.
    public var size: UInt64 { scratch.size }
    /// Analyses that it took to find it.
    public let trials: Int
    private let scratch: ScratchFile

    /// More than this is much for a mail.
    public static let largeSize: UInt64 = 10 << 20

    /// - Throws: ``CutError`` where no part says the same, ``InputError``, ``TraceWriterError``.
    public init(of recording: inout Recording, _ request: CutRequest) throws {
        var maker = try CutMaker(&recording, request)
        let plan = try maker.plan(&recording)
        let scratch = try ScratchFile()
        let taken = try maker.write(&recording, plan, to: scratch.descriptor)
        try maker.check(scratch.descriptor)
        self.scratch = scratch
        purpose = maker.purpose
        events = (taken, maker.events)
        trials = maker.trials
    }

    /// Copies it to a file, which is made or replaced.
    public borrowing func write(path: String) throws(TraceWriterError) {
        let file = try OutputFile(path: path)
        try file.empty(reserving: size)
        try copy { bytes, offset throws(TraceWriterError) in try file.write(bytes, at: offset) }
        file.cut(at: size)
    }

    /// - Parameter body: takes the bytes that lie at an offset.
    public borrowing func copy<Failure: Error>(
        _ body: (_ bytes: [UInt8], _ offset: UInt64) throws(Failure) -> Void
    ) throws(Failure) {
        var offset: UInt64 = 0
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = bytes.withUnsafeMutableBytes {
                pread(scratch.descriptor, $0.baseAddress, $0.count, off_t(offset))
            }
            guard count > 0 else { return }
            try body(Array(bytes[..<count]), offset)
            offset += UInt64(count)
        }
    }
}

/// A file that nobody else can open, gone with whoever has it.
private final class ScratchFile: Sendable {
    let descriptor: Int32

    init() throws(TraceWriterError) {
        descriptor = SpoolFile.unlinked()
        guard descriptor >= 0 else { throw TraceWriterError.last("no temporary file can be made", file: "the part") }
    }

    deinit {
        close(descriptor)
    }

    var size: UInt64 {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? UInt64(status.st_size) : 0
    }
}
