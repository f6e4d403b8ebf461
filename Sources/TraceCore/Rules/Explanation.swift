// SPDX-License-Identifier: Apache-2.0

/// One page about a rule: what happens in KVM, how a trace shows it, and what to do about it.
///
/// Plain text; a blank line parts paragraphs, lines that begin with a blank keep their form. Findings take `summary`,
/// `advice` and `references` from here. Commits and versions are those of mainline and of the stable trees.
public struct Explanation: Equatable, Sendable {
    /// One line, for lists.
    public var title: String
    /// What a finding of this rule says, in a sentence or two.
    public var summary: String
    public var mechanism: String
    /// The events that show it, by their literal names.
    public var signature: String
    public var affected: String
    public var fix: String
    public var advice: String
    /// Without a format for each of these the rule can't be judged.
    public var requiredEvents: EventKindSet
    public var references: [String]
}
