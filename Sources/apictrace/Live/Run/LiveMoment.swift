// SPDX-License-Identifier: Apache-2.0
import TraceCore

/// How a live trace stands at a moment, in words and numbers: what a screen or a line shows of it.
struct LiveMoment: Equatable {
    struct VM: Equatable {
        /// The report's number of it.
        var id: Int
        /// Of its gravest finding.
        var grade: Grade?
        var runsL2: Bool
        /// Events since the moment before.
        var perSecond: UInt64 = 0
        /// Events that were lost and are known to have been its own.
        var dropped: UInt64 = 0
        var name: String
        /// `active`, `inhibited 0x28 (...)`.
        var apicv: String
        /// Nanoseconds since the start of the trace; nil: from before it.
        var since: UInt64?
        var vcpus: [VCPU]
        /// Accesses to L1's APIC by register, for each way that had any.
        var accesses: [Accesses]

        /// Nothing is to be said of it now.
        var isIdle: Bool { grade == nil && perSecond == 0 }

        /// By finding, L2 and activity, as they go before others on a screen.
        static func ranks(_ left: VM, before right: VM) -> Bool {
            if left.grade != right.grade { return left.grade ?? .clean > right.grade ?? .clean }
            if left.isIdle != right.isIdle { return right.isIdle }
            if left.runsL2 != right.runsL2 { return left.runsL2 }
            // The least change of a rate is not to make lines jump.
            let (busy, other) = (
                left.perSecond.bitWidth - left.perSecond.leadingZeroBitCount,
                right.perSecond.bitWidth - right.perSecond.leadingZeroBitCount
            )
            return busy != other ? busy > other : left.id < right.id
        }
    }

    struct VCPU: Equatable {
        var id: Int32?
        var tid: Int32
        var level: Level
        var isHalted: Bool
        var troubled: [Vector]
    }

    /// A vector that a finding names, and its account.
    struct Vector: Equatable {
        var vector: UInt8
        var accepted: UInt64
        var acknowledged: UInt64
        var ended: UInt64
    }

    struct Accesses: Equatable {
        /// `L1`, `L2 direct`, `L2 hooked`.
        var path: String
        /// The most used first.
        var registers: [(name: String, reads: UInt64, writes: UInt64)]

        static func == (left: Self, right: Self) -> Bool {
            left.path == right.path && left.registers.elementsEqual(right.registers, by: ==)
        }
    }

    struct Finding: Equatable {
        var grade: Grade
        var rule: RuleID
        var place: String
        var vectors: [UInt8]
        var since: UInt64
        var statement: String
    }

    /// Nanoseconds since the start.
    var time: UInt64
    var hits: UInt64
    var perSecond: UInt64
    var dropped: UInt64
    var vms: [VM]
    /// VMs that were there before tracing began and have not run since, by name.
    var parked: [String] = []
    var findings: [Finding]
    /// What the report would say if the trace ended now.
    var verdict: Grade
}
