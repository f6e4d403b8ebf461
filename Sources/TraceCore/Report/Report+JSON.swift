// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

extension Report {
    /// The JSON report, one object with sorted keys and no newline at its end: the same report gives the same bytes.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self).escapedJSON
    }

    /// The report as the last line of `live --json`: with a `type`, without line breaks.
    public func line() throws -> String {
        try ReportLine(type: "report", body: self).text()
    }

    public init(json: String) throws {
        self = try JSONDecoder().decode(Report.self, from: Data(json.utf8))
    }
}
