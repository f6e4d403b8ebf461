// SPDX-License-Identifier: Apache-2.0

/// Where the fields of one attribute's samples lie, and what becomes of them: worked out once, so that a sample costs a few loads.
struct SamplePlan {
    /// Bytes from the start of the sample; -1 where it has no such field.
    private(set) var time = -1
    private(set) var tid = -1
    private(set) var cpu = -1
    private(set) var period = -1
    private(set) var id = -1
    /// Of the raw record's size; -1 where fields of no fixed size lie before it.
    private(set) var raw = -1
    /// Where those begin.
    private(set) var variable: Int
    private let fields: PerfAttribute.Fields
    let counter: PerfAttribute.Counter
    /// It has a time, a CPU, a process and a period, and its raw record at a fixed place.
    let isUsual: Bool
    /// The shortest sample that has all fields which lie at a fixed place.
    let shortest: Int
    let trailer: SampleTrailer

    /// Its records' `common_type`, and the entry of the ``BindingTable`` that they are read by, or beyond its bindings one more than
    /// the index of a format that only a listing shows; 0 for what is only counted.
    var commonType: UInt16 = 0
    var entry = 0
    /// How many there were.
    var samples: UInt64 = 0
    /// Bytes of a raw record beyond which nothing is read.
    var needed = HeldRecord.largestBody
    /// Each sample stands for so many events where it does not say for how many.
    let eventsEach: UInt64

    init(_ attribute: PerfAttribute) {
        fields = attribute.fields
        counter = attribute.counter
        trailer = SampleTrailer(attribute)
        // With a period in each sample the kernel takes every event for one, however seldom it was told to.
        eventsEach = fields.contains(.period) || attribute.isFrequency ? 1 : max(1, attribute.period)
        var end = PerfRecord.headerSize
        func place(_ field: PerfAttribute.Fields) -> Int {
            guard attribute.fields.contains(field) else { return -1 }
            defer { end += 8 }
            return end
        }
        let identifier = place(.identifier)
        _ = place(.ip)
        tid = place(.tid)
        time = place(.time)
        _ = place(.address)
        let plainID = place(.id)
        id = identifier >= 0 ? identifier : plainID
        _ = place(.streamID)
        cpu = place(.cpu)
        period = place(.period)
        variable = end
        let isFixed = fields.isDisjoint(with: [.read, .callchain])
        if isFixed, fields.contains(.raw) {
            raw = end
            end += 4
        }
        shortest = end
        isUsual = raw >= 0 && fields.isSuperset(of: [.tid, .time, .cpu, .period])
    }

    var hasCounter: Bool { fields.contains(.read) }

    /// Where the raw record's size lies in a sample in which fields of no fixed size come before it; nil where there is none.
    func raw(in sample: UnsafeRawBufferPointer) -> Int? {
        guard fields.contains(.raw) else { return nil }
        var place = variable
        if fields.contains(.read) {
            guard let size = counter.size(in: sample, at: place) else { return nil }
            place += size
        }
        if fields.contains(.callchain) {
            guard let count = sample.word(at: place), count <= UInt64(sample.count / 8) else { return nil }
            place += 8 + 8 * Int(count)
        }
        return place + 4 <= sample.count ? place : nil
    }
}

/// The plans of all attributes, at a place that stays.
final class SamplePlans {
    let base: UnsafeMutablePointer<SamplePlan>
    let count: Int
    /// The kernel changes how often it takes a sample of some event that is of use.
    let isFrequency: Bool
    /// Where samples have their ids: at the same place, or nobody could tell; -1 where none has.
    let idPlace: Int

    init(_ attributes: [PerfAttribute], _ formats: FormatCatalog, takesOthers: Bool) {
        count = attributes.count
        base = .allocate(capacity: count)
        var taken: Set<UInt16> = []
        var isFrequency = false
        var idPlace = -1
        for (index, attribute) in attributes.enumerated() {
            var plan = SamplePlan(attribute)
            // Of an event that was asked for twice the samples are there twice.
            if attribute.isSampled, let id = attribute.tracepoint, taken.insert(id).inserted {
                plan.commonType = id
                if let binding = formats.bindings.firstIndex(where: { $0.id == id }) {
                    plan.entry = binding + 1
                    plan.needed = formats.bindings[binding].binding.length
                    isFrequency = isFrequency || attribute.isFrequency
                } else if takesOthers, let other = formats.others.firstIndex(where: { $0.id == id }) {
                    plan.entry = formats.bindings.count + other + 1
                }
            }
            (base + index).initialize(to: plan)
            if idPlace < 0 { idPlace = plan.id }
        }
        self.isFrequency = isFrequency
        self.idPlace = idPlace
    }

    deinit {
        base.deallocate()
    }

    subscript(index: Int) -> SamplePlan { base[index] }
}

extension PerfAttribute.Counter {
    private var times: Int { (contains(.timeEnabled) ? 1 : 0) + (contains(.timeRunning) ? 1 : 0) }
    private var perValue: Int { 1 + (contains(.id) ? 1 : 0) + (contains(.lost) ? 1 : 0) }

    /// Bytes of a counter's value, or of a group's; nil where they go beyond the record.
    func size(in record: UnsafeRawBufferPointer, at place: Int) -> Int? {
        guard contains(.group) else { return 8 * (times + perValue) }
        guard let count = record.word(at: place), count <= UInt64(record.count / 8) else { return nil }
        return 8 * (1 + times + Int(count) * perValue)
    }

    /// Calls with each id and value, and with how many of its samples were lost so far.
    func visit(
        _ record: UnsafeRawBufferPointer, at place: Int,
        _ body: (_ id: UInt64?, _ value: UInt64, _ lost: UInt64) -> Void
    ) {
        guard let size = size(in: record, at: place), place + size <= record.count else { return }
        let isGroup = contains(.group)
        var next = place + 8 * (isGroup ? 1 + times : 0)
        repeat {
            let value = record.word(at: next) ?? 0
            var rest = next + 8 + (isGroup ? 0 : 8 * times)
            let id = contains(.id) ? record.word(at: rest) : nil
            if contains(.id) { rest += 8 }
            body(id, value, contains(.lost) ? record.word(at: rest) ?? 0 : 0)
            next += 8 * perValue
        } while isGroup && next < place + size
    }
}

/// Where the fields lie that records which are no samples end with (`sample_id_all`): in bytes from the record's end.
struct SampleTrailer {
    private(set) var size = 0
    private var tidBack = 0
    private var timeBack = 0
    private var cpuBack = 0
    private var idBack = 0

    init(_ attribute: PerfAttribute) {
        guard attribute.endsRecordsWithSampleID else { return }
        let order: [PerfAttribute.Fields] = [.tid, .time, .id, .streamID, .cpu, .identifier]
        let fields = order.filter(attribute.fields.contains)
        size = 8 * fields.count
        for (index, field) in fields.enumerated() {
            let back = size - 8 * index
            switch field {
            case .tid: tidBack = back
            case .time: timeBack = back
            case .cpu: cpuBack = back
            case .id where idBack == 0, .identifier: idBack = back
            default: break
            }
        }
    }

    func time(of record: UnsafeRawBufferPointer) -> UInt64? { word(record, timeBack) }
    func id(of record: UnsafeRawBufferPointer) -> UInt64? { word(record, idBack) }
    func cpu(of record: UnsafeRawBufferPointer) -> Int32? {
        word(record, cpuBack).map { Int32(truncatingIfNeeded: $0) }
    }

    /// Records that perf itself makes up end with zeros.
    func isEmpty(in record: UnsafeRawBufferPointer) -> Bool {
        record.count >= size + PerfRecord.headerSize && record.suffix(size).allSatisfy { $0 == 0 }
    }

    private func word(_ record: UnsafeRawBufferPointer, _ back: Int) -> UInt64? {
        back > 0 && record.count >= size + PerfRecord.headerSize ? record.word(at: record.count - back) : nil
    }
}
