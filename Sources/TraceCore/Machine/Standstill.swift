// SPDX-License-Identifier: Apache-2.0

/// How often in a row a vCPU has come back to one instruction with nothing done: the same fault of memory that nobody
/// emulates, or an interrupt whose delivery is interrupted again each time.
public struct Standstill: Sendable {
    /// Exits in a row at one instruction.
    public struct Run: Equatable, Sendable {
        public internal(set) var rip: UInt64 = 0
        /// The address that faults, where one does.
        public internal(set) var address: UInt64 = 0
        public internal(set) var first: UInt64 = 0
        public internal(set) var last: UInt64 = 0
        public internal(set) var faults: UInt64 = 0
        public internal(set) var reinjections: UInt64 = 0
        public internal(set) var vector: UInt8 = 0
        public internal(set) var reason = ExitReason(isa: .unknown, recorded: 0)

        public var count: UInt64 { max(faults, reinjections) }
    }

    private(set) var current = Run()
    /// The longest that was long enough to tell; at most one, and nearly always none, so that it takes no room.
    private var longest: [Run] = []

    /// One exit settles a fault. Races with the MMU notifier, with a memory slot that is being moved and with other vCPUs
    /// that fault on the same page cost some retries; no recording has more than two faults in a row. A public case of a
    /// livelock in KVM's MMU has 2000.
    static let exitsNeeded: UInt64 = 100
    /// What a livelock leaves alone for so long has made progress meanwhile: its exits are microseconds apart.
    static let pauseNanoseconds: UInt64 = 10_000_000

    /// The longest run, nil where none was long enough.
    public var reported: Run? {
        let best = longest.first
        guard current.count >= Self.exitsNeeded, current.count > best?.count ?? 0 else { return best }
        return current
    }

    /// An exit at this instruction.
    @inline(__always)
    mutating func exited(at rip: UInt64) {
        guard rip != current.rip else { return }
        ends()
        current.rip = rip
    }

    mutating func faulted(at address: UInt64, _ reason: ExitReason, time: UInt64, measuresTime: Bool) {
        guard isAtKnownPlace else { return }
        if current.faults > 0, address != current.address { ends() }
        goesOn(reason, time, measuresTime)
        current.address = address
        current.faults &+= 1
    }

    mutating func reinjected(_ vector: UInt8, _ reason: ExitReason, time: UInt64, measuresTime: Bool) {
        guard isAtKnownPlace else { return }
        if current.reinjections > 0, vector != current.vector { ends() }
        goesOn(reason, time, measuresTime)
        current.vector = vector
        current.reinjections &+= 1
    }

    /// The instruction did something, or what happened meanwhile was not seen.
    @inline(__always)
    mutating func ends() {
        if current.last != 0 { finish() }
    }

    /// A guest with protected state shows 0 for every instruction.
    private var isAtKnownPlace: Bool { current.rip != 0 }

    private mutating func finish() {
        if let reported, reported != longest.first { longest = [reported] }
        current = Run(rip: current.rip)
    }

    private mutating func goesOn(_ reason: ExitReason, _ time: UInt64, _ measuresTime: Bool) {
        if measuresTime, current.last != 0, time.elapsed(since: current.last) > Self.pauseNanoseconds { ends() }
        if current.last == 0 { (current.first, current.reason) = (time, reason) }
        current.last = time
    }
}
