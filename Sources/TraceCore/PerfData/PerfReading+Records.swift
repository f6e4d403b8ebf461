// SPDX-License-Identifier: Apache-2.0

/// Records that are no samples.
extension PerfReading {
    /// - Returns: why not to go on with the next one; nil where it was passed.
    @inline(never)
    mutating func look(at start: UnsafeRawPointer, _ header: PerfHeader) -> Halt? {
        let room = window.rest
        let kind = PerfRecord(rawValue: header.type)
        if kind == .compressed || kind == .compressed2 { return isInflating ? damaged() : .packed }
        guard header.size >= PerfRecord.headerSize, header.type < PerfRecord.kinds else { return damaged() }
        if kind == .tracingData || kind == .auxTrace { return pass(start, header, room: room) }
        guard header.size <= room else { return .starved }
        let record = UnsafeRawBufferPointer(start: start, count: header.size)
        if header.type < PerfRecord.firstOfPerf { lookAtKernels(record, kind) }
        if kind == .idIndex { scope.take(record, ids: ids, plans: plans) }
        window.scanned += header.size
        return kind == .finishedRound ? .round : nil
    }

    /// What such a record carries lies behind its size.
    private mutating func pass(_ start: UnsafeRawPointer, _ header: PerfHeader, room: Int) -> Halt? {
        guard room >= 2 * PerfRecord.headerSize else { return .starved }
        let record = UnsafeRawBufferPointer(start: start, count: room)
        let isAux = header.type == PerfRecord.auxTrace.rawValue
        let word = record.word(at: PerfRecord.headerSize) ?? 0
        let data = isAux ? word : (word & 0xffff_ffff).addingClamped(7) & ~7
        let size = UInt64(header.size).addingClamped(data)
        if size <= UInt64(room) {
            window.scanned += Int(size)
            return nil
        }
        guard !isInflating else { return damaged() }
        window.dropRest()
        stream.skip(size - UInt64(room))
        return nil
    }

    /// Such a record ends with the id of the event that it was taken with, or with zeros where perf made it up.
    private mutating func lookAtKernels(_ record: UnsafeRawBufferPointer, _ kind: PerfRecord?) {
        var attribute = 0
        var trailer = plans[0].trailer
        if let id = trailer.id(of: record), !trailer.isEmpty(in: record) {
            guard let known = ids[id] else {
                unknown += 1
                return
            }
            attribute = known
            trailer = plans[known].trailer
        }
        switch kind {
        case .comm, .exit, .fork: holdThread(record, kind, trailer)
        case .lost: noteLoss(record, trailer, events: record.word(at: 16))
        case .throttle where isOfUse(record.word(at: 16)): noteLoss(record, trailer, events: nil)
        case .lostSamples: lostSamples = lostSamples.addingClamped(record.word(at: 8) ?? 0)
        case .read: readCounter(record, at: 16, attribute)
        default: break
        }
    }

    private func isOfUse(_ id: UInt64?) -> Bool {
        id.flatMap { ids[$0] }.map { plans[$0].entry > 0 } ?? false
    }

    /// What was lost came after the sample before, where that is the CPU's: the gap is told when it begins.
    private mutating func noteLoss(_ record: UnsafeRawBufferPointer, _ trailer: SampleTrailer, events: UInt64?) {
        let time = hasTimes ? trailer.time(of: record) : nil
        if let time { latest = max(latest, time) }
        let cpu = trailer.cpu(of: record) ?? max(0, previous.cpu)
        hold(HeldGap(to: time, events: events), time: cpu == previous.cpu ? previous.time : toldUntil, cpu: cpu)
    }

    /// What a thread is called, where it comes from, or that it ends.
    private mutating func holdThread(
        _ record: UnsafeRawBufferPointer, _ kind: PerfRecord?, _ trailer: SampleTrailer
    ) {
        let own = kind == .comm ? nil : record.word(at: 24)
        // perf's own have no time, or all bits of one.
        let told = trailer.time(of: record) ?? own ?? latest
        let time = !hasTimes ? previous.time : told == .max ? 0 : told
        if time > latest { latest = time }
        guard let tid = record.half(at: kind == .comm ? 12 : 16) else { return }
        switch kind {
        case .comm:
            guard record.count >= 16 + trailer.size else { return }
            let name = Comm(record[16..<(record.count - trailer.size)])
            held.hold(HeldRecord(.comm, time: time, body: MemoryLayout<Comm>.size, thread: tid))
                .storeBytes(of: name, as: Comm.self)
        case .fork: _ = held.hold(HeldRecord(.fork, time: time, thread: tid, extra: record.half(at: 20) ?? 0))
        case .exit: _ = held.hold(HeldRecord(.exit, time: time, thread: tid))
        default: break
        }
    }

    /// Counters' values tell how many samples were lost so far. Where a group is read with its leader's samples, perf takes each
    /// member whose value has grown for a sample of that one.
    mutating func readCounter(_ record: UnsafeRawBufferPointer, at place: Int, _ attribute: Int) {
        let counter = plans[attribute].counter
        var members: [(id: UInt64, value: UInt64, lost: UInt64)] = []
        counter.visit(record, at: place) { id, value, lost in
            if let id { members.append((id, value, lost)) }
        }
        for member in members {
            guard let known = ids[member.id] else { continue }
            if counter.contains(.lost) { lostByID[member.id] = max(lostByID[member.id] ?? 0, member.lost) }
            guard counter.contains(.group), known != attribute else { continue }
            if valueByID[member.id] ?? 0 != member.value { plans.base[known].samples &+= 1 }
            valueByID[member.id] = member.value
        }
    }
}

/// On which CPUs and of whose threads perf took events: one id for each CPU or thread that an event was opened on.
struct RecordedScope {
    private static let entry = 32

    /// Of one process and those that it started, not of the whole host.
    private(set) var isOfThreads = false
    private(set) var cpus: Set<Int32> = []

    mutating func take(_ record: UnsafeRawBufferPointer, ids: EventIDs, plans: SamplePlans) {
        var place = 16
        while place + Self.entry <= record.count {
            defer { place += Self.entry }
            guard let id = record.word(at: place), let index = ids[id], plans[index].entry > 0,
                let cpu = record.half(at: place + 16), let tid = record.half(at: place + 24)
            else { continue }
            if tid >= 0 { isOfThreads = true }
            if (0..<Int32(BufferInstance.mostCPUs)).contains(cpu) { cpus.insert(cpu) }
        }
    }
}
