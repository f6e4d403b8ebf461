// SPDX-License-Identifier: Apache-2.0
import Dispatch

/// One pass over a trace's records: what it reads with, and what it amounts to.
struct TraceReading {
    /// For the buffers of all CPUs together, within the 64 MB that the whole tool may take.
    private static let room = 1 << 24
    /// Of plain pages so many are read at once as a processor's cache has room for, all CPUs' together, within these bounds: with 64
    /// CPUs 32 KB each take 36 ns an event, and 128 KB 57.
    private static let roomInCache = 1 << 21
    private static let roomForCPU = (least: 1 << 15, most: 1 << 17)

    var merge: StreamMerge
    private let tallies: [RecordTally]
    private let choice: InstanceChoice

    /// - Parameters:
    ///   - takesOthers: KVM's events that the machine has no use for are reported too.
    ///   - readsAhead: a second thread reads and inflates what comes next.
    init(
        _ container: TraceContainer, progress: ReadProgress?, takesOthers: Bool = false, readsAhead: Bool = false
    ) {
        let choice = Self.choose(container)
        let tallies = choice.kinds.map { kinds in
            let tally = RecordTally()
            for (index, bound) in container.formats.bindings.enumerated() where kinds.contains(bound.binding.kind) {
                tally.bind(id: bound.id, to: index)
            }
            for (index, bound) in container.formats.own.enumerated() {
                tally.bind(id: bound.id, to: container.formats.bindings.count + index)
            }
            guard takesOthers else { return tally }
            let known = container.formats.bindings.count + container.formats.own.count
            for (index, other) in container.formats.others.enumerated() {
                tally.bind(id: other.id, to: known + index)
            }
            return tally
        }
        let bindings = container.formats.bindings.map(\.binding)
        let delivery = EventDelivery(
            decoder: EventDecoder(order: container.head.order, bindings: bindings),
            own: container.formats.own.map(\.binding),
            others: takesOthers ? container.formats.others.count : 0, conversion: container.options.conversion,
            takenFrom: Set(choice.kinds.indices.filter { !choice.kinds[$0].isEmpty || choice.kinds.count == 1 }))
        merge = StreamMerge(
            streams: Self.streams(container, tallies, progress, readsAhead: readsAhead), delivery: delivery)
        self.choice = choice
        self.tallies = tallies
    }

    /// Where several instances have data, what each holds is counted in a pass of its own.
    static func choose(_ container: TraceContainer) -> InstanceChoice {
        let all = container.formats.kinds
        guard container.instances.filter({ !$0.cpus.isEmpty }).count > 1 else {
            return InstanceChoice(held: container.instances.map { $0.cpus.isEmpty ? [] : all })
        }
        let tallies = container.instances.map { _ in RecordTally() }
        for var stream in streams(container, tallies) {
            while !stream.isDone {
                if stream.gap == nil { stream.advance() } else { stream.passGap() }
            }
        }
        return InstanceChoice(
            held: tallies.map { tally in
                container.formats.bindings.reduce(into: []) { kinds, bound in
                    if tally.count(of: bound.id) > 0 { kinds.insert(bound.binding.kind) }
                }
            })
    }

    /// In the order that breaks ties: by CPU, then by instance.
    static func streams(
        _ container: TraceContainer, _ tallies: [RecordTally], _ progress: ReadProgress? = nil, readsAhead: Bool = false
    ) -> [CPUStream] {
        let queue = readsAhead ? DispatchQueue(label: "read ahead") : nil
        let inflater = ChunkInflater(
            container.head.compression, of: container.file,
            atMost: container.limit.bytes(ofChunks: container.file.size))
        let cpus = container.instances.enumerated().flatMap { index, instance in
            instance.cpus.map { (index, instance, $0) }
        }.sorted { ($0.2.id, $0.0) < ($1.2.id, $1.0) }
        let blocks = readsAhead ? PageSource.blocksAhead + 1 : 1
        let share = room / max(1, cpus.count)
        let inCache = roomInCache / max(1, cpus.count)
        return cpus.map { index, instance, cpu in
            let layout = PageLayout(
                order: container.head.order, longSize: container.longSize, pageSize: instance.pageSize)
            // What leaves the cache before it is wanted was read ahead in vain. To inflate ahead is worth that.
            let isAhead = readsAhead && (instance.isCompressed || inCache / blocks >= roomForCPU.least)
            let plain = min(max(isAhead ? inCache / blocks : inCache, roomForCPU.least), roomForCPU.most)
            // A chunk is best held as a whole; of plain pages a few at a time do.
            let room = instance.isCompressed ? share / blocks : min(plain, share)
            let source = PageSource(
                "CPU \(cpu.id)'s data", of: container.file, cpu.data, places: cpu.places,
                pageSize: instance.pageSize, order: container.head.order,
                room: room / instance.pageSize * instance.pageSize, inflater: instance.isCompressed ? inflater : nil,
                progress: progress, ahead: isAhead ? queue : nil)
            return CPUStream(cpu: cpu.id, instance: index, source: source, layout: layout, tally: tallies[index])
        }
    }

    func totals(_ container: TraceContainer) -> TraceTotals {
        var totals = merge.delivery.gapTotals
        let own = Set(container.formats.own.map(\.id))
        for tally in tallies {
            for id in tally.seen where !own.contains(id) {
                if container.formats.names[id] == nil { totals.unknownRecords += tally.count(of: id) }
                if let name = container.formats.names[id], container.formats.unread.contains(id) {
                    totals.unread[name, default: 0] += tally.count(of: id)
                }
                totals.byName[container.formats.names[id] ?? "unknown-\(id)", default: 0] += tally.count(of: id)
            }
        }
        for (name, hits) in merge.delivery.hits where container.formats.selected.contains(name) {
            totals.byName[name] = hits
        }
        let conversion = merge.delivery.conversion
        totals.first = merge.streams.compactMap(\.first).min().map(conversion.time)
        totals.last = merge.streams.compactMap(\.last).max().map(conversion.time)
        totals.overrun = overrun(container)
        totals.part = merge.delivery.part
        totals.shortRecords = merge.delivery.shortRecords
        totals.cut =
            container.cut
            ?? merge.streams.flatMap { [$0.cut, $0.misfit] }.compactMap(\.self).min { $0.offset < $1.offset }
        totals.notes = notes(container)
        return totals
    }

    /// Of the buffers that events are taken from.
    private func overrun(_ container: TraceContainer) -> UInt64? {
        let lost = container.options.statistics.lost
        guard !lost.isEmpty else { return nil }
        let names = Set(merge.delivery.takenFrom.map { container.instances[$0].name })
        let known = lost.filter { names.contains($0.key) }
        return (known.isEmpty ? lost : known).values.reduce(0, &+)
    }

    private func notes(_ container: TraceContainer) -> [String] {
        var notes: [String] = []
        if container.rescued > 0 {
            notes.append(
                container.instances.contains { $0.cpus.contains { $0.places != nil } }
                    ? "the recorder was ended before it could complete the file: what lies in it was found"
                    : "the table of CPUs is cut off: the data of \(container.rescued) was found and is numbered as it comes"
            )
        }
        let several = container.instances.filter { !$0.cpus.isEmpty }.count > 1
        for (instance, kinds) in zip(container.instances, choice.kinds) where several && !instance.cpus.isEmpty {
            let name = instance.name.isEmpty ? "the top buffer" : "buffer instance \(instance.name)"
            let taken = kinds.kinds.map { $0.tracepoints[0] }
            notes.append(
                taken.isEmpty
                    ? "\(name): counted; what it holds is taken from another buffer"
                    : "\(name): taken for \(taken.joined(separator: ", "))")
        }
        for stream in merge.streams where stream.stepsBack > 0 {
            notes.append("CPU \(stream.cpu): time goes back \(stream.stepsBack) times; the recorded order is kept")
        }
        if container.holdsText {
            notes.append("the file holds a latency tracer's text too, which was not read")
        }
        return notes + container.options.sessionNotes
    }
}
