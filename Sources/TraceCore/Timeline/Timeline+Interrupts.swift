// SPDX-License-Identifier: Apache-2.0

extension Timeline {
    /// One interrupt's way: asked for by an IPI, accepted, acknowledged, ended, as far as the trace shows it.
    public struct Interrupt: Equatable, Sendable {
        /// A step of it, and the level that ran.
        public struct Step: Equatable, Sendable {
            public var time: UInt64
            public var level: Level
        }

        /// What became of it.
        public enum Fate: String, CaseIterable, Codable, Sendable {
            case ended
            /// L1 told of another one's end in its place: it stays in service.
            case stuck
            /// Not acknowledged, or not ended, when the trace was over.
            case pending
            case inService = "in-service"
            /// What followed shows that it is gone, and no event told of it: hardware does that in silence.
            case unseen
            /// The APIC was reset or had been disabled.
            case dropped
            /// What followed may be among events that were lost, or that are only in the buckets.
            case unknown
        }

        public var vector: UInt8
        public var request: Request?
        public var accepted: Step?
        public var acknowledged: Step?
        public var acknowledgement: Acknowledgement?
        public var ended: Step?
        /// Accepted again while it waited.
        public var coalesced: UInt64 = 0
        /// Acknowledged at one level, ended at the other.
        public var isCrossing = false
        public var fate = Fate.pending
        /// When its fate was known; nil where it was open at the trace's end.
        public var until: UInt64?

        public var start: UInt64 { accepted?.time ?? acknowledged?.time ?? ended?.time ?? 0 }
    }

    /// Each interrupt of a vCPU that was kept in detail, when its fate is known: not in the order of their begin.
    public func forEachInterrupt(of vcpu: VCPU, _ body: (Interrupt) throws -> Void) rethrows {
        var open = OpenInterrupts()
        try forEachEvent(of: vcpu) { event in
            if open.take(event) { for interrupt in open.takeFinished() { try body(interrupt) } }
        }
        open.closeAll()
        for interrupt in open.takeFinished() { try body(interrupt) }
    }
}

/// The interrupts that are on their way, vector by vector.
struct OpenInterrupts {
    private var pending: [UInt8: Timeline.Interrupt] = [:]
    private var inService: [UInt8: Timeline.Interrupt] = [:]
    /// The one that was ended just now: a crossing is told after it.
    private var latest: Timeline.Interrupt?
    private var finished: [Timeline.Interrupt] = []

    /// Whether the fate of some is known by now.
    @inline(__always)
    mutating func take(_ event: Timeline.Event) -> Bool {
        // Most of all, and none of an interrupt's business.
        guard event.kind != .exit, event.kind != .entry else { return false }
        follow(event)
        return !finished.isEmpty
    }

    mutating func takeFinished() -> [Timeline.Interrupt] {
        defer { finished = [] }
        return finished
    }

    private mutating func follow(_ event: Timeline.Event) {
        if event.kind == .crossed {
            if latest?.vector == event.vector { latest?.isCrossing = true }
            if inService[event.vector] != nil { inService[event.vector]?.isCrossing = true }
        }
        if let latest { finished.append(latest) }
        latest = nil
        let step = Timeline.Interrupt.Step(time: event.time, level: event.level)
        switch event.kind {
        case .accepted, .placed:
            if event.isMergedOrByMSR, pending[event.vector] != nil {
                pending[event.vector]?.coalesced &+= 1
            } else {
                closePending(event.vector, .unseen, event.time)
                pending[event.vector] = .init(vector: event.vector, request: event.request, accepted: step)
            }
        case .refused:
            finished.append(
                .init(vector: event.vector, request: event.request, accepted: step, fate: .dropped, until: event.time))
        case .acknowledged:
            closeInService(event.vector, .unseen, event.time)
            var interrupt = pending.removeValue(forKey: event.vector) ?? .init(vector: event.vector)
            (interrupt.acknowledged, interrupt.acknowledgement) = (step, event.acknowledgement)
            interrupt.fate = .inService
            inService[event.vector] = interrupt
        case .ended:
            var interrupt =
                inService.removeValue(forKey: event.vector) ?? pending.removeValue(forKey: event.vector)
                ?? .init(vector: event.vector)
            (interrupt.ended, interrupt.fate, interrupt.until) = (step, .ended, event.time)
            latest = interrupt
        case .missedEOI: inService[event.vector]?.fate = .stuck
        case .reset: closeAll(.dropped, at: event.time)
        case .gap: for vector in inService.keys { closeInService(vector, .unknown, event.time) }
        case .summarised: closeAll(.unknown, at: event.time)
        default: break
        }
    }

    /// - Parameter fate: nil for what they have now.
    mutating func closeAll(_ fate: Timeline.Interrupt.Fate? = nil, at time: UInt64? = nil) {
        if let latest { finished.append(latest) }
        latest = nil
        for vector in pending.keys.sorted() { closePending(vector, fate, time) }
        for vector in inService.keys.sorted() { closeInService(vector, fate, time) }
    }

    private mutating func closePending(_ vector: UInt8, _ fate: Timeline.Interrupt.Fate?, _ time: UInt64?) {
        if let interrupt = pending.removeValue(forKey: vector) { finish(interrupt, fate, time) }
    }

    private mutating func closeInService(_ vector: UInt8, _ fate: Timeline.Interrupt.Fate?, _ time: UInt64?) {
        if let interrupt = inService.removeValue(forKey: vector) { finish(interrupt, fate, time) }
    }

    private mutating func finish(
        _ interrupt: Timeline.Interrupt, _ fate: Timeline.Interrupt.Fate?, _ time: UInt64?
    ) {
        var interrupt = interrupt
        if let fate { (interrupt.fate, interrupt.until) = (interrupt.fate == .stuck ? .stuck : fate, time) }
        finished.append(interrupt)
    }
}
