// SPDX-License-Identifier: Apache-2.0

/// What live tracing adds to the events.
extension Analysis: LiveEventSink {
    public mutating func state(_ state: VCPUState, at stamp: EventStamp) {
        guard stamp.time <= window.upperBound else { return }
        if let vm = machine.ended(before: state) { end([vm]) }
        machine.state(state, at: stamp, observer: &watchers)
    }

    public mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) {
        guard admits(stamp) else { return }
        let vcpu = machine.lapic(reading, at: stamp, observer: &watchers)
        if let vcpu, isInWindow { watchers.rules.lapic(reading, of: vcpu, at: stamp, in: machine) }
    }

    public mutating func thread(_ tid: Int32, of process: Int32) {
        machine.thread(tid, of: process)
    }

    public mutating func exits(_ count: UInt64, _ reason: ExitReason, of tid: Int32) {
        // They are those of the whole trace.
        if window == 0...(.max) { machine.exits(count, reason, of: tid) }
    }

    /// A guest is called so by whoever started its process.
    public mutating func name(guest: String, of process: Int32) {
        machine.guests[process] = guest
    }

    public mutating func command(_ command: String, of tid: Int32) {
        machine.command(command, of: tid)
    }

    /// Time has passed with nothing that is not known by now: a vCPU that sleeps emits nothing.
    ///
    /// - Parameter time: up to which every event has been told, in clock units.
    public mutating func tick(at time: UInt64) {
        if isInWindow, time <= window.upperBound { watchers.rules.tick(at: time, in: machine) }
    }

    /// Threads whose vCPUs sleep for a while on an interrupt, as of the last tick: what their memory holds may say why.
    public var unexplainedSleepers: [Int32] { watchers.rules.unexplainedSleepers }

    /// The findings as they stand, worst first.
    public var findings: [RuleFinding] {
        watchers.rules.findings(in: machine, fix: watchers.rules.fixState(in: machine), ended: ended)
    }
}
