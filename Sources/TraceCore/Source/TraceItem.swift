// SPDX-License-Identifier: Apache-2.0

/// One thing that a trace tells. Trivially copyable, whatever it is.
public enum TraceItem: Equatable, Sendable {
    case event(KVMEvent)
    /// Reported when the gap begins, before any event recorded after it on that CPU, or of that process. The stamp is ``EventGap/stamp``.
    case lost(EventGap)
    /// What only live tracing knows, and its recordings.
    case fact(LiveFact)
}

/// A gap in one CPU's stream of events, or in that of one process.
public struct EventGap: Equatable, Sendable {
    /// Index of the buffer instance in the file, 0 for the top buffer and for live tracing.
    public var instance: Int
    /// With a process: one of those that it lost something on. Below 0 where the input doesn't tell.
    public var cpu: Int32
    /// Whose events were lost, on whatever CPU, and nobody else's; nil where that is not known.
    public var process: Int32?
    /// Time of the last event before the gap; nil where the stream starts with one.
    public var from: UInt64?
    /// Time of the first event after it; nil where the stream ends with one.
    public var to: UInt64?
    /// How many events were lost; nil where the recorder had no room for the number.
    public var events: UInt64?

    public init(instance: Int, cpu: Int32, process: Int32? = nil, from: UInt64?, to: UInt64?, events: UInt64?) {
        self.instance = instance
        self.cpu = cpu
        self.process = process
        self.from = from
        self.to = to
        self.events = events
    }

    public var knownCPU: Int32? { cpu < 0 ? nil : cpu }

    /// When and where it begins; of no thread.
    public var stamp: EventStamp { EventStamp(time: from ?? 0, cpu: cpu, tid: 0) }
}

extension EventGap {
    /// As the values of ``OwnEvent/lost``.
    var values: [UInt64] { [(process ?? 0).word, events ?? 0, from ?? 0, to ?? .max] }

    /// - Parameters:
    ///   - values: of a record of ``OwnEvent/lost``.
    ///   - cpu: the record's.
    init(_ values: [UInt64], instance: Int, cpu: Int32) {
        self.init(
            instance: instance, cpu: cpu, process: values[0] == 0 ? nil : Int32(truncatingIfNeeded: values[0]),
            from: values[2] == 0 ? nil : values[2], to: values[3] == .max ? nil : values[3], events: values[1])
    }
}
