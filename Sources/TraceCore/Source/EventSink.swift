// SPDX-License-Identifier: Apache-2.0

/// What receives a trace: events in time order, and the holes between them.
///
/// A source is generic over its sink, so that the calls are direct; nothing goes back from a sink to its source.
public protocol EventSink: ~Copyable {
    /// Told once, before anything else. `base`: time of the earliest record of any kind, which reports count from.
    mutating func started(at base: UInt64)
    mutating func event(_ event: KVMEvent, at stamp: EventStamp)
    // The three events that most of a trace consists of. A sink that is in a hurry takes them by these, where they come
    // without the enum around them; for others they are events like any.
    mutating func entry(_ entry: KVMEvent.Entry, at stamp: EventStamp)
    mutating func exit(_ exit: KVMEvent.Exit, at stamp: EventStamp)
    mutating func nestedVMExit(_ exit: KVMEvent.Exit, at stamp: EventStamp)
    /// Told when the hole begins, before any event recorded after it on that CPU.
    mutating func lost(_ gap: EventGap)
    /// Whether it wants KVM's events that the machine has no use for: reading them takes time.
    static var takesOthers: Bool { get }
    /// Such an event: the index of its format among ``TraceInfo/otherFormats``. The record is lent for the call.
    mutating func other(_ record: Record, format: Int, at stamp: EventStamp)
    /// What a recording of live tracing holds beside events. Only a ``LiveEventSink`` has a use for it.
    mutating func fact(_ fact: LiveFact, at stamp: EventStamp)
}

extension EventSink where Self: ~Copyable {
    public mutating func entry(_ entry: KVMEvent.Entry, at stamp: EventStamp) { event(.entry(entry), at: stamp) }
    public mutating func exit(_ exit: KVMEvent.Exit, at stamp: EventStamp) { event(.exit(exit), at: stamp) }
    public mutating func nestedVMExit(_ exit: KVMEvent.Exit, at stamp: EventStamp) {
        event(.nestedVMExit(exit), at: stamp)
    }
}

extension EventSink where Self: ~Copyable {
    public static var takesOthers: Bool { false }
    public mutating func other(_ record: Record, format: Int, at stamp: EventStamp) {}
}

extension EventSink where Self: ~Copyable {
    public mutating func fact(_ fact: LiveFact, at stamp: EventStamp) {}
}

extension EventSink where Self: ~Copyable {
    public mutating func started(at base: UInt64) {}
}

/// A hole in one CPU's stream of events.
public struct EventGap: Equatable, Sendable {
    /// Index of the buffer instance in the file, 0 for the top buffer and for live tracing.
    public var instance: Int
    public var cpu: Int32
    /// Time of the last event before the hole; nil where the stream starts with one.
    public var from: UInt64?
    /// Time of the first event after it; nil where the stream ends with one.
    public var to: UInt64?
    /// How many events were lost; nil where the recorder had no room for the number.
    public var events: UInt64?

    public init(instance: Int, cpu: Int32, from: UInt64?, to: UInt64?, events: UInt64?) {
        self.instance = instance
        self.cpu = cpu
        self.from = from
        self.to = to
        self.events = events
    }
}
