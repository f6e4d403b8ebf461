// SPDX-License-Identifier: Apache-2.0

/// One thing that a trace tells. Trivially copyable, whatever it is.
public enum TraceItem: Equatable, Sendable {
    case event(KVMEvent)
    /// Told when the hole begins, before any event recorded after it on that CPU. The stamp is ``EventGap/stamp``.
    case lost(EventGap)
    /// What only live tracing knows, and its recordings.
    case fact(LiveFact)
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

    /// When and where it begins; of no thread.
    public var stamp: EventStamp { EventStamp(time: from ?? 0, cpu: cpu, tid: 0) }
}
