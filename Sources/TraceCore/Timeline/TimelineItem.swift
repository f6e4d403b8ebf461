// SPDX-License-Identifier: Apache-2.0

/// Something that happened on a vCPU, in eight bytes: millions of them are kept.
struct TimelineItem {
    /// Since the item before, or the chunk's start, in clock units.
    var delta: UInt32
    var kind: Timeline.Event.Kind
    private var bits: UInt8
    var value: UInt16

    static let nothing = TimelineItem(.withdrawn)

    @inline(__always)
    init(
        _ kind: Timeline.Event.Kind, level: Level = .unknown, first: Bool = false, second: Bool = false,
        value: UInt16 = 0
    ) {
        delta = 0
        self.kind = kind
        bits = level.rawValue | (first ? 4 : 0) | (second ? 8 : 0)
        self.value = value
    }

    var level: Level {
        get { Level(rawValue: bits & 3) ?? .unknown }
        set { bits = bits & ~3 | newValue.rawValue }
    }
    var first: Bool { bits & 4 != 0 }
    var second: Bool { bits & 8 != 0 }
}

extension Timeline {
    /// Something that happened on a vCPU, as the machine told it.
    public struct Event: Equatable, Sendable {
        public enum Kind: UInt8, CaseIterable, Sendable {
            /// An exit, and the entry that ends it. What comes between them belongs to the exit.
            case exit, entry
            /// A HLT that L0 handled is over.
            case woke
            case accepted, refused, placed, acknowledged, ended
            /// The event before which it stands was asked for by an IPI, `delta` before it is told.
            case requested
            /// The event before which it stands was `delta` before it is told.
            case late
            case crossed, missedEOI
            case reflectedInterrupt, interruptWindow, injectedByL1
            /// Accesses to L1's APIC: by L1 or whoever ran, by L2 and carried out by KVM, by L2 and handed to L1.
            case accessed, accessedDirectly, accessHooked
            case sentIPI
            case pageChanged, offered, reset, initTaken, sipiTaken, inhibitsChanged, toldIOAPIC, faultInDiffers
            /// Events of this vCPU may have been lost here.
            case gap
            /// More happened than there was room for: what is between this event and the next one is only in the buckets.
            case summarised
            /// Turned out to be another event's.
            case withdrawn
        }

        /// In clock units, as the trace has it.
        public var time: UInt64
        public var kind: Kind
        /// That ran, exited, took or ended it.
        public var level: Level = .unknown
        /// A vector, a register's offset or an exit reason's code, as the kind has it.
        public var value: UInt16 = 0
        /// Of an accept: hardware may deliver it in silence. Of an access: it is a write.
        public var isSilentOrWrite = false
        /// Of an accept: merged with one that waited. Of an access: by an MSR.
        public var isMergedOrByMSR = false
        /// Of what an IPI asked for: when it was sent, and by which of ``Timeline/vcpus``.
        public var request: Request?

        init(time: UInt64, kind: Kind) { (self.time, self.kind) = (time, kind) }

        init(_ item: TimelineItem, at time: UInt64, _ request: Request?) {
            (self.time, kind, level, value) = (time, item.kind, item.level, item.value)
            (isSilentOrWrite, isMergedOrByMSR) = (item.first, item.second)
            self.request = request
        }
    }

    /// The IPI behind an interrupt.
    public struct Request: Equatable, Hashable, Sendable {
        public var time: UInt64
        /// The sender's place in the machine.
        public var sender: VCPUIndex
    }
}

extension Timeline.Event {
    /// Of an exit; `isa` is the host's.
    public func reason(_ isa: ISA) -> ExitReason {
        ExitReason(isa: isa, recorded: value == UInt16.max ? UInt32.max : UInt32(value))
    }

    /// Of an access.
    public var register: APICRegister { APICRegister(offset: UInt32(value)) }

    /// Of what has one.
    public var vector: UInt8 { UInt8(truncatingIfNeeded: value) }

    /// Of an acknowledgement: how the trace shows it.
    public var acknowledgement: Acknowledgement { Acknowledgement(code: value >> 8) }
}

extension Acknowledgement {
    private static let all: [Acknowledgement] = [.injected, .injectedAtEntry, .withExit, .passedOn]

    var code: UInt16 {
        switch self {
        case .injected: 0
        case .injectedAtEntry: 1
        case .withExit: 2
        case .passedOn: 3
        }
    }

    fileprivate init(code: UInt16) { self = Self.all[Int(code & 3)] }
}
