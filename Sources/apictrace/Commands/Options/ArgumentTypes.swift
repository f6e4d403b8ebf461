// SPDX-License-Identifier: Apache-2.0
public import ArgumentParser
public import TraceCore

// A wrong value's message then lists the right ones, and shells complete them.
extension Grade: ExpressibleByArgument {}
extension RuleID: ExpressibleByArgument {}
extension InhibitPolicy: ExpressibleByArgument {}

extension Level: ExpressibleByArgument {
    public init?(argument: String) {
        guard let level = Self.allCases.first(where: { "\($0)" == argument.lowercased() }) else { return nil }
        self = level
    }

    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
}
