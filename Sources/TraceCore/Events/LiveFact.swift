// SPDX-License-Identifier: Apache-2.0

/// Something that only live tracing knows, as a recording of it tells a ``LiveEventSink``.
public enum LiveFact: Equatable, Sendable {
    case state(VCPUState)
    case lapic(LAPICReading)
    /// The stamp's thread belongs to this process.
    case process(Int32)
}
