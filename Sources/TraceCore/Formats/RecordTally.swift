// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Counts one buffer's records by id and says which ids are bound to an event.
///
/// A record's id has sixteen bits and the tables an entry for each, so that no look-up needs a check.
public final class RecordTally {
    private static let ids = Int(UInt16.max) + 1
    static let mostBindings = Int(UInt8.max)

    let entries: Entries

    /// The tables without the class around them, for who looks into them at each record. They are its for as long as it lives.
    struct Entries {
        let counts: UnsafeMutablePointer<UInt64>

        /// 0 for an id to skip, else one more than the index of its binding.
        @inline(__always)
        var bindings: UnsafeMutablePointer<UInt8> {
            // Behind the counts, so that one address finds both.
            UnsafeMutableRawPointer(counts + RecordTally.ids).assumingMemoryBound(to: UInt8.self)
        }
    }

    public init() {
        // calloc() gives pages that take no memory until an id on them occurs.
        guard let zeros = calloc(Self.ids, MemoryLayout<UInt64>.stride + MemoryLayout<UInt8>.stride) else {
            preconditionFailure("no memory for half a megabyte")
        }
        entries = Entries(counts: zeros.bindMemory(to: UInt64.self, capacity: Self.ids))
        (zeros + Self.ids * MemoryLayout<UInt64>.stride).bindMemory(to: UInt8.self, capacity: Self.ids)
    }

    deinit {
        free(entries.counts)
    }

    /// Records with this id are events of the decoder's `binding`.
    public func bind(id: UInt16, to binding: Int) {
        guard let entry = UInt8(exactly: binding + 1) else { return }
        entries.bindings[Int(id)] = entry
    }

    public func count(of id: UInt16) -> UInt64 {
        entries.counts[Int(id)]
    }

    /// The ids that records had, in ascending order.
    public var seen: [UInt16] {
        var seen: [UInt16] = []
        let block = [UInt64](repeating: 0, count: 512)
        for start in stride(from: 0, to: Self.ids, by: block.count)
        where memcmp(entries.counts + start, block, block.count * MemoryLayout<UInt64>.size) != 0 {
            seen += (start..<(start + block.count)).lazy.filter { self.entries.counts[$0] != 0 }.map { UInt16($0) }
        }
        return seen
    }
}
