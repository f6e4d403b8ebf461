// SPDX-License-Identifier: Apache-2.0
@testable import TraceCore

/// A perf.data put together record by record.
struct TestPerf {
    struct Attribute {
        var type: UInt32 = 2
        /// The id of the tracepoint's format; that of the test format without being told.
        var config: UInt64 = 300
        var period: UInt64 = 1
        var fields = TestPerf.usual
        var counter: PerfAttribute.Counter = [.id, .lost]
        var flags = TestPerf.sampleIDAll
        var clock: Int32 = 0
        var ids: [UInt64] = [1]
    }

    /// Of a record or of the sample id that it ends with.
    struct Place {
        var time: UInt64 = 0
        var cpu: UInt32 = 0
        var process: Int32 = 7
        var thread: Int32 = 7
    }

    /// What `perf record -a` asks for of a tracepoint.
    static let usual: PerfAttribute.Fields = [.identifier, .ip, .tid, .time, .cpu, .period, .raw]
    static let sampleIDAll: UInt64 = 1 << 18
    static let frequency: UInt64 = 1 << 10
    static let backward: UInt64 = 1 << 27

    var attributes = [Attribute()]
    var formats = [("kvm", TestRecord.eoiFormat)]
    /// The texts of a recording, instead of those formats.
    var tracingData: [UInt8]?
    var host = "(none)"
    var release = "6.12.0"
    var machine = "x86_64"
    var records: [[UInt8]] = []

    // MARK: - Records

    static func record(_ type: UInt32, misc: UInt16 = 0, _ body: (inout Bytes) -> Void) -> [UInt8] {
        var content = Bytes()
        body(&content)
        var record = Bytes()
        record.number(type)
        record.number(misc)
        record.number(UInt16(truncatingIfNeeded: content.bytes.count + 8))
        return record.bytes + content.bytes
    }

    /// The sample of an event.
    /// - Parameter extra: fields of no fixed size that come before the raw record.
    func sample(_ raw: [UInt8], at place: Place, of attribute: Int = 0, period: UInt64 = 1, extra: [UInt8] = [])
        -> [UInt8]
    {
        let attribute = attributes[attribute]
        func has(_ field: PerfAttribute.Fields) -> Bool { attribute.fields.contains(field) }
        return Self.record(9) { sample in
            let id = attribute.ids.first ?? 0
            if has(.identifier) { sample.number(id) }
            if has(.ip) { sample.number(UInt64(0xffff_ffff_8100_0000)) }
            if has(.tid) {
                sample.number(place.process)
                sample.number(place.thread)
            }
            if has(.time) { sample.number(place.time) }
            if has(.address) { sample.number(UInt64(0)) }
            if has(.id) { sample.number(id) }
            if has(.streamID) { sample.number(id) }
            if has(.cpu) { sample.number(UInt64(place.cpu)) }
            if has(.period) { sample.number(period) }
            sample.bytes += extra
            guard has(.raw) else { return }
            var raw = raw
            while (raw.count + 4) % 8 != 0 { raw.append(0) }
            sample.number(UInt32(raw.count))
            sample.bytes += raw
        }
    }

    /// An EOI of the test format.
    func eoi(_ vector: Int32, _ time: UInt64, cpu: UInt32 = 0, of attribute: Int = 0, period: UInt64 = 1) -> [UInt8] {
        sample(
            TestRecord.eoi(vcpu: 0, vector: vector), at: Place(time: time, cpu: cpu), of: attribute, period: period)
    }

    /// A record of the kernel's that is no sample, with the sample id at its end.
    func record(_ type: PerfRecord, at place: Place, of attribute: Int = 0, _ body: (inout Bytes) -> Void) -> [UInt8] {
        let attribute = attributes[attribute]
        return Self.record(type.rawValue) { record in
            body(&record)
            guard attribute.flags & Self.sampleIDAll != 0 else { return }
            func has(_ field: PerfAttribute.Fields) -> Bool { attribute.fields.contains(field) }
            if has(.tid) {
                record.number(place.process)
                record.number(place.thread)
            }
            if has(.time) { record.number(place.time) }
            if has(.id) { record.number(attribute.ids.first ?? 0) }
            if has(.streamID) { record.number(UInt64(0)) }
            if has(.cpu) { record.number(UInt64(place.cpu)) }
            if has(.identifier) { record.number(attribute.ids.first ?? 0) }
        }
    }

    func lost(_ events: UInt64, at place: Place) -> [UInt8] {
        record(.lost, at: place) {
            $0.number(UInt64(1))
            $0.number(events)
        }
    }

    func comm(_ name: String, of thread: Int32, process: Int32, at time: UInt64 = 0) -> [UInt8] {
        record(.comm, at: Place(time: time, process: process, thread: thread)) {
            $0.number(process)
            $0.number(thread)
            $0.string(name)
            $0.pad(to: 8)
        }
    }

    /// FORK or EXIT of a thread.
    func task(_ type: PerfRecord, _ thread: Int32, process: Int32, parent: Int32, at time: UInt64) -> [UInt8] {
        record(type, at: Place(time: time, process: process, thread: parent)) {
            for id in [process, process, thread, parent] { $0.number(id) }
            $0.number(time)
        }
    }

    static let finishedRound = record(68) { _ in }

    // MARK: - Containers

    /// trace-cmd's version 6 up to the threads' names, under the version that perf writes.
    private var texts: [UInt8] {
        if let tracingData { return tracingData }
        var trace = TestTrace()
        trace.formats = formats.map { (system: $0.0, text: $0.1) }
        return Self.tracingData(of: trace.version6())
    }

    /// What a version 6 file has in front of its number of CPUs.
    static func tracingData(of version6: [UInt8]) -> [UInt8] {
        let options = version6.firstRange(of: Array("options  \0".utf8))?.lowerBound ?? version6.count
        return Array(version6[..<10]) + Array("0.6\0".utf8) + Array(version6[12..<(options - 4)])
    }

    private func attribute(_ attribute: Attribute) -> [UInt8] {
        var bytes = Bytes()
        bytes.number(attribute.type)
        bytes.number(UInt32(128))
        for word in [
            attribute.config, attribute.period, attribute.fields.rawValue, attribute.counter.rawValue, attribute.flags,
        ] {
            bytes.number(word)
        }
        bytes.bytes += [UInt8](repeating: 0, count: 44)
        bytes.number(attribute.clock)
        bytes.bytes += [UInt8](repeating: 0, count: 128 - bytes.bytes.count)
        return bytes.bytes
    }

    private func text(_ text: String) -> [UInt8] {
        var bytes = Bytes()
        bytes.number(UInt32(64))
        bytes.string(text)
        return bytes.bytes + [UInt8](repeating: 0, count: 68 - bytes.bytes.count)
    }

    private func words(_ words: [UInt64]) -> [UInt8] {
        var bytes = Bytes()
        for word in words { bytes.number(word) }
        return bytes.bytes
    }

    private var features: [(bit: UInt64, content: [UInt8])] {
        [(1, texts), (3, text(host)), (4, text(release)), (6, text(machine)), (7, [2, 0, 0, 0, 2, 0, 0, 0])]
    }

    /// As perf writes it to a file.
    /// - Parameter isKilled: before it could tell how much there is, and what comes behind it.
    func file(isKilled: Bool = false) -> [UInt8] {
        let ids = attributes.map { words($0.ids) }
        var body = Array(ids.joined())
        let table = 104 + body.count
        var place = UInt64(104)
        for (attribute, ids) in zip(attributes, ids) {
            body += self.attribute(attribute) + words([place, UInt64(ids.count)])
            place += UInt64(ids.count)
        }
        let start = 104 + body.count
        body += records.joined()
        let end = 104 + body.count
        if !isKilled {
            var place = end + 16 * features.count
            for feature in features {
                body += words([UInt64(place), UInt64(feature.content.count)])
                place += feature.content.count
            }
            body += features.flatMap(\.content)
        }
        let bits: UInt64 = features.reduce(0) { $0 | 1 << $1.bit }
        let head: [UInt64] = [
            104, 144, UInt64(table), UInt64(144 * attributes.count), UInt64(start), isKilled ? 0 : UInt64(end - start),
            0, 0, bits, 0, 0, 0,
        ]
        return PerfContainer.magic + words(head) + body
    }

    /// As perf writes it to a pipe.
    func pipe() -> [UInt8] {
        var bytes = PerfContainer.magic + words([16])
        for attribute in attributes {
            bytes += Self.record(64) { $0.bytes += self.attribute(attribute) + words(attribute.ids) }
        }
        for feature in features.dropFirst() {
            bytes += Self.record(80) {
                $0.number(feature.bit)
                $0.bytes += feature.content
            }
        }
        let texts = texts
        bytes += Self.record(66) {
            $0.number(UInt32(texts.count))
            $0.number(UInt32(0))
        }
        bytes += texts + [UInt8](repeating: 0, count: (8 - texts.count % 8) % 8)
        return bytes + records.joined()
    }
}
