// SPDX-License-Identifier: Apache-2.0

/// The piece of a perf.data's records that is being looked at. It fits in a CPU's cache.
struct PerfWindow: ~Copyable {
    /// Room for what is read at a time behind the longest begin of a record.
    private static let capacity = PerfStream.piece + PerfRecord.largest
    /// Loads of whole words may go so far beyond the last byte.
    private static let slack = 64

    let base: UnsafeMutableRawPointer
    private(set) var filled = 0
    /// Bytes whose records have been looked at.
    var scanned = 0

    init() {
        base = .allocate(byteCount: Self.capacity + Self.slack, alignment: 8)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: Self.capacity + Self.slack)
    }

    deinit {
        base.deallocate()
    }

    var rest: Int { filled - scanned }

    var free: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base + filled, count: Self.capacity - filled)
    }

    mutating func didFill(_ count: Int) {
        filled += count
    }

    /// Drops what has been looked at: at most the begin of one record stays.
    mutating func makeRoom() {
        base.copyMemory(from: base + scanned, byteCount: rest)
        (filled, scanned) = (rest, 0)
    }

    /// Puts a whole record in front of what has not been looked at, which is the begin of another one.
    mutating func insert(_ record: UnsafeRawBufferPointer) {
        (base + scanned + record.count).copyMemory(from: base + scanned, byteCount: rest)
        if let bytes = record.baseAddress { (base + scanned).copyMemory(from: bytes, byteCount: record.count) }
        filled += record.count
    }

    /// Forgets what was not looked at.
    mutating func dropRest() {
        filled = scanned
    }
}
