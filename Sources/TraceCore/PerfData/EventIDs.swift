// SPDX-License-Identifier: Apache-2.0

/// Which attribute an event's id belongs to: each has one for every CPU or thread that it was opened on.
///
/// A table that is asked once a sample: open addressing, at most half full.
final class EventIDs {
    /// 92 events on more than five thousand CPUs: beyond it is damage.
    static let most = 1 << 19

    private let keys: UnsafeMutablePointer<UInt64>
    private let attributes: UnsafeMutablePointer<UInt16>
    private let shift: UInt64
    private let mask: Int
    let count: Int

    /// 0 is no id: it stands for a free place.
    init(_ attributes: [PerfAttribute]) {
        let count = min(Self.most, attributes.reduce(0) { $0 + $1.ids.count })
        var bits: UInt64 = 4
        while 1 << bits < 2 * count { bits += 1 }
        let size = 1 << Int(bits)
        (self.count, mask, shift) = (count, size - 1, 64 - bits)
        keys = .allocate(capacity: size)
        keys.initialize(repeating: 0, count: size)
        self.attributes = .allocate(capacity: size)
        self.attributes.initialize(repeating: 0, count: size)
        var left = count
        for (index, attribute) in attributes.enumerated() {
            for id in attribute.ids where id != 0 && left > 0 {
                left -= 1
                let place = place(of: id)
                guard keys[place] == 0 else { continue }
                keys[place] = id
                self.attributes[place] = UInt16(truncatingIfNeeded: index)
            }
        }
    }

    deinit {
        keys.deallocate()
        attributes.deallocate()
    }

    /// The index of an id's attribute; nil for an id that no attribute has.
    @inline(__always)
    subscript(id: UInt64) -> Int? {
        let place = place(of: id)
        return id != 0 && keys[place] == id ? Int(attributes[place]) : nil
    }

    /// Where the id is, or would be.
    @inline(__always)
    private func place(of id: UInt64) -> Int {
        var place = Int(truncatingIfNeeded: (id &* 0x9e37_79b9_7f4a_7c15) &>> shift)
        while keys[place] != id, keys[place] != 0 { place = (place &+ 1) & mask }
        return place
    }
}
