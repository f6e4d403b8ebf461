// SPDX-License-Identifier: Apache-2.0

/// A sink that also takes what only live tracing knows. Everything comes in one order of time.
public protocol LiveEventSink: EventSink, ~Copyable {
    mutating func state(_ state: VCPUState, at stamp: EventStamp)
    mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp)
    /// A thread belongs to a process: told before the thread's first event, and perhaps again.
    mutating func thread(_ tid: Int32, of process: Int32)
}
