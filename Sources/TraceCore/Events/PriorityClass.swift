// SPDX-License-Identifier: Apache-2.0

/// The class of an interrupt, of a task priority or of a processor priority: the APIC compares nothing else (SDM 11.8.3).
public struct PriorityClass: Comparable, Hashable, Sendable {
    /// From 0 to 15.
    let number: UInt8

    /// No interrupt is below it: what holds back none.
    static let lowest = PriorityClass(number: 0)

    @inline(__always)
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

extension UInt8 {
    /// Of a vector, of TPR or of PPR: bits 7:4.
    @inline(__always)
    var priorityClass: PriorityClass { PriorityClass(number: self >> 4) }
}
