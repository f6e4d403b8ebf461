// SPDX-License-Identifier: Apache-2.0

extension PerfettoPage {
    mutating func addVCPU(
        _ vcpu: Report.VCPU, of vm: Report.VM, in parent: PerfettoWriter.Track, rank: UInt64,
        _ timeline: borrowing Timeline
    ) throws {
        let thread = vcpu.tid.map { ", thread \($0)" } ?? ""
        let track = try writer.track("vCPU \(vcpu.id.map(String.init) ?? "?")\(thread)", in: parent, rank: rank)
        try addFindings(
            report.findings.filter { $0.vm == vm.id && $0.vcpu != nil && $0.vcpu == vcpu.id }, in: track)
        guard let shown = timeline.vcpu(vcpu, of: vm) else { return }
        try addEvents(of: shown, in: track, timeline)
        try addInterrupts(of: shown, lost: report.lostVectors(on: vcpu, of: vm), in: track, timeline)
        if let buckets = timeline.buckets(of: shown) { try addCounters(buckets, in: track) }
    }

    /// Levels and exits, and what happened meanwhile.
    private mutating func addEvents(
        of vcpu: Timeline.VCPU, in parent: PerfettoWriter.Track, _ timeline: borrowing Timeline
    ) throws {
        var spans = VCPUSpans(
            level: try writer.track("level", in: parent, rank: 1), exits: try writer.track("exits", in: parent, rank: 2),
            apic: try writer.track("APIC", in: parent, rank: 3), isa: vcpu.isa)
        try timeline.forEachEvent(of: vcpu) { try spans.take($0, &writer) }
        try spans.end(at: end, &writer)
        guard vcpu.exitsCounted > 0 else { return }
        try writer.instant(
            "exits of L1 that were only counted", on: spans.exits, at: end, category: "counted",
            [("exits", .number(vcpu.exitsCounted))])
    }

    private mutating func addInterrupts(
        of vcpu: Timeline.VCPU, lost: Set<String>, in parent: PerfettoWriter.Track, _ timeline: borrowing Timeline
    ) throws {
        let track = try writer.track("interrupts", in: parent, rank: 4)
        let ends = try writer.track("EOI", in: parent, rank: 5)
        var waits: [UInt8: PerfettoWriter.Track] = [:]
        var services: [UInt8: PerfettoWriter.Track] = [:]
        try timeline.forEachInterrupt(of: vcpu) { interrupt in
            let (vector, name) = (interrupt.vector, interrupt.vector.hex)
            flows += 1
            // What an arrow joins has it in common.
            let number: PerfettoWriter.Annotations = [("interrupt", .number(flows))]
            if let request = interrupt.request {
                var ipi = PerfettoWriter.Event(
                    .instant, "IPI \(name)", on: try sender(request, timeline), category: "ipi", number)
                ipi.join(flow: flows)
                try writer.add(ipi, at: request.time)
            }
            if let accepted = interrupt.accepted {
                let wait = try waits[vector] ?? writer.track("\(name) waits", in: track, rank: UInt64(vector) * 2)
                waits[vector] = wait
                try writer.slice(
                    name, on: wait, from: accepted.time, to: interrupt.waitsUntil ?? end,
                    category: "waits", flow: flows, number + interrupt.wordsOfWait(isLost: lost.contains(name)))
            }
            if let acknowledged = interrupt.acknowledged {
                let service =
                    try services[vector] ?? writer.track("\(name) in service", in: track, rank: UInt64(vector) * 2 + 1)
                services[vector] = service
                try writer.slice(
                    name, on: service, from: acknowledged.time, to: interrupt.until ?? end, category: "in service",
                    flow: flows, number + interrupt.wordsOfService)
            }
            if let ended = interrupt.ended {
                var end = PerfettoWriter.Event(
                    .instant, "EOI \(name)", on: ends, category: "eoi",
                    number + [("level", .text(ended.level.name))])
                end.join(flow: flows, endsIt: true)
                try writer.add(end, at: ended.time)
            }
        }
    }

    /// The track of the vCPU that sent an IPI.
    private mutating func sender(_ request: Timeline.Request, _ timeline: borrowing Timeline) throws
        -> PerfettoWriter.Track
    {
        if let known = senders[request.sender] { return known }
        let sender = timeline.sender(of: request)
        let name = sender.map { "vCPU \($0.id.map(String.init) ?? "?") of VM \($0.vm)" } ?? "some vCPU"
        let track = try writer.track("IPIs of \(name)")
        senders[request.sender] = track
        return track
    }

    /// Sums over time, which are there also where nothing else was kept.
    private mutating func addCounters(_ buckets: Timeline.Buckets, in parent: PerfettoWriter.Track) throws {
        var shown: [(name: String, value: (Timeline.Bucket) -> UInt64)] = []
        for what in Timeline.Bucket.Counted.allCases {
            for level in Level.allCases { shown.append(("\(what) \(level.shortName)", { UInt64($0[what, level]) })) }
        }
        for access in Timeline.Bucket.Access.allCases {
            shown.append(("APIC reads \(access)", { UInt64($0[access, isWrite: false]) }))
            shown.append(("APIC writes \(access)", { UInt64($0[access, isWrite: true]) }))
        }
        shown.append(("IPIs sent", { UInt64($0.ipis) }))
        let total = buckets.total
        for (rank, (name, value)) in shown.enumerated() where value(total) > 0 {
            let track = try writer.track(name, in: parent, rank: UInt64(rank + 10), counting: "a bucket")
            var last: UInt64 = 0
            for (index, bucket) in buckets.buckets.enumerated() {
                let value = value(bucket)
                // A zero after a zero is none.
                guard value != 0 || last != 0 else { continue }
                last = value
                try writer.count(value, on: track, at: buckets.start.addingClamped(UInt64(index) &* buckets.width))
            }
        }
    }
}

extension Level {
    fileprivate var shortName: String { self == .unknown ? "unknown" : name }
}

extension Timeline.Interrupt {
    /// Nil where it waits still. One that hardware took in silence may have waited for no time at all.
    fileprivate var waitsUntil: UInt64? {
        if let acknowledged { return acknowledged.time }
        return fate == .unseen ? accepted?.time : until
    }

    fileprivate func wordsOfWait(isLost: Bool) -> PerfettoWriter.Annotations {
        var words: PerfettoWriter.Annotations = [("level", .text(accepted?.level.name ?? ""))]
        if coalesced > 0 { words.append(("coalesced", .number(coalesced))) }
        if acknowledged == nil { words.append(("fate", .text(isLost && fate == .pending ? "lost" : fate.rawValue))) }
        return words
    }

    fileprivate var wordsOfService: PerfettoWriter.Annotations {
        var words: PerfettoWriter.Annotations = [("level", .text(acknowledged?.level.name ?? ""))]
        if let acknowledgement { words.append(("by", .text(acknowledgement.event.tracepoints[0]))) }
        if isCrossing { words.append(("crossing", .flag(true))) }
        words.append(("fate", .text(fate.rawValue)))
        return words
    }
}
