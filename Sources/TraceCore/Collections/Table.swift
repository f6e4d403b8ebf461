// SPDX-License-Identifier: Apache-2.0

/// A place in a table. Each table has its own type of them, so that one is never taken for another's.
public protocol TableIndex: Strideable, Hashable, Sendable, ExpressibleByIntegerLiteral
where Stride == Int, IntegerLiteralType == Int {
    /// From 0 on.
    var place: Int { get }
    init(_ place: Int)
}

extension TableIndex {
    @inline(__always)
    public init(integerLiteral place: Int) { self.init(place) }
    @inline(__always)
    public func distance(to other: Self) -> Int { other.place - place }
    @inline(__always)
    public func advanced(by places: Int) -> Self { Self(place + places) }
}

/// Elements by their index: what there is of each vCPU, VM or thread.
///
/// Each event changes several of them. An array asks at each change whether anybody shares its memory; nobody can share this one's,
/// and that takes 10 of 400 instructions away. Sound since every access compares its index with `count` first, and the places below
/// `count` always hold an element. An element's type can't be private: Swift 6.3 makes no debug build then.
public struct Table<Index: TableIndex, Element>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    public private(set) var count = 0
    private var capacity: Int

    public init() { self.init(capacity: 4) }

    /// With room for so many from the start: large memory costs nothing where it was never written to.
    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    init(repeating element: Element, count: Int) {
        self.init()
        for _ in 0..<count { append(element) }
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    public subscript(index: Index) -> Element {
        @inline(__always)
        unsafeAddress {
            precondition(UInt(bitPattern: index.place) < UInt(bitPattern: count))
            return UnsafePointer(base + index.place)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(UInt(bitPattern: index.place) < UInt(bitPattern: count))
            return base + index.place
        }
    }

    /// An element that is made, with all before it, when it is written to first.
    subscript(index: Index, default element: @autoclosure () -> Element) -> Element {
        @inline(__always)
        _read {
            if contains(index) { yield self[index] } else { yield element() }
        }
        @inline(__always)
        _modify {
            while !contains(index) { append(element()) }
            yield &self[index]
        }
    }

    /// Puts an element into a place that nobody has any more, or at the end: returns which.
    ///
    /// - Parameter free: such places, the latest last.
    mutating func put(_ element: Element, reusing free: inout [Index]) -> Index {
        guard let index = free.popLast() else {
            append(element)
            return Index(count - 1)
        }
        self[index] = element
        return index
    }

    private mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
    }

    @inline(never)
    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: 2 * capacity)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    @inline(__always)
    public var endIndex: Index { Index(count) }
    public var indices: Range<Index> { Index(0)..<endIndex }

    @inline(__always)
    public func contains(_ index: Index) -> Bool { UInt(bitPattern: index.place) < UInt(bitPattern: count) }

    public func contains(where matches: (Element) -> Bool) -> Bool { firstIndex(where: matches) != nil }

    public func firstIndex(where matches: (Element) -> Bool) -> Index? { indices.first { matches(self[$0]) } }

    /// Copies of all, for whoever is in no hurry.
    public var elements: [Element] { indices.map { self[$0] } }
}

extension Table: @unchecked Sendable where Element: Sendable {}
