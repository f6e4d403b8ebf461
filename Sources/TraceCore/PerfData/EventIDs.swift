// SPDX-License-Identifier: Apache-2.0

/// Which attribute an event's id belongs to: each has one for every CPU or thread that it was opened on.
///
/// A table that is asked once a sample: open addressing, at most half full.
final class EventIDs {
    /// 92 events on more than five thousand CPUs: beyond it is damage.
    static let most = 1 << 19

    struct Entry {
        /// 0 is no id: it stands for a free place.
        var id: UInt64 = 0
        var attribute = -1
    }

    /// The table, for who asks it in a loop. It stays while its owner does.
    struct Lookup {
        fileprivate let entries: UnsafeMutablePointer<Entry>
        fileprivate let shift: UInt64
        fileprivate let mask: Int

        /// The index of an id's attribute; -1 for an id that no attribute has.
        @inline(__always)
        func attribute(_ id: UInt64) -> Int { id == 0 ? -1 : entries[place(of: id)].attribute }

        /// Where the id is, or would be.
        @inline(__always)
        fileprivate func place(of id: UInt64) -> Int {
            var place = Int(truncatingIfNeeded: (id &* 0x9e37_79b9_7f4a_7c15) &>> shift)
            while entries[place].id != id, entries[place].id != 0 { place = (place &+ 1) & mask }
            return place
        }
    }

    let lookup: Lookup
    let count: Int

    init(_ attributes: [PerfAttribute]) {
        count = min(Self.most, attributes.reduce(0) { $0 + $1.ids.count })
        var bits: UInt64 = 4
        while 1 << bits < 2 * count { bits += 1 }
        let size = 1 << Int(bits)
        lookup = Lookup(entries: .allocate(capacity: size), shift: 64 - bits, mask: size - 1)
        lookup.entries.initialize(repeating: Entry(), count: size)
        var left = count
        for (index, attribute) in attributes.enumerated() {
            for id in attribute.ids where id != 0 && left > 0 {
                left -= 1
                let place = lookup.place(of: id)
                if lookup.entries[place].id == 0 { lookup.entries[place] = Entry(id: id, attribute: index) }
            }
        }
    }

    deinit {
        lookup.entries.deallocate()
    }

    /// Nil for an id that no attribute has.
    subscript(id: UInt64) -> Int? {
        let attribute = lookup.attribute(id)
        return attribute < 0 ? nil : attribute
    }
}
