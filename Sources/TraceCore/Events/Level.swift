// SPDX-License-Identifier: Apache-2.0

/// Whose code a vCPU runs: the guest's own (L1) or that of the guest's guest (L2).
public enum Level: UInt8, CaseIterable, Sendable {
    case l1, l2, unknown
}

/// A number for each level.
public struct LevelCounts: Equatable, Sendable {
    public var l1: UInt64 = 0
    public var l2: UInt64 = 0
    public var unknown: UInt64 = 0

    public init() {}

    public var total: UInt64 { l1 &+ l2 &+ unknown }

    mutating func add(_ other: LevelCounts) {
        l1 &+= other.l1
        l2 &+= other.l2
        unknown &+= other.unknown
    }

    public subscript(level: Level) -> UInt64 {
        get {
            switch level {
            case .l1: l1
            case .l2: l2
            case .unknown: unknown
            }
        }
        set {
            switch level {
            case .l1: l1 = newValue
            case .l2: l2 = newValue
            case .unknown: unknown = newValue
            }
        }
    }
}

extension Level {
    /// As people write it.
    public var name: String {
        switch self {
        case .l1: "L1"
        case .l2: "L2"
        case .unknown: "an unknown level"
        }
    }
}
