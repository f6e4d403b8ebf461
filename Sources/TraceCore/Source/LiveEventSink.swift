// SPDX-License-Identifier: Apache-2.0

/// A sink that also takes what only live tracing knows. Everything comes in one order of time.
public protocol LiveEventSink: EventSink, ~Copyable {
    mutating func state(_ state: VCPUState, at stamp: EventStamp)
    mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp)
    /// A thread belongs to a process: told before the thread's first event, and perhaps again.
    mutating func thread(_ tid: Int32, of process: Int32)
    /// A thread, most often a process's first, has this name.
    mutating func command(_ command: String, of tid: Int32)
    /// A thread that ran a vCPU has ended, or the last one of a process that had a VM.
    /// - Parameter process: what has ended with it, and whose VMs run no more; 0 where others of its threads go on.
    mutating func ended(_ tid: Int32, process: Int32, at stamp: EventStamp)
    /// Exits of a vCPU that has never run L2, which were counted in the kernel and not told one by one. Told before the
    /// thread runs another one or ends, and at the end.
    mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32)
    /// Every event up to `time`, in clock units, has been told: a vCPU that sleeps emits nothing.
    mutating func tick(at time: UInt64)
}

extension LiveEventSink where Self: ~Copyable {
    public mutating func ended(_ tid: Int32, process: Int32, at stamp: EventStamp) {}
    public mutating func command(_ command: String, of tid: Int32) {}
    public mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {}
    public mutating func tick(at time: UInt64) {}
}

extension LiveEventSink where Self: ~Copyable {
    public mutating func fact(_ fact: LiveFact, at stamp: EventStamp) {
        switch fact {
        case .state(let state): self.state(state, at: stamp)
        case .lapic(let reading): lapic(reading, at: stamp)
        case .ended(let process): ended(stamp.tid, process: process, at: stamp)
        case .process(let process): thread(stamp.tid, of: process)
        case .command(let command): self.command(command, of: stamp.tid)
        case .tick: tick(at: stamp.time)
        case .exits(let reason, let count): exits(count, reason, of: stamp.tid)
        }
    }
}
