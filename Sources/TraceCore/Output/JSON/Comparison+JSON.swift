// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

extension Comparison {
    /// One object with sorted keys, without line breaks: the same comparison gives the same bytes.
    public func line() throws -> String {
        try ReportLine(type: "comparison", body: self).text()
    }

    public init(json: String) throws {
        self = try JSONDecoder().decode(Comparison.self, from: Data(json.utf8))
    }

    /// All that `diff --json --quiet` says.
    public func outcomeObject() throws -> String {
        try ReportLine(type: "outcome", body: Short(a: a.path, b: b.path, outcome: outcome, text: outcomeLine)).text()
    }

    private struct Short: Encodable {
        var schemaVersion = Comparison.version
        @ExplicitNull var a: String?
        @ExplicitNull var b: String?
        var outcome: Outcome
        var text: String
    }

    /// What stands in a comparison's place where one of the files can't be read.
    ///
    /// - Parameter path: as the user gives it, `-` for standard input.
    public static func failure(path: String, error: String) throws -> String {
        try Report.Failure(path: path, error: error, schemaVersion: version).line()
    }
}
