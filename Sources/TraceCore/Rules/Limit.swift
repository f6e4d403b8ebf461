// SPDX-License-Identifier: Apache-2.0

/// What a trace or a finding can't show: a sentence for people, and the events whose recording would show it.
///
/// The two are kept apart, so that no word of a file can get into a command that somebody is asked to run as root.
public struct Limit: Equatable, Sendable {
    public var text: String
    /// Events that would remove it; empty where no recording would.
    public var missing: EventKindSet
    /// It holds for any recording of its kind, whatever happened: no reason to doubt this one.
    public var isStanding: Bool

    public init(_ text: String, missing: EventKindSet = [], isStanding: Bool = false) {
        self.text = text
        self.missing = missing
        self.isStanding = isStanding
    }
}

extension Limit: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
