// SPDX-License-Identifier: Apache-2.0

/// Everything that an analysis has to say, in the shape of the JSON report: the one model that every renderer takes.
///
/// Property names are the JSON keys, version 1.1. Times are relative to ``Span/base`` in the clock's unit; vectors,
/// masks and addresses are lowercase hex strings as ``Hex`` makes them; a count is nil where the trace can't show it.
public struct Report: Codable, Equatable, Sendable {
    public var schemaVersion = Report.version
    static let version = "1.1"
    public var tool: Tool
    public var source: Source
    public var loss: Loss
    public var host: Host
    /// What the user narrowed the report down to, nil for all of it.
    @ExplicitNull public var selection: Selection?
    /// The highest grade among the findings; without one, clean or inconclusive.
    public var verdict: Grade
    /// What a verdict without findings rests on, a sentence each.
    public var reasons: [String]
    /// The highest grade first.
    public var findings: [Finding]
    public var vms: [VM]
    /// What VMs that ended and are not among those add up to; nil, and no key, where there are none.
    public var endedVMs: EndedVMs?
    /// What was noticed beside the findings; it has no grade.
    public var observations: [Observation]
    /// The texts of ``unknowns``.
    public var limits: [String]
    /// What this trace can't show, and which events would show it.
    public var unknowns: [Unknown]
    /// A line that records all of those events and those of the findings' unknowns, made of their names alone; nil where
    /// no event would help.
    @ExplicitNull public var recordCommand: String?

    /// The program that wrote the report.
    public struct Tool: Codable, Equatable, Sendable {
        public var name: String
        public var version: String

        /// This build; the one place that has the version.
        public static let current = Tool(name: "apictrace", version: "0.1.0")
    }
}
