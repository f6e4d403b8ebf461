// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

/// What counts as time in which a vCPU could have taken an interrupt, in microseconds.
@Suite struct RunClockTests {
    /// Entered at 0, out at `exited`, in again at `entered`.
    private func clock(exited: UInt64, entered: UInt64, slept: Bool = false) -> (awake: UInt64, total: UInt64) {
        var clock = RunClock()
        clock.entered(at: 0, exited: 0, slept: false)
        clock.entered(at: entered * 1000, exited: exited * 1000, slept: slept)
        return (clock.awake / 1000, clock.total / 1000)
    }

    @Test func `the guest's own run, and what handling its exit takes`() {
        #expect(clock(exited: 500, entered: 600) == (600, 600))
    }

    @Test func `a vCPU that the host doesn't run waits for nothing`() {
        #expect(clock(exited: 500, entered: 90_000) == (1500, 1500))
    }

    @Test func `a HLT counts as sleep`() {
        #expect(clock(exited: 500, entered: 90_000, slept: true) == (1500, 90_000))
        #expect(clock(exited: 500, entered: 900_000, slept: true) == (1500, 200_500))
    }

    @Test func `a run of more than 200 ms is a VM that was paused`() {
        #expect(clock(exited: 3_000_000, entered: 3_000_100) == (200_100, 200_100))
    }

    @Test func `nothing counts before the first entry, nor over a time in which nobody looked`() {
        var clock = RunClock()
        clock.entered(at: 5_000_000, exited: 1_000_000, slept: false)
        #expect(
            clock
                == {
                    var other = RunClock()
                    other.entered(at: 5_000_000, exited: 0, slept: true)
                    return other
                }())
        clock.stops()
        clock.entered(at: 9_000_000, exited: 8_000_000, slept: false)
        #expect((clock.awake, clock.total) == (0, 0))
    }

    @Test func `clocks that differ add nothing`() {
        #expect(clock(exited: 0, entered: 0) == (0, 0))
        var clock = RunClock()
        clock.entered(at: 5_000_000, exited: 0, slept: false)
        clock.entered(at: 6_000_000, exited: 4_000_000, slept: false)
        #expect(clock.awake == 1_000_000)
    }
}
