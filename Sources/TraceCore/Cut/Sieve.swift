// SPDX-License-Identifier: Apache-2.0

/// Lets through to an analysis what a plan takes, as if the rest were not in the file.
struct Sieve: EventSink, ~Copyable {
    var analysis: Analysis
    /// Nil for all of it.
    private let plan: CutPlan?
    private(set) var sample = TimeSample()
    private(set) var taken: UInt64 = 0

    init(_ analysis: consuming Analysis, _ plan: CutPlan?) {
        self.analysis = analysis
        self.plan = plan
    }

    mutating func started(at base: UInt64) { analysis.started(at: base) }

    mutating func take(_ item: TraceItem, at stamp: EventStamp) {
        switch item {
        case .event(let event):
            guard takes(event, at: stamp) else { return }
            taken &+= 1
            sample.note(stamp.time)
        case .fact(let fact): guard plan?.takes(fact.event, at: stamp) ?? true else { return }
        // A gap of the whole is one of the part.
        case .lost: break
        }
        analysis.take(item, at: stamp)
    }

    private func takes(_ event: KVMEvent, at stamp: EventStamp) -> Bool {
        plan?.takes(event.kind, at: stamp, inHardIRQ: event.isInHardIRQ) ?? true
    }
}

extension KVMEvent {
    /// It tells of somebody else than the thread that was interrupted.
    var isInHardIRQ: Bool {
        switch self {
        case .apicAcceptIRQ(let accept), .apicvAcceptIRQ(let accept): accept.inHardIRQ
        default: false
        }
    }
}
