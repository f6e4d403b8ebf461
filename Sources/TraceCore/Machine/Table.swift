// SPDX-License-Identifier: Apache-2.0

/// A place in one of the machine's tables. Each table has its own type of them, so that one is never taken for another's.
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

/// Of a vCPU in ``Machine/vcpus``. It is not the vCPU's id, and once its VM has ended it is another vCPU's.
public struct VCPUIndex: TableIndex {
    public let place: Int
    public init(_ place: Int) { self.place = place }
}

/// Of a VM in ``Machine/vms``. Once the VM has ended it is another VM's.
public struct VMIndex: TableIndex {
    public let place: Int
    public init(_ place: Int) { self.place = place }
}

/// Of a host thread in the machine's ``ThreadTable``.
public struct ThreadIndex: TableIndex {
    public let place: Int
    public init(_ place: Int) { self.place = place }
}

/// Elements by their index: what there is of each vCPU, VM or thread.
public struct Table<Index: TableIndex, Element>: RandomAccessCollection, MutableCollection {
    private var elements: [Element] = []

    public init() {}

    @inline(__always)
    public var startIndex: Index { Index(0) }
    @inline(__always)
    public var endIndex: Index { Index(elements.count) }

    public subscript(index: Index) -> Element {
        @inline(__always) _read { yield elements[index.place] }
        @inline(__always) _modify { yield &elements[index.place] }
    }

    /// An element that is made, with all before it, when it is written to first.
    subscript(index: Index, default element: @autoclosure () -> Element) -> Element {
        @inline(__always) get { index < endIndex ? self[index] : element() }
        @inline(__always) _modify {
            while endIndex <= index { elements.append(element()) }
            yield &elements[index.place]
        }
    }

    /// Puts an element into a place that nobody has any more, or at the end: returns which.
    ///
    /// - Parameter free: such places, the latest last.
    mutating func put(_ element: Element, reusing free: inout [Index]) -> Index {
        guard let place = free.popLast() else {
            elements.append(element)
            return Index(elements.count - 1)
        }
        self[place] = element
        return place
    }
}

extension Table: Sendable where Element: Sendable {}
extension Table: Equatable where Element: Equatable {}
