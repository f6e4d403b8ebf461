// SPDX-License-Identifier: Apache-2.0

/// What live tracing adds to the events.
extension WatchedAnalysis where Other: ~Copyable {
    @inline(never)
    mutating func take(_ fact: LiveFact, at stamp: EventStamp) {
        switch fact {
        case .state(let state): self.state(state, at: stamp)
        case .lapic(let reading): lapic(reading, at: stamp)
        case .process(let process): machine.setProcess(process, ofThread: stamp.tid)
        case .ended(let process): ended(stamp.tid, process: process, at: stamp)
        case .command(let command):
            guard stamp.time <= window.upperBound else { return }
            machine.command(command.text, of: stamp.tid)
        case .tick: tick(at: stamp.time)
        case .exits(let reason, let count):
            // They are those of the whole trace.
            if window == 0...(.max) { machine.exits(count, reason, of: stamp.tid) }
        }
    }

    private mutating func state(_ state: VCPUState, at stamp: EventStamp) {
        guard stamp.time <= window.upperBound else { return }
        if let vm = machine.ended(before: state, of: stamp.tid) { end([vm], at: stamp.time) }
        machine.state(state, at: stamp, observer: &watchers)
    }

    private mutating func lapic(_ reading: LAPICReading, at stamp: EventStamp) {
        guard advanceWindow(to: stamp) else { return }
        let vcpu = machine.lapic(reading, at: stamp, observer: &watchers)
        if let vcpu, isInWindow { watchers.lapic(reading, of: vcpu, at: stamp, in: machine) }
    }

    private mutating func tick(at time: UInt64) {
        if isInWindow, time <= window.upperBound { watchers.rules.tick(at: time, in: machine) }
    }

    /// A guest is called so by whoever started its process.
    public mutating func name(guest: String, of process: Int32) {
        machine.guests[process] = guest
    }

    /// Threads whose vCPUs sleep for a while on an interrupt, as of the last tick: what their memory holds may say why.
    public var unexplainedSleepers: [Int32] { watchers.rules.unexplainedSleepers }

    /// The findings as they stand, worst first.
    public var findings: [RuleFinding] {
        watchers.rules.findings(in: machine, fix: watchers.rules.fixState(in: machine), ended: ended)
    }
}
