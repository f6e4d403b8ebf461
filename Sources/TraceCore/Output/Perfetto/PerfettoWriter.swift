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
        case begin = 1, end, instant, counter
    }

    /// An event but for its time. Half a million exits are alike but for that: what they have in common is encoded once.
    struct Event {
        fileprivate var message = ProtobufMessage()

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

        /// What happens next in the same flow is joined to it by an arrow, unless it is the flow's end.
        mutating func join(flow: UInt64, endsIt: Bool = false) { message.fixed(endsIt ? 48 : 47, flow) }

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

    /// Events that recur, by a number that their user makes of what tells them apart.
    struct Recurring {
        private var known: [UInt64: Event] = [:]
        /// What a file can make of them is more than memory should hold.
        private static let most = 1 << 12

        mutating func event(_ number: UInt64, _ make: () -> Event) -> Event {
            if let event = known[number] { return event }
            let event = make()
            if known.count < Self.most { known[number] = event }
            return event
        }
    }

    private var block: [UInt8] = []
    private var tracks: UInt64 = 0
    private let write: ([UInt8]) throws -> Void

    /// All packets are of one writer.
    private static let sequence: UInt64 = 1
    private static let blockSize = 1 << 16
    /// Of what a packet has before its event: four keys, and as many numbers.
    private static let longestHead = 4 + 4 * OutputSpan<UInt8>.longestVarint

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

    @inline(__always)
    mutating func add(_ event: Event, at time: UInt64) throws {
        let size = event.message.bytes.count
        let packetSize =
            4 + OutputSpan<UInt8>.size(ofVarint: time) + OutputSpan<UInt8>.size(ofVarint: UInt64(size)) + size
        block.append(addingCapacity: Self.longestHead) { out in
            out.append(1 << 3 | 2)
            out.add(varint: UInt64(packetSize))
            out.append(8 << 3)
            out.add(varint: time)
            out.append(10 << 3)
            out.add(varint: Self.sequence)
            out.append(11 << 3 | 2)
            out.add(varint: UInt64(size))
        }
        block += event.message.bytes
        try writeFull()
    }

    mutating func count(_ value: UInt64, on track: Track, at time: UInt64) throws {
        var event = Event(.counter, on: track)
        event.message.number(30, signed: Int64(clamping: value))
        try add(event, at: time)
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
        try add(Event(.begin, name, on: track, category: category, annotations), at: from)
        try add(Event(.end, on: track), at: max(from, to))
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
