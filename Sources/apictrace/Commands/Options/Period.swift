// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// How long something takes: `90` or `90s`, `10m`, `2h`, `1d`.
struct Period: ExpressibleByArgument, Equatable {
    private static let units: [Character: UInt64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
    /// A hundred years.
    private static let most: UInt64 = 36500 * 86400

    let seconds: UInt64
    var nanoseconds: UInt64 { seconds * 1_000_000_000 }

    init?(argument: String) {
        let unit = argument.last.flatMap { Self.units[$0] }
        let digits = argument.dropLast(unit == nil ? 0 : 1)
        guard digits.allSatisfy({ ("0"..."9").contains($0) }), let number = UInt64(digits), number > 0
        else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        guard !overflow, seconds <= Self.most else { return nil }
        self.seconds = seconds
    }
}
