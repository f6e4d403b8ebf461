// SPDX-License-Identifier: Apache-2.0
import Testing
import TraceCore

@testable import apictrace

@Suite struct TimeBoundTests {
    private let local = TraceClock(name: "local", unit: .nanoseconds)
    private let boot = TraceClock(name: "boot", unit: .nanoseconds)
    private let tsc = TraceClock(name: "x86-tsc", unit: .ticks)

    @Test func `six digits stand for all times that trace-cmd rounds to them`() throws {
        let bound = try #require(TimeBound(argument: "1.953829"))
        #expect(try bound.earliest(on: local) == 1_953_828_500)
        #expect(try bound.latest(on: local) == 1_953_829_500)
        #expect(try TimeBound(argument: "0.000000")?.earliest(on: local) == 0)
    }

    @Test func `other seconds are exact`() throws {
        #expect(try TimeBound(argument: "1.953828751")?.earliest(on: local) == 1_953_828_751)
        #expect(try TimeBound(argument: "72.3")?.latest(on: local) == 72_300_000_000)
        #expect(try TimeBound(argument: "72")?.latest(on: local) == 72_000_000_000)
    }

    @Test func `bare numbers are what clocks without seconds are printed as`() throws {
        #expect(try TimeBound(argument: "1795029188032")?.earliest(on: boot) == 1_795_029_188_032)
        #expect(try TimeBound(argument: "1795029188032")?.latest(on: tsc) == 1_795_029_188_032)
        #expect(try TimeBound(argument: "1.5")?.latest(on: boot) == 1_500_000_000)
    }

    @Test func `a plus counts from the trace's begin, in seconds as the report does`() throws {
        let bound = try #require(TimeBound(argument: "+1.5"))
        #expect(try bound.earliest(on: local, begin: 70_000_000_000) == 71_500_000_000)
        #expect(try TimeBound(argument: "+2")?.latest(on: boot, begin: 70_000_000_000) == 72_000_000_000)
        #expect(try TimeBound(argument: "+2")?.latest(on: tsc, begin: 70) == 72)
        #expect(throws: TimeBoundError.self) { try bound.latest(on: local, begin: .max) }
    }

    @Test func `times that a clock can't have are refused`() throws {
        let fraction = try #require(TimeBound(argument: "1.5"))
        #expect(throws: TimeBoundError.self) { try fraction.earliest(on: tsc) }
        let century = try #require(TimeBound(argument: "18446744074"))
        #expect(throws: TimeBoundError.self) { try century.earliest(on: local) }
        let end = try #require(TimeBound(argument: "18446744073.709552"))
        #expect(throws: TimeBoundError.self) { try end.latest(on: local) }
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "+", "++1", "1.2.3", "1.0123456789", "1e3", "0x1", " 1", "99999999999999999999",
    ])
    func `what is no time is refused`(argument: String) {
        #expect(TimeBound(argument: argument) == nil)
    }
}
