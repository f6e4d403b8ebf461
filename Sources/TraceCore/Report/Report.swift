// SPDX-License-Identifier: Apache-2.0

/// Everything that an analysis has to say, in the shape of the JSON report: the one model that every renderer takes.
///
/// Property names are the JSON keys, version 1.1. Times are relative to ``Span/base`` in the clock's unit; vectors,
/// masks and addresses are lowercase hex strings as ``Hex`` makes them; a count is nil where the trace can't show it.
public struct Report: Codable, Equatable, Sendable {
    public var schemaVersion = Report.version
    static let version = "1.3"
    public var tool: Tool
    public var source: Source
    public var loss: Loss
    public var host: Host
    /// What the user narrowed the report down to, nil for all of it.
    @ExplicitNull public var selection: Selection?
    /// The highest grade among the findings; without one, clean or inconclusive.
    public var verdict: Grade
    /// What a verdict without findings rests on, a sentence each.
    public var reasons: [String]
    /// The highest grade first.
    public var findings: [Finding]
    public var vms: [VM]
    /// What VMs that ended and are not among those add up to; nil, and no key, where there are none.
    public var endedVMs: EndedVMs?
    /// What a policy would have changed; nil, and no key, where nobody asked.
    public var whatIf: WhatIf?
    /// What was noticed beside the findings; it has no grade.
    public var observations: [Observation]
    /// The texts of ``unknowns``.
    public var limits: [String]
    /// What this trace can't show, and which events would show it.
    public var unknowns: [Unknown]
    /// A line that records all of those events and those of the findings' unknowns, made of their names alone; nil where
    /// no event would help.
    @ExplicitNull public var recordCommand: String?

    /// The program that wrote the report.
    public struct Tool: Codable, Equatable, Sendable {
        public var name: String
        public var version: String

        /// This build; the one place that has the version.
        public static let current = Tool(name: "apictrace", version: "0.1.0")
    }
}

extension Report {
    /// Where the events came from and how far they could be read.
    public struct Source: Codable, Equatable, Sendable {
        /// Nil for standard input and for live tracing.
        @ExplicitNull public var path: String?
        /// Container, version and compression, e.g. `trace.dat v7 zstd`.
        public var format: String
        /// The traced host's `uname` line; empty where the trace has none.
        public var kernel: String
        public var clock: Clock
        public var cpus: Int
        /// Tracepoints that were recorded, sorted; nil where the trace can't tell.
        @ExplicitNull public var eventsSelected: [String]?
        @ExplicitNull public var cut: Cut?
        public var events: EventTotals
        public var span: Span
    }

    public struct Clock: Codable, Equatable, Sendable {
        /// As in tracefs' `trace_clock`.
        public var name: String
        public var unit: TraceClock.Unit
    }

    /// The first byte at which a file could not be read or makes no sense, and what should have been there.
    public struct Cut: Codable, Equatable, Sendable {
        public var offset: UInt64
        public var expected: String
    }

    /// Every record that was read, whatever the machine took of it.
    public struct EventTotals: Codable, Equatable, Sendable {
        public var total: UInt64
        public var byName: [String: UInt64]
    }

    /// The time that the trace covers.
    public struct Span: Codable, Equatable, Sendable {
        /// The trace clock's time that all others count from: a decimal string, for it may pass 2^53.
        public var base: String
        public var first: UInt64
        public var last: UInt64
    }
}

extension Report {
    /// Events that happened and were not recorded.
    public struct Loss: Codable, Equatable, Sendable {
        /// Sum of the counts that pages of the trace carry: a lower bound.
        public var known: UInt64
        /// Gaps without a count.
        public var unknownGaps: UInt64
        /// The recorder's own statistics (overrun, commit overrun and dropped events); nil where it kept none.
        @ExplicitNull public var overrun: UInt64?
        /// How many of them were of VMs that are known to have lost them, see ``VM/eventsLost``; nil, and no key, for none. The
        /// others may have been anybody's.
        public var ofVMs: UInt64?
        public var gapsTotal: UInt64
        /// The first of them.
        public var gaps: [Gap]
    }

    /// A gap in one CPU's stream, or in the events of one process; at the trace's edge it reaches to ``Span/first`` or ``Span/last``.
    public struct Gap: Codable, Equatable, Sendable {
        /// Index of the buffer instance, 0 for the top buffer.
        public var instance: Int
        /// With a process: one of those that it lost something on. Nil where the input doesn't tell.
        @ExplicitNull public var cpu: Int32?
        /// Whose events were lost, on whatever CPU; nil, and no key, where that is not known.
        public var process: Int32?
        public var from: UInt64
        public var to: UInt64
        @ExplicitNull public var events: UInt64?
    }
}

extension Report {
    /// What the trace tells of the machine that ran KVM.
    public struct Host: Codable, Equatable, Sendable {
        public var isa: ISA
        public var sviFix: SVIFix
        /// The kernel's own inhibit of APICv for an L2 that reaches L1's APIC page; nil, and no key, where it names none.
        public var inhibitOnL2Access: InhibitReason?
    }

    /// A reason of a kernel's to inhibit APICv.
    public struct InhibitReason: Codable, Equatable, Sendable {
        /// As the kernel spells it, without `APICV_INHIBIT_REASON_`.
        public var name: String
        /// Of the inhibit mask.
        public var bit: Int
    }

    /// Whether KVM carries the stale-SVI fix (mainline 04bc93cf49d1), and how that is known.
    public struct SVIFix: Codable, Equatable, Sendable {
        public var state: FixState.State
        public var basis: FixState.Basis
        /// One line for people: the symbol, member, behaviour or release that it rests on.
        public var evidence: String
    }
}

extension Report {
    /// One cause, with the events that show it and what follows from it.
    public struct Finding: Codable, Equatable, Sendable {
        /// Unique within the report.
        public var id: String
        public var rule: RuleID
        public var grade: Grade
        /// ``VM/id``.
        @ExplicitNull public var vm: Int?
        /// ``VCPU/id``.
        @ExplicitNull public var vcpu: Int32?
        public var first: UInt64
        public var last: UInt64
        public var count: UInt64
        /// Part of it was concluded rather than recorded.
        public var inferred: Bool
        /// APIC registers that were touched, by KVM's names (`EOI`, `ICR`, ...).
        public var registers: [String: RegisterAccess]
        /// The troubled vectors, in ascending order.
        public var vectors: [String]
        /// The vectors that stay in service and block those.
        public var stuck: [String]
        public var crossings: [Crossing]
        /// Ids of rules that the same cause trips.
        public var symptoms: [String]
        public var evidenceTotal: UInt64
        /// The first events of the chain and those that decide, in time order.
        public var evidence: [Evidence]
        /// What happened, in a sentence or two; for people.
        public var explanation: String
        public var advice: String
        public var references: [String]
        /// The texts of ``unknowns``.
        public var limits: [String]
        /// What this finding does not know, and which events would tell.
        public var unknowns: [Unknown]
    }

    /// A vector that one level acknowledged and the other ended.
    public struct Crossing: Codable, Equatable, Sendable {
        public var vector: String
        public var ackLevel: Level
        public var eoiLevel: Level
        public var inferred: Bool
    }

    public enum Level: String, CaseIterable, Codable, Sendable {
        case l1, l2
    }

    /// One recorded event that a finding rests on.
    public struct Evidence: Codable, Equatable, Sendable {
        public var time: UInt64
        /// Both nil where the input doesn't tell.
        @ExplicitNull public var cpu: Int32?
        @ExplicitNull public var tid: Int32?
        /// The tracepoint's own name.
        public var event: String
        public var text: String
    }
}

extension Report {
    /// A virtual machine: a process of the host, or threads of it that belong together.
    public struct VM: Codable, Equatable, Sendable {
        /// Unique within the report.
        public var id: Int
        @ExplicitNull public var pid: Int32?
        @ExplicitNull public var command: String?
        /// The guest's own name, where live tracing learned it.
        @ExplicitNull public var guest: String?
        /// The VM-wide APICv state over time, without gaps.
        public var apicv: [APICvInterval]
        /// Whose local APIC L2 reaches for: L1's own, or one that L1 makes up for it.
        public var apicOfL2: APICOfL2.Kind
        /// Events that were lost and are known to have been this VM's, or another's of its process; nil, and no key, for none.
        public var eventsLost: UInt64?
        public var vcpus: [VCPU]
    }

    /// VMs that ended while the trace went on and left nothing to tell, added up.
    public struct EndedVMs: Codable, Equatable, Sendable {
        public var vms: Int
        public var vcpus: Int
        public var exits: ExitCounts
        public var apicAccess: APICAccessReport
        @ExplicitNull public var ipisSent: UInt64?
        public var accepted: LevelCounts
        public var acknowledged: LevelCounts
        public var ended: LevelCounts
    }

    /// A stretch of time with one inhibit mask.
    public struct APICvInterval: Codable, Equatable, Sendable {
        public var from: UInt64
        public var to: UInt64
        public var state: APICvTimeline.State
        /// `0x0` also where the state is unknown.
        public var mask: String
        /// Names of the mask's bits by the traced kernel's own numbering.
        public var inhibits: [String]
        /// Concluded from other events rather than recorded.
        public var inferred: Bool
        @ExplicitNull public var setBy: SetBy?
    }

    /// The thread that changed the inhibit mask.
    public struct SetBy: Codable, Equatable, Sendable {
        public var tid: Int32
    }
}

extension Report {
    /// One virtual CPU and what it did at each level.
    public struct VCPU: Codable, Equatable, Sendable {
        @ExplicitNull public var id: Int32?
        /// Nil where the input names no threads.
        @ExplicitNull public var tid: Int32?
        public var exits: ExitCounts
        public var apicAccess: APICAccessReport
        /// `kvm_apic_ipi` events of this sender, INIT and SIPI included.
        @ExplicitNull public var ipisSent: UInt64?
        public var ipis: [IPI]
        public var interrupts: [InterruptLine]
    }

    /// Exits by KVM's name of the reason, for each level that exited.
    public struct ExitCounts: Codable, Equatable, Sendable {
        public var l1: [String: UInt64] = [:]
        public var l2: [String: UInt64] = [:]
        public var unknown: [String: UInt64] = [:]
    }

    /// Accesses to L1's local APIC, by who made them and who served them.
    public struct APICAccessReport: Codable, Equatable, Sendable {
        public var l1: APICAccesses
        /// By L2, served by KVM; counted with APICv off too.
        public var l2Direct: APICAccesses
        /// By L2, served by L1, which hooks the page.
        public var l2Hooked: APICAccesses
        /// By L2 on an APIC that L1 makes up for it, served by L1: no business of L1's own APIC.
        public var l2Own: APICAccesses
    }

    public struct APICAccesses: Codable, Equatable, Sendable {
        @ExplicitNull public var reads: UInt64?
        @ExplicitNull public var writes: UInt64?
        public var registers: [String: RegisterAccess]
    }

    public struct RegisterAccess: Codable, Equatable, Sendable {
        public var reads: UInt64 = 0
        public var writes: UInt64 = 0
    }

    /// IPIs of one sender that have destination, vector and delivery mode in common.
    public struct IPI: Codable, Equatable, Sendable {
        /// `dest_id` of `kvm_apic_ipi`: of no meaning where the ICR uses a shorthand.
        public var dest: UInt32
        public var vector: String
        public var mode: DeliveryMode
        public var count: UInt64
    }
}

extension Report {
    /// One vector's line of a vCPU's interrupt ledger.
    public struct InterruptLine: Codable, Equatable, Sendable {
        public var vector: String
        /// Offered to the local APIC, by the level that ran then: attempts, not deliveries.
        public var accepted: LevelCounts
        /// Taken into service (IRR to ISR).
        public var acknowledged: LevelCounts
        @ExplicitNull public var reinjected: UInt64?
        public var ended: LevelCounts
        /// Accepted while the same vector was already pending, so merged with it.
        @ExplicitNull public var coalesced: UInt64?
        /// Accepted, neither merged nor acknowledged by the end of the trace.
        @ExplicitNull public var outstanding: UInt64?
        /// Why interrupts are outstanding; nil where none are.
        @ExplicitNull public var `class`: InterruptClass?
    }

    public struct LevelCounts: Codable, Equatable, Sendable {
        @ExplicitNull public var l1: UInt64?
        @ExplicitNull public var l2: UInt64?
        @ExplicitNull public var unknown: UInt64?
    }
}

extension Report {
    /// Something that helps whoever looks at the guest, and that has no grade.
    public struct Observation: Codable, Equatable, Sendable {
        public var kind: TraceCore.Observation.Kind
        /// ``VM/id``.
        @ExplicitNull public var vm: Int?
        /// ``VCPU/id``.
        @ExplicitNull public var vcpu: Int32?
        @ExplicitNull public var vector: String?
        public var first: UInt64
        public var last: UInt64
        /// Of what the text counts.
        public var count: UInt64
        /// What was seen, in a sentence; for people.
        public var text: String
    }

    /// How the user narrowed the report: nil what was not asked for.
    public struct Selection: Codable, Equatable, Sendable {
        /// The process and the vCPU, where just one was asked for, and by its number.
        @ExplicitNull public var vm: Int32?
        @ExplicitNull public var vcpu: Int32?
        /// As the user called them; empty where all are reported.
        public var vms: [String]
        public var vcpus: [Int32]
        @ExplicitNull public var from: UInt64?
        @ExplicitNull public var to: UInt64?
    }
}

extension Report {
    /// What a report or a finding can't show.
    public struct Unknown: Codable, Equatable, Sendable {
        /// A sentence; for people.
        public var text: String
        /// Events that would show it, as trace-cmd takes them: `kvm:kvm_eoi`.
        public var record: [String]
        /// It holds for any recording of its kind, whatever happened: no reason to doubt this one.
        public var standing: Bool

        public init(text: String, record: [String] = [], standing: Bool = false) {
            self.text = text
            self.record = record
            self.standing = standing
        }

        init(_ limit: Limit) {
            self.init(text: limit.text, record: limit.missing.recordNames, standing: limit.isStanding)
        }
    }
}
