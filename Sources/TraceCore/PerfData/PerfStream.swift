// SPDX-License-Identifier: Apache-2.0

/// Puts the records of a perf.data into a window, from the file as they lie there, or inflated.
///
/// `perf record -z` puts what it takes into records of kind COMPRESSED, which are one zstd stream all together: a record may begin
/// in one of them and end in the next. Between them are records as usual.
struct PerfStream {
    /// Bytes that are read at a time.
    static let piece = 1 << 17

    private let file: InputFile
    /// Where the file is read next, and where the records end.
    private var next: UInt64
    private let end: UInt64
    private var inflater: Inflater?
    /// Of an inflated stream: what was read and not used yet, and what is left of the compressed record that it is in.
    private var outer: [UInt8] = []
    private var used = 0
    private var left: UInt64 = 0
    /// The window had no room for all that came out of it.
    private var holdsMore = false
    private var padding: UInt64 = 0
    private(set) var cut: TraceCut?
    private(set) var read: UInt64 = 0

    init(_ container: PerfContainer) {
        file = container.file
        next = container.records.lowerBound
        end = container.records.upperBound
    }

    /// Where the byte behind the window's last one lies in the file; of what is inflated the compressed record.
    var offset: UInt64 { next - UInt64(outer.count - used) }

    /// Adds what comes next to the window.
    /// - Returns: whether there was anything.
    mutating func fill(_ window: inout PerfWindow) -> Bool {
        inflater == nil ? fillPlainly(&window) : fillInflated(&window)
    }

    /// Passes bytes that no reader wants.
    mutating func skip(_ count: UInt64) {
        next = min(end, next.addingClamped(count))
    }

    private mutating func fillPlainly(_ window: inout PerfWindow) -> Bool {
        let room = Int(min(UInt64(min(window.free.count, Self.piece)), end - min(next, end)))
        let count = file.read(at: next, into: UnsafeMutableRawBufferPointer(rebasing: window.free[..<room]))
        window.didFill(count)
        next += UInt64(count)
        read += UInt64(count)
        return count > 0
    }

    // MARK: - Compressed

    /// The window's rest starts with a compressed record: it is read anew from here on.
    mutating func startInflating(_ window: inout PerfWindow) {
        next -= UInt64(window.rest)
        window.dropRest()
        inflater = inflater ?? Inflater(.zstd, windowLog: Inflater.largestZstdWindowLog)
    }

    private mutating func fillInflated(_ window: inout PerfWindow) -> Bool {
        while cut == nil {
            if left > 0 || holdsMore {
                let made = inflate(&window)
                if made > 0 { return true }
            } else if padding > 0 {
                guard have(1) else { break }
                let count = min(padding, UInt64(outer.count - used))
                used += Int(count)
                padding -= count
            } else {
                guard let isRecord = nextRecord(&window) else { break }
                if isRecord { return true }
            }
        }
        return false
    }

    /// - Returns: how many bytes came out.
    private mutating func inflate(_ window: inout PerfWindow) -> Int {
        guard left == 0 || have(1), let inflater else {
            cut = TraceCut(offset: offset, expected: "the rest of a compressed record")
            return 0
        }
        let free = window.free
        let (taken, made, progress) = outer.withUnsafeBytes { outer in
            let given = outer[used...].prefix(Int(clamping: left))
            var source = UnsafeRawBufferPointer(rebasing: given)
            var target = free
            let progress = inflater.inflate(&source, into: &target)
            return (given.count - source.count, free.count - target.count, progress)
        }
        used += taken
        left -= UInt64(taken)
        window.didFill(made)
        holdsMore = made == free.count
        switch progress {
        case .more: break
        case .end: inflater.restart()
        case .corrupt, .windowTooLarge:
            cut = TraceCut(offset: offset, expected: "compressed records that inflate")
        }
        if left > 0, taken == 0, made == 0, progress != .end {
            cut = cut ?? TraceCut(offset: offset, expected: "compressed records that inflate")
        }
        return made
    }

    /// Takes the next record of the file itself.
    /// - Returns: whether it went to the window; false for a compressed one; nil at the end.
    private mutating func nextRecord(_ window: inout PerfWindow) -> Bool? {
        guard have(PerfRecord.headerSize) else {
            if used < outer.count { cut = TraceCut(offset: offset, expected: "a record's header") }
            return nil
        }
        let header = outer.withUnsafeBytes { PerfHeader($0.word(at: used) ?? 0) }
        let size = header.size
        switch PerfRecord(rawValue: header.type) {
        case .compressed:
            guard size >= PerfRecord.headerSize else { break }
            used += PerfRecord.headerSize
            left = UInt64(size - PerfRecord.headerSize)
            return false
        case .compressed2:
            // The header's size has 16 bits only and may be anything: the data's own counts.
            guard have(2 * PerfRecord.headerSize) else { break }
            left = outer.withUnsafeBytes { $0.word(at: used + PerfRecord.headerSize) } ?? 0
            used += 2 * PerfRecord.headerSize
            padding = (8 - left % 8) % 8
            return false
        case .auxTrace:
            guard size >= 2 * PerfRecord.headerSize, have(size) else { break }
            let rest = outer.withUnsafeBytes { $0.word(at: used + PerfRecord.headerSize) } ?? 0
            used += size
            let here = min(rest, UInt64(outer.count - used))
            used += Int(here)
            skip(rest - here)
            return false
        default:
            guard size >= PerfRecord.headerSize, have(size) else { break }
            outer.withUnsafeBytes { window.insert(UnsafeRawBufferPointer(rebasing: $0[used..<(used + size)])) }
            used += size
            return true
        }
        cut = TraceCut(offset: offset, expected: "a whole record")
        return nil
    }

    /// Reads until so many bytes are at hand, where there are as many.
    private mutating func have(_ count: Int) -> Bool {
        guard outer.count - used < count else { return true }
        outer.removeFirst(used)
        used = 0
        let bytes = file.bytes(at: next, count: Int(min(UInt64(Self.piece), end - min(next, end))))
        outer += bytes
        next += UInt64(bytes.count)
        read += UInt64(bytes.count)
        return outer.count >= count
    }
}
