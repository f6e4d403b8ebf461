// SPDX-License-Identifier: Apache-2.0

/// Observation `never-ran`: one vCPU was offered INIT and SIPI, and its thread did not run guest code afterwards.
///
/// Beside rule `init-sipi-race`, which needs nesting to know that a SIPI was dropped. Here only the outcome is known: the
/// VMM may have stopped the vCPU, or its thread may get no CPU.
struct StartWatch: Sendable {
    private(set) var initial: EventStamp?
    private(set) var sipis: UInt64 = 0
    private(set) var firstSIPI: UInt64 = 0
    private var lastSIPI: UInt64 = 0

    /// Guests send the second SIPI 10 ms after the first at most, and their vCPUs run a millisecond after that; on a busy
    /// host a thread may wait for its turn some ten milliseconds.
    static let nanosecondsNeeded: UInt64 = 100_000_000

    /// An entry would tell something.
    @inline(__always)
    var isWaiting: Bool { sipis > 0 }

    mutating func offered(_ mode: DeliveryMode, at stamp: EventStamp) {
        if mode == .`init` {
            if initial == nil { initial = stamp }
        } else if mode == .sipi, initial != nil {
            if sipis == 0 { firstSIPI = stamp.time }
            sipis &+= 1
            lastSIPI = stamp.time
        }
    }

    /// The vCPU runs, or events of it may have been lost.
    mutating func ends() {
        self = StartWatch()
    }

    /// How long the vCPU has not run since the latest SIPI, where that is long enough to tell.
    func waited(until now: UInt64) -> UInt64? {
        let waited = now.elapsed(since: lastSIPI)
        return isWaiting && waited >= Self.nanosecondsNeeded ? waited : nil
    }
}
