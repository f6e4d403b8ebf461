// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// An object of JSON output: with a `type` beside its own keys (see ``Report/schema`` and ``Report/lineSchema``).
struct ReportLine<Body: Encodable>: Encodable {
    let type: String
    let body: Body

    private enum Key: CodingKey {
        case type
    }

    func encode(to encoder: any Encoder) throws {
        try body.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(type, forKey: .type)
    }

    /// - Parameter isPretty: over many lines.
    func text(isPretty: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(self), as: UTF8.self).escapedJSON
    }
}

extension Report.Finding {
    /// The finding as a line of `live --json`, without line breaks.
    public func line() throws -> String {
        try ReportLine(type: "finding", body: self).text()
    }
}

extension Report {
    /// How a live trace stands: a line of `live --json`, about once a second.
    public struct Summary: Encodable, Equatable, Sendable {
        /// Nanoseconds since the base that findings' times count from.
        public var time: UInt64
        public var verdict: Grade
        /// Hits of all tracepoints since the start.
        public var events: UInt64
        public var perSecond: UInt64
        /// Records that found no room.
        public var dropped: UInt64
        public var vms: Int
        public var vcpus: Int

        public init(
            time: UInt64, verdict: Grade, events: UInt64, perSecond: UInt64, dropped: UInt64, vms: Int, vcpus: Int
        ) {
            self.time = time
            self.verdict = verdict
            self.events = events
            self.perSecond = perSecond
            self.dropped = dropped
            self.vms = vms
            self.vcpus = vcpus
        }

        /// Without line breaks.
        public func line() throws -> String {
            try ReportLine(type: "summary", body: self).text()
        }
    }
}
