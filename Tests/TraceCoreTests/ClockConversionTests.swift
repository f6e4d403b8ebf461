// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TraceCore

@Suite struct ClockConversionTests {
    @Test(
        arguments: [
            (1 << 62, 3, 0, 0, 3 << 62), (1 << 62, 1 << 31, 31, 0, 1 << 62), (1 << 60, 1 << 10, 64, 0, 1 << 6),
            (1 << 60, 1 << 10, 66, 0, 1 << 4), (UInt64.max, .max, 200, 0, 0), (100, 0, 9, -1, 99), (0, 0, 0, -1, .max),
        ] as [(UInt64, UInt32, UInt32, Int64, UInt64)])
    func `products have 128 bits, and no shift traps`(
        raw: UInt64, multiplier: UInt32, shift: UInt32, offset: Int64, time: UInt64
    ) {
        #expect(ClockConversion(multiplier: multiplier, shift: shift, offset: offset).time(raw) == time)
    }

    @Test(arguments: [
        ("local", TraceClock.Unit.nanoseconds), ("boot", .nanoseconds), ("x86-tsc", .ticks), ("uptime", .ticks),
        ("counter", .none), ("ppc-tb", .ticks),
    ])
    func `a clock's unit goes by its name`(name: String, unit: TraceClock.Unit) {
        #expect(TraceClock(name, isConverted: false).unit == unit)
    }
}
