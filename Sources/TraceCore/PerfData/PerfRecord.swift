// SPDX-License-Identifier: Apache-2.0

/// The kinds of records that are of use here: `enum perf_event_type` of the kernel's, and from 64 on perf's own
/// (tools/lib/perf/include/perf/event.h, 7.3).
enum PerfRecord: UInt32 {
    case lost = 2
    case comm = 3
    case exit = 4
    case throttle = 5
    case fork = 7
    case read = 8
    case sample = 9
    case lostSamples = 13
    case headerAttribute = 64
    case tracingData = 66
    case finishedRound = 68
    case idIndex = 69
    case auxTrace = 71
    case eventUpdate = 78
    case feature = 80
    case compressed = 81
    case compressed2 = 83

    /// u32 type, u16 misc, u16 size with the header.
    static let headerSize = 8
    static let largest = 1 << 16
    /// perf's own kinds begin here: they don't end with a sample's id.
    static let firstOfPerf: UInt32 = 64
    /// Beyond it is nothing that any version writes, with room for those to come.
    static let kinds: UInt32 = 128
}

/// A record's first eight bytes.
struct PerfHeader {
    private let word: UInt64

    @inline(__always)
    init(_ word: UInt64) {
        self.word = word
    }

    @inline(__always)
    init(_ base: UnsafeRawPointer) {
        word = UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
    }

    @inline(__always)
    var type: UInt32 { UInt32(truncatingIfNeeded: word) }
    /// As the header has it. What some kinds carry lies behind that.
    @inline(__always)
    var size: Int { Int(word &>> 48) }
}

extension UnsafeRawBufferPointer {
    /// Nil where the buffer ends before.
    func word(at place: Int) -> UInt64? {
        guard place >= 0, place <= count - 8 else { return nil }
        return UInt64(littleEndian: loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    func half(at place: Int) -> Int32? {
        guard place >= 0, place <= count - 4 else { return nil }
        return Int32(littleEndian: loadUnaligned(fromByteOffset: place, as: Int32.self))
    }
}
