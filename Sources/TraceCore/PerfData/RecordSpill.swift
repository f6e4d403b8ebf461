// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Held records that there is no memory for, in an unlinked temporary file: runs in the order of time, which are read together.
struct RecordSpill: ~Copyable {
    /// A part of the file, and what has been read of it.
    private struct Run {
        var next: UInt64
        var end: UInt64
        var bytes: [UInt64] = []
        var place = 0
        var count = 0
    }

    private static let piece = 1 << 17

    private var descriptor: Int32 = -1
    private var size: UInt64 = 0
    private var runs: [Run] = []
    private var pending: [UInt8] = []
    private(set) var failure: String?

    init() {}

    deinit {
        if descriptor >= 0 { try? FileDescriptor(rawValue: descriptor).close() }
    }

    var isEmpty: Bool { runs.isEmpty }
    var count: Int { runs.count }

    // MARK: - Writing

    mutating func begin() {
        if descriptor < 0 { descriptor = SpoolFile.unlinked() }
        if descriptor < 0 { failure = failure ?? "temporary file: \(InputFile.reason)" }
        runs.append(Run(next: size, end: size))
    }

    mutating func write(_ record: UnsafeRawBufferPointer) {
        pending += record
        if pending.count >= Self.piece { flush() }
    }

    mutating func end() {
        flush()
        if runs.last.map({ $0.next == $0.end }) ?? false { runs.removeLast() }
    }

    /// What can't be written is lost, and ``failure`` says so.
    private mutating func flush() {
        defer { pending.removeAll(keepingCapacity: true) }
        guard failure == nil else { return }
        do {
            _ = try FileDescriptor(rawValue: descriptor).writeAll(pending)
            size += UInt64(pending.count)
            runs[runs.count - 1].end = size
        } catch {
            failure = "temporary file: \(error)"
        }
    }

    // MARK: - Reading

    /// Calls with the next record of a run, and those after it up to a time.
    /// - Returns: the next one's time; nil at the run's end.
    mutating func visit(_ run: Int, until last: UInt64, _ body: (UnsafeRawPointer) -> Void) -> UInt64? {
        var isFirst = true
        while let time = time(run) {
            guard isFirst || time <= last else { return time }
            isFirst = false
            let place = runs[run].place
            runs[run].place += size(run)
            runs[run].bytes.withUnsafeBytes { bytes in
                if let record = bytes.baseAddress { body(record + place) }
            }
        }
        return nil
    }

    mutating func dropTold() {
        runs.removeAll { $0.count == $0.place && $0.next == $0.end }
        guard runs.isEmpty, size > 0 else { return }
        // The next run begins where the file does.
        size = 0
        try? FileDescriptor(rawValue: descriptor).resize(to: 0)
        _ = try? FileDescriptor(rawValue: descriptor).seek(offset: 0, from: .start)
    }

    /// Of a run's next record, which is read as a whole; nil at the run's end, and where the disk fails.
    mutating func time(_ index: Int) -> UInt64? {
        let rest = runs[index].count - runs[index].place
        if rest < HeldRecord.headSize || rest < size(index) { read(index) }
        guard runs[index].count - runs[index].place >= HeldRecord.headSize else { return nil }
        return runs[index].bytes[runs[index].place / 8]
    }

    private func size(_ index: Int) -> Int {
        runs[index].bytes.withUnsafeBytes { bytes in
            bytes.baseAddress.map { Int(HeldRecords.head($0 + runs[index].place).size) } ?? 0
        }
    }

    private mutating func read(_ index: Int) {
        let rest = runs[index].count - runs[index].place
        guard runs[index].next < runs[index].end else { return }
        var bytes = [UInt64](repeating: 0, count: (Self.piece + (1 << 16)) / 8)
        let wanted = Int(min(UInt64(Self.piece), runs[index].end - runs[index].next))
        let place = runs[index].place
        let old = runs[index].bytes
        let offset = runs[index].next
        let file = FileDescriptor(rawValue: descriptor)
        let count = bytes.withUnsafeMutableBytes { bytes in
            old.withUnsafeBytes { old in
                bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: old[place..<(place + rest)]))
            }
            return file.fill(UnsafeMutableRawBufferPointer(rebasing: bytes[rest..<(rest + wanted)]), from: offset).count
        }
        if count < wanted {
            failure = failure ?? "temporary file: \(InputFile.reason)"
            runs[index].end = offset + UInt64(count)
        }
        runs[index].next += UInt64(count)
        runs[index].bytes = bytes
        runs[index].place = 0
        runs[index].count = rest + count
    }
}
