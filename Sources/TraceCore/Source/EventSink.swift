// SPDX-License-Identifier: Apache-2.0

/// What receives a trace: items in time order.
///
/// A source is generic over its sink, so that the calls are direct; nothing goes back from a sink to its source.
public protocol EventSink: ~Copyable {
    /// Told once, before anything else. `base`: time of the earliest record of any kind, which reports count from.
    mutating func started(at base: UInt64)
    mutating func take(_ item: TraceItem, at stamp: EventStamp)
    // Events are most of a trace, and three of them most events. A sink that is in a hurry takes them by these, where they come
    // without the enums around them; for others they are items like any.
    mutating func event(_ event: KVMEvent, at stamp: EventStamp)
    mutating func entry(_ entry: KVMEvent.Entry, at stamp: EventStamp)
    mutating func exit(_ exit: KVMEvent.Exit, at stamp: EventStamp)
    mutating func nestedVMExit(_ exit: KVMEvent.Exit, at stamp: EventStamp)
    /// Whether it wants KVM's events that the machine has no use for: reading them takes time.
    static var takesOthers: Bool { get }
    /// Such an event: the index of its format among ``TraceInfo/otherFormats``. The record is lent for the call.
    mutating func other(_ record: Record, format: Int, at stamp: EventStamp)
    /// The same of a text, which has words in place of a record.
    mutating func other(named name: String, text: String, at stamp: EventStamp)
}

extension EventSink where Self: ~Copyable {
    public mutating func started(at base: UInt64) {}
    @inline(__always)
    public mutating func event(_ event: KVMEvent, at stamp: EventStamp) { take(.event(event), at: stamp) }
    @inline(__always)
    public mutating func entry(_ entry: KVMEvent.Entry, at stamp: EventStamp) { take(.event(.entry(entry)), at: stamp) }
    @inline(__always)
    public mutating func exit(_ exit: KVMEvent.Exit, at stamp: EventStamp) { take(.event(.exit(exit)), at: stamp) }
    @inline(__always)
    public mutating func nestedVMExit(_ exit: KVMEvent.Exit, at stamp: EventStamp) {
        take(.event(.nestedVMExit(exit)), at: stamp)
    }
    public static var takesOthers: Bool { false }
    public mutating func other(_ record: Record, format: Int, at stamp: EventStamp) {}
    public mutating func other(named name: String, text: String, at stamp: EventStamp) {}
}
