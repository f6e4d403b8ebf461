// SPDX-License-Identifier: Apache-2.0

/// Writes Perfetto's own trace format, as far as tracks and events go: protos/perfetto/trace/trace_packet.proto and those in
/// track_event/, whose numbers these are. Packets may come in any order of time.
struct PerfettoWriter {
    /// Of a track, from 1 on.
    struct Track: Hashable {
        fileprivate(set) var number: UInt64
    }

    enum Value {
        case number(UInt64)
        case text(String)
        case flag(Bool)
    }

    typealias Annotations = [(name: String, value: Value)]

    enum EventType: UInt64 {
        case begin = 1
        case end, instant, counter
    }

    /// An event but for its time.
    struct Event {
        fileprivate var message = ProtobufMessage()
        /// Where a number goes that is known when it is written: a counter's value, or a flow's number, which are two places.
        fileprivate private(set) var (numberPlace, flowPlace): (Int?, Int?)

        init(
            _ type: EventType, _ name: String? = nil, on track: Track, category: String? = nil,
            _ annotations: Annotations = []
        ) {
            message.number(9, type.rawValue)
            message.number(11, track.number)
            if let category { message.text(22, category) }
            if let name { message.text(23, name) }
            for (name, value) in annotations { annotate(name, value) }
        }

        mutating func annotate(_ name: String, _ value: Value) { message.message(4, Self.annotation(name, value)) }

        /// A counter's event.
        init(counting track: Track) {
            self.init(.counter, on: track)
            numberPlace = message.room(30)
        }

        /// What happens next in the same flow is joined to it by an arrow, unless it is the flow's end. All of a flow have its number.
        mutating func joinFlow(_ name: String, endsIt: Bool = false) {
            var annotation = ProtobufMessage()
            annotation.text(10, name)
            let place = annotation.room(3)
            message.message(4, annotation)
            numberPlace = message.bytes.count - annotation.bytes.count + place
            flowPlace = message.fixedRoom(endsIt ? 48 : 47)
        }

        private static func annotation(_ name: String, _ value: Value) -> ProtobufMessage {
            var annotation = ProtobufMessage()
            annotation.text(10, name)
            switch value {
            case .number(let number): annotation.number(3, number)
            case .text(let text): annotation.text(6, text)
            case .flag(let flag): annotation.number(2, flag ? 1 : 0)
            }
            return annotation
        }
    }

    /// An event as it is written, but for its time. Half a million exits are alike but for that: what they have in common is encoded
    /// once, and what is their own is put into place.
    struct Packet {
        fileprivate let bytes: [UInt8]
        fileprivate let places: Places

        /// Where in the bytes an event's own goes.
        fileprivate struct Places {
            let time: Int
            let (number, flow): (Int?, Int?)
        }

        init(_ event: Event) {
            var packet = ProtobufMessage()
            let place = packet.room(8)
            packet.number(10, PerfettoWriter.sequence)
            packet.message(11, event.message)
            var trace = ProtobufMessage()
            trace.message(1, packet)
            let all = trace.bytes.count
            bytes = trace.bytes
            places = Places(
                time: all - packet.bytes.count + place,
                number: event.numberPlace.map { all - event.message.bytes.count + $0 },
                flow: event.flowPlace.map { all - event.message.bytes.count + $0 })
        }
    }

    /// A slice's begin and end, one after the other.
    struct Slice {
        fileprivate let bytes: [UInt8]
        fileprivate let begin: Packet.Places
        fileprivate let endPlace: Int

        init(_ name: String, on track: Track, category: String? = nil, _ annotations: Annotations = []) {
            self.init(Event(.begin, name, on: track, category: category, annotations), on: track)
        }

        init(_ begin: Event, on track: Track) {
            let (begin, end) = (Packet(begin), Packet(Event(.end, on: track)))
            bytes = begin.bytes + end.bytes
            self.begin = begin.places
            endPlace = begin.bytes.count + end.places.time
        }
    }

    /// What recurs, by a number that its user makes of what tells one from another.
    struct Recurring<Made> {
        private var known: [UInt64: Made] = [:]
        /// What a file can make of them is more than memory should hold.
        private static var most: Int { 1 << 12 }

        mutating func made(_ number: UInt64, _ make: () -> Made) -> Made {
            if let known = known[number] { return known }
            let made = make()
            if known.count < Self.most { known[number] = made }
            return made
        }
    }

    private var block: [UInt8] = []
    private var tracks: UInt64 = 0
    private let write: ([UInt8]) throws -> Void

    /// All packets are of one writer.
    private static let sequence: UInt64 = 1
    private static let blockSize = 1 << 16

    init(_ write: @escaping ([UInt8]) throws -> Void) {
        self.write = write
    }

    /// - Parameters:
    ///   - rank: among those with the same parent.
    ///   - unit: of a counter, nil for a track of events.
    mutating func track(_ name: String, in parent: Track? = nil, rank: UInt64 = 0, counting unit: String? = nil) throws
        -> Track
    {
        let isFirst = tracks == 0
        tracks += 1
        var descriptor = ProtobufMessage()
        descriptor.number(1, tracks)
        descriptor.text(2, name)
        if let parent { descriptor.number(5, parent.number) }
        if let unit {
            var counter = ProtobufMessage()
            counter.text(6, unit)
            descriptor.message(8, counter)
        }
        // By rank, not by name.
        descriptor.number(11, 3)
        descriptor.number(12, rank)
        var packet = ProtobufMessage()
        packet.number(10, Self.sequence)
        // SEQ_INCREMENTAL_STATE_CLEARED: a reader that hasn't seen it takes the sequence for a torn one.
        if isFirst { packet.number(13, 1) }
        packet.message(60, descriptor)
        var trace = ProtobufMessage()
        trace.message(1, packet)
        block += trace.bytes
        try writeFull()
        return Track(number: tracks)
    }

    mutating func add(_ event: Event, at time: UInt64) throws { try add(Packet(event), at: time) }

    /// - Parameter number: of its flow, or a counter's value.
    @inline(__always)
    mutating func add(_ packet: Packet, at time: UInt64, number: UInt64 = 0) throws {
        let start = block.count
        block += packet.bytes
        do {
            var block = block.mutableSpan
            var bytes = block.mutableBytes
            bytes.put(time, at: start + packet.places.time)
            bytes.put(number, at: packet.places, from: start)
        }
        try writeFull()
    }

    @inline(__always)
    mutating func add(_ slice: Slice, from: UInt64, to: UInt64, number: UInt64 = 0) throws {
        let start = block.count
        block += slice.bytes
        do {
            var block = block.mutableSpan
            var bytes = block.mutableBytes
            bytes.put(from, at: start + slice.begin.time)
            bytes.put(max(from, to), at: start + slice.endPlace)
            bytes.put(number, at: slice.begin, from: start)
        }
        try writeFull()
    }

    mutating func instant(
        _ name: String, on track: Track, at time: UInt64, category: String? = nil, _ annotations: Annotations = []
    ) throws {
        try add(Event(.instant, name, on: track, category: category, annotations), at: time)
    }

    /// A slice whose end is known.
    mutating func slice(
        _ name: String, on track: Track, from: UInt64, to: UInt64, category: String? = nil,
        _ annotations: Annotations = []
    ) throws {
        try add(Slice(name, on: track, category: category, annotations), from: from, to: to)
    }

    /// What was held back.
    mutating func finish() throws {
        if !block.isEmpty { try write(block) }
        block = []
    }

    @inline(__always)
    private mutating func writeFull() throws {
        guard block.count >= Self.blockSize else { return }
        try write(block)
        block.removeAll(keepingCapacity: true)
    }
}

extension MutableRawSpan {
    @inline(__always)
    fileprivate mutating func put(_ number: UInt64, at places: PerfettoWriter.Packet.Places, from start: Int) {
        guard let place = places.number else { return }
        put(number, at: start + place)
        if let place = places.flow { storeBytes(of: number.littleEndian, toByteOffset: start + place, as: UInt64.self) }
    }

    /// See ``ProtobufMessage/room(_:)``: seven bits a byte, the lowest first. Perfetto's times and counts are signed.
    @inline(__always)
    fileprivate mutating func put(_ number: UInt64, at place: Int) {
        let number = min(number, UInt64(Int64.max))
        // 56 bits in halves, these in halves, and these again.
        var bits = number & 0x0fff_ffff | number << 4 & 0x0fff_ffff_0000_0000
        bits = bits & 0x0000_3fff_0000_3fff | bits << 2 & 0x3fff_0000_3fff_0000
        bits = bits & 0x007f_007f_007f_007f | bits << 1 & 0x7f00_7f00_7f00_7f00
        let low = bits | 0x8080_8080_8080_8080
        storeBytes(of: low.littleEndian, toByteOffset: place, as: UInt64.self)
        storeBytes(of: UInt8(truncatingIfNeeded: number >> 56), toByteOffset: place + 8, as: UInt8.self)
    }
}
