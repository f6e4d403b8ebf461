// SPDX-License-Identifier: Apache-2.0

/// Something that only live tracing knows, as a recording of it tells a ``LiveEventSink``.
public enum LiveFact: Equatable, Sendable {
    case state(VCPUState)
    case lapic(LAPICReading)
    /// The stamp's thread belongs to this process.
    case process(Int32)
    /// The stamp's thread, which ran a vCPU, has ended; with it this process, 0 where other threads of it go on.
    case ended(process: Int32)
    /// The stamp's thread, most often a process's first, has this name.
    case command(String)
    /// Everything up to the stamp's time has been told: what a timer noticed live is noticed again.
    case tick
    /// Exits of the stamp's thread that were counted and not told one by one.
    case exits(ExitReason, count: UInt64)
}
