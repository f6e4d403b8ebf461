// SPDX-License-Identifier: Apache-2.0

/// A set of the 256 interrupt vectors, one bit each.
public struct VectorSet: Sequence, Equatable, Sendable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    public init() {}

    public init(_ vectors: [UInt8]) {
        for vector in vectors { insert(vector) }
    }

    /// As eight registers of the local APIC hold them, 32 vectors each. Those that are missing are empty.
    public init(registers: some Sequence<UInt32>) {
        for (index, register) in registers.enumerated() where index < 8 {
            let first = UInt8(index * 32)
            set(first, word(first) | UInt64(register) << UInt64(first & 63))
        }
    }

    /// The same back, always eight.
    public var registers: [UInt32] {
        (0..<8).map { UInt32(truncatingIfNeeded: word(UInt8($0 * 32)) >> UInt64($0 * 32 & 63)) }
    }

    @inline(__always)
    static let all = {
        var all = VectorSet()
        all.words = (.max, .max, .max, .max)
        return all
    }()

    public var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    public var highest: UInt8? {
        if words.3 != 0 { return UInt8(255 - words.3.leadingZeroBitCount) }
        if words.2 != 0 { return UInt8(191 - words.2.leadingZeroBitCount) }
        if words.1 != 0 { return UInt8(127 - words.1.leadingZeroBitCount) }
        if words.0 != 0 { return UInt8(63 - words.0.leadingZeroBitCount) }
        return nil
    }

    /// Ascending.
    public var vectors: [UInt8] { reversed() }

    public func contains(_ vector: UInt8) -> Bool {
        word(vector) & bit(vector) != 0
    }

    public mutating func insert(_ vector: UInt8) {
        set(vector, word(vector) | bit(vector))
    }

    public mutating func remove(_ vector: UInt8) {
        set(vector, word(vector) & ~bit(vector))
    }

    /// Removes this vector and all above.
    mutating func removeAll(from vector: UInt8) {
        for word in UInt8(vector >> 6)...3 {
            let first = word << 6
            set(first, vector > first ? self.word(first) & (bit(vector) &- 1) : 0)
        }
    }

    public static func == (left: VectorSet, right: VectorSet) -> Bool {
        left.words == right.words
    }

    private func bit(_ vector: UInt8) -> UInt64 { 1 << UInt64(vector & 63) }

    private func word(_ vector: UInt8) -> UInt64 {
        switch vector >> 6 {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
    }

    private mutating func set(_ vector: UInt8, _ word: UInt64) {
        switch vector >> 6 {
        case 0: words.0 = word
        case 1: words.1 = word
        case 2: words.2 = word
        default: words.3 = word
        }
    }

    /// The highest first.
    public struct Iterator: IteratorProtocol {
        fileprivate var rest: VectorSet

        @inline(__always)
        public mutating func next() -> UInt8? {
            guard let vector = rest.highest else { return nil }
            rest.remove(vector)
            return vector
        }
    }

    @inline(__always)
    public func makeIterator() -> Iterator { Iterator(rest: self) }
}
