// SPDX-License-Identifier: Apache-2.0

/// Writes Perfetto's own trace format, as far as tracks and events go: protos/perfetto/trace/trace_packet.proto and those in
/// track_event/, whose numbers these are. Packets may come in any order of time.
struct PerfettoWriter {
    /// Of a track, from 1 on.
    struct Track: Hashable {
        fileprivate let id: UInt64
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

    private var trace = ProtobufMessage()
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
        if let parent { descriptor.number(5, parent.id) }
        if let unit {
            var counter = ProtobufMessage()
            counter.text(6, unit)
            descriptor.message(8, counter)
        }
        // By rank, not by name.
        descriptor.number(11, 3)
        descriptor.number(12, rank)
        var packet = ProtobufMessage()
        packet.message(60, descriptor)
        // SEQ_INCREMENTAL_STATE_CLEARED: a reader that hasn't seen it takes the sequence for a torn one.
        if isFirst { packet.number(13, 1) }
        try add(packet)
        return Track(id: tracks)
    }

    /// - Parameters:
    ///   - flow: what happens next in the same flow is joined to it by an arrow.
    ///   - endsFlow: nothing does.
    mutating func event(
        _ type: EventType, _ name: String? = nil, on track: Track, at time: UInt64, category: String? = nil,
        flow: UInt64? = nil, endsFlow: Bool = false, _ annotations: Annotations = []
    ) throws {
        var event = ProtobufMessage()
        event.number(9, type.rawValue)
        event.number(11, track.id)
        if let category { event.text(22, category) }
        if let name { event.text(23, name) }
        if let flow { event.fixed(endsFlow ? 48 : 47, flow) }
        for (name, value) in annotations { event.message(4, Self.annotation(name, value)) }
        try add(event, at: time)
    }

    mutating func count(_ value: UInt64, on track: Track, at time: UInt64) throws {
        var event = ProtobufMessage()
        event.number(9, EventType.counter.rawValue)
        event.number(11, track.id)
        event.number(30, signed: Int64(clamping: value))
        try add(event, at: time)
    }

    /// A slice whose end is known.
    mutating func slice(
        _ name: String, on track: Track, from: UInt64, to: UInt64, category: String? = nil, flow: UInt64? = nil,
        _ annotations: Annotations = []
    ) throws {
        try event(.begin, name, on: track, at: from, category: category, flow: flow, annotations)
        try event(.end, on: track, at: max(from, to))
    }

    /// What was held back.
    mutating func finish() throws {
        if !trace.bytes.isEmpty { try write(trace.bytes) }
        trace.removeAll()
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

    private mutating func add(_ event: ProtobufMessage, at time: UInt64) throws {
        var packet = ProtobufMessage()
        packet.number(8, time)
        packet.message(11, event)
        try add(packet)
    }

    private mutating func add(_ packet: ProtobufMessage) throws {
        var packet = packet
        packet.number(10, Self.sequence)
        trace.message(1, packet)
        guard trace.bytes.count >= Self.blockSize else { return }
        try write(trace.bytes)
        trace.removeAll()
    }
}
