// SPDX-License-Identifier: Apache-2.0

/// A set of event kinds, one bit each.
public struct EventKindSet: OptionSet, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public init(_ kinds: EventKind...) {
        rawValue = kinds.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
    }

    public func contains(_ kind: EventKind) -> Bool {
        rawValue & 1 << UInt64(kind.rawValue) != 0
    }

    /// Once an event: a list of arguments would be an array.
    public mutating func insert(_ kind: EventKind) {
        self = EventKindSet(rawValue: rawValue | 1 << UInt64(kind.rawValue))
    }

    /// The kinds in it, in the order of ``EventKind``.
    public var kinds: [EventKind] {
        EventKind.allCases.filter(contains)
    }
}
