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
        try addEvents(of: shown, lost: report.lostVectors(on: vcpu, of: vm), in: track, timeline)
        if let buckets = timeline.buckets(of: shown) { try addCounters(buckets, in: track) }
    }

    /// Levels and exits, what happened meanwhile, and interrupts.
    private mutating func addEvents(
        of vcpu: Timeline.VCPU, lost: Set<String>, in parent: PerfettoWriter.Track, _ timeline: borrowing Timeline
    ) throws {
        var spans = VCPUSpans(
            level: try writer.track("level", in: parent, rank: 1),
            exits: try writer.track("exits", in: parent, rank: 2),
            apic: try writer.track("APIC", in: parent, rank: 3), isa: vcpu.isa)
        var tracks = InterruptTracks(
            all: try writer.track("interrupts", in: parent, rank: 4),
            ends: try writer.track("EOI", in: parent, rank: 5), lost: lost)
        var interrupts = OpenInterrupts()
        try timeline.forEachEvent(of: vcpu) { event in
            try spans.take(event, &writer)
            if interrupts.take(event) { try add(interrupts.takeFinished(), to: &tracks, timeline) }
        }
        try spans.end(at: end, &writer)
        interrupts.closeAll()
        try add(interrupts.takeFinished(), to: &tracks, timeline)
        guard vcpu.exitsCounted > 0 else { return }
        try writer.instant(
            "exits of L1 that were only counted", on: spans.exits, at: end, category: "counted",
            [("exits", .number(vcpu.exitsCounted))])
    }

    private mutating func add(
        _ interrupts: [Timeline.Interrupt], to tracks: inout InterruptTracks, _ timeline: borrowing Timeline
    ) throws {
        for interrupt in interrupts {
            flows += 1
            if let request = interrupt.request {
                let sender = try sender(request, timeline)
                try writer.add(tracks.request(interrupt, on: sender), at: request.time, number: flows)
            }
            if let accepted = interrupt.accepted {
                let wait = try tracks.wait(interrupt, &writer)
                try writer.add(wait, from: accepted.time, to: interrupt.waitsUntil ?? end, number: flows)
            }
            if let acknowledged = interrupt.acknowledged {
                let service = try tracks.service(interrupt, &writer)
                try writer.add(service, from: acknowledged.time, to: interrupt.until ?? end, number: flows)
            }
            if let ended = interrupt.ended { try writer.add(tracks.end(interrupt), at: ended.time, number: flows) }
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
            let count = PerfettoWriter.Packet(.init(counting: track))
            var last: UInt64 = 0
            for (index, bucket) in buckets.buckets.enumerated() {
                let value = value(bucket)
                // A zero after a zero is none.
                guard value != 0 || last != 0 else { continue }
                last = value
                let begin = buckets.start.addingClamped(UInt64(index) &* buckets.width)
                try writer.add(count, at: begin, number: value)
            }
        }
    }
}

extension Level {
    fileprivate var shortName: String { self == .unknown ? "unknown" : name }
}
