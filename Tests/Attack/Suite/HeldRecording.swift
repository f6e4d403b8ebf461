// SPDX-License-Identifier: Apache-2.0
package import TraceCore

/// A recording in memory: what a sink receives, in order, and what the file says around it. Attacks change it.
package struct HeldRecording: Sendable {
    struct Item: Sendable {
        var content: TraceItem
        /// Of a gap: where it begins.
        var stamp: EventStamp
        /// A part of what the recording shows of the loss (``Truth/Loss``).
        var showsLoss = false

        var event: KVMEvent? {
            if case .event(let event) = content { event } else { nil }
        }
    }

    /// What was done to a recording, as far as it matters to what may come of it.
    enum Change {
        /// The beginning, the end, or a time within is missing.
        case cut
        /// Kinds of event are missing.
        case filtered
        /// Records are missing, and nothing says so.
        case thinned
        /// Records are missing, and a gap says so.
        case lost
        /// Ids are others; everything else is as it was.
        case renumbered
        /// Fields are those of another kernel.
        case relaid
        /// Times are others.
        case retimed
        /// It is followed by itself, or another one runs beside it.
        case joined
    }

    package let name: String
    /// It had a sign of an L2 on VMX before anything was changed.
    let ranL2OnVMX: Bool
    package var info: TraceInfo
    var items: [Item]
    /// What the file said of itself; ``currentTotals`` is what is true of the items.
    var totals: TraceTotals
    var truth: Truth
    /// The loss can be seen in what is left.
    var showsLoss: Bool
    /// What `--from` and `--to` ask for.
    var window: ClosedRange<UInt64>?
    var changes: Set<Change> = []
    /// The changes in words.
    var descriptions: [String] = []
    /// What the verdict must be, where the attack knows.
    var expected: Grade?
    /// The verdict of what was joined to it, where that by itself is higher than is honest.
    var tolerated: Grade?

    package init(path: String, name: String, truth: Truth) throws(InputError) {
        var file = try Recording(path: path)
        var keeper = Keeper()
        totals = try file.read(into: &keeper)
        self.name = name
        ranL2OnVMX = keeper.items.contains { $0.event?.isSignOfL2OnVMX ?? false }
        self.truth = truth
        info = file.info
        items = keeper.items
        showsLoss = truth.loss != nil
        markLoss()
    }

    var start: UInt64 { items.lazy.filter { !$0.isGap }.map(\.stamp.time).min() ?? 0 }
    var end: UInt64 { items.lazy.filter { !$0.isGap }.map(\.stamp.time).max() ?? 0 }

    var hasFacts: Bool {
        items.contains { if case .fact = $0.content { true } else { false } }
    }

    /// The kinds that occur, in the order of ``EventKind``.
    var kinds: [EventKind] {
        items.reduce(into: EventKindSet()) { kinds, item in
            if let event = item.event { kinds.insert(event.kind) }
        }.kinds
    }

    /// The name that a kind has in this recording.
    func tracepoint(of kind: EventKind) -> String {
        kind.tracepoints.first { totals.byName[$0] != nil || info.eventsSelected?.contains($0) ?? false }
            ?? kind.tracepoints[0]
    }

    /// The totals of a file that holds these items.
    var currentTotals: TraceTotals {
        var now = totals
        now.gaps = items.compactMap { if case .lost(let gap) = $0.content { gap } else { nil } }
        now.first = items.isEmpty ? nil : start
        now.last = items.isEmpty ? nil : end
        return now
    }

    /// Hands the sink everything, as reading a file would.
    func feed(_ sink: inout some EventSink & ~Copyable) {
        sink.started(at: start)
        for item in items {
            switch item.content {
            case .event(.entry(let entry)): sink.entry(entry, at: item.stamp)
            case .event(.exit(let exit)): sink.exit(exit, at: item.stamp)
            case .event(.nestedVMExit(let exit)): sink.nestedVMExit(exit, at: item.stamp)
            default: sink.take(item.content, at: item.stamp)
            }
        }
    }

    /// Leaves items out and corrects the counts.
    mutating func keep(_ isKept: (_ index: Int, _ item: Item) -> Bool) {
        var kept: [Item] = []
        kept.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            if isKept(index, item) {
                kept.append(item)
            } else if let kind = item.event?.kind {
                let name = tracepoint(of: kind)
                totals.byName[name, default: 1] -= 1
                if totals.byName[name] == 0 { totals.byName[name] = nil }
            }
        }
        items = kept
    }

    private struct Keeper: EventSink {
        var items: [Item] = []

        mutating func take(_ item: TraceItem, at stamp: EventStamp) {
            var stamp = stamp
            if case .lost(let gap) = item { stamp.time = gap.from ?? items.last?.stamp.time ?? 0 }
            items.append(Item(content: item, stamp: stamp))
        }
    }
}

extension HeldRecording.Item {
    var isGap: Bool {
        if case .lost = content { true } else { false }
    }
}

// MARK: - What is left of a loss

extension HeldRecording {
    /// An accept so close to the end may still be delivered: docs/grades.md, "pending at end of trace".
    private static let dueAfter: UInt64 = 5_000_000

    private mutating func markLoss() {
        guard let loss = truth.loss, let from = loss.from else { return }
        let time = (totals.first ?? start) + from
        for index in items.indices where items[index].stamp.time >= time {
            switch items[index].event {
            case .apicAcceptIRQ(let accept):
                items[index].showsLoss = accept.deliveryMode == 0 && loss.vectors.contains(accept.vector)
            case .eoi: items[index].showsLoss = loss.vectors.isEmpty && items[index].stamp.time == time
            default: break
            }
        }
    }

    /// A part of the recording is gone; is what is left still that of a loss? It is where an accept of a lost vector is in
    /// it with 5 ms behind it (or the crossing), and a sign that an L2 ran: without one, it is a recording of an L1 that
    /// lost nothing to nesting in it. Where the truth doesn't say when the loss was, nothing is claimed of a part.
    mutating func reconsiderLoss() {
        guard showsLoss else { return }
        let left = window ?? 0...(.max)
        let end = min(end, left.upperBound)
        let remaining = items.lazy.filter { left.contains($0.stamp.time) }
        let isCrossing = truth.loss?.vectors.isEmpty ?? false
        showsLoss =
            remaining.contains { $0.showsLoss && (isCrossing || $0.stamp.time + Self.dueAfter <= end) }
            && remaining.contains { $0.event?.isSignOfL2 ?? false }
    }
}

extension KVMEvent {
    /// Only with an L2 does KVM emit it.
    var isSignOfL2: Bool {
        switch self {
        case .nestedVMEnter, .nestedVMExit, .nestedVMExitInject: true
        case .exit(let exit): exit.isa == 1 ? [20, 24].contains(exit.reason & 0xffff) : exit.reason == 0x80
        default: false
        }
    }

    /// And it is of VMX.
    var isSignOfL2OnVMX: Bool {
        switch self {
        case .nestedVMEnter(let enter): enter.isa == 1
        case .nestedVMExit(let exit): exit.isa == 1
        case .nestedVMExitInject(let exit): exit.isa == 1
        case .exit(let exit): exit.isa == 1 && isSignOfL2
        default: false
        }
    }
}
