// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

extension Report {
    /// The JSON report for people, one object with sorted keys and no newline at its end: the same report gives the same bytes.
    public func json() throws -> String {
        try ReportLine(type: "report", body: self).text(isPretty: true)
    }

    /// The same without line breaks.
    public func line() throws -> String {
        try ReportLine(type: "report", body: self).text()
    }

    public init(json: String) throws {
        self = try JSONDecoder().decode(Report.self, from: Data(json.utf8))
    }

    /// All that `analyze --json --quiet` says of a file.
    public func verdictObject() throws -> String {
        try ReportLine(
            type: "verdict",
            body: Short(path: source.path, verdict: verdict, text: verdictLine, selection: selection)
        ).text()
    }

    private struct Short: Encodable {
        var schemaVersion = Report.version
        @ExplicitNull var path: String?
        var verdict: Grade
        var text: String
        @ExplicitNull var selection: Selection?
    }

    /// What stands in a report's place where a file can't be read.
    public struct Failure: Encodable {
        private var schemaVersion: String
        @ExplicitNull private var path: String?
        private var error: String

        /// - Parameter path: as the user gives it, `-` for standard input.
        public init(path: String, error: String) {
            self.init(path: path, error: error, schemaVersion: Report.version)
        }

        /// - Parameter schemaVersion: of what it stands for.
        init(path: String, error: String, schemaVersion: String) {
            _path = ExplicitNull(wrappedValue: path == "-" ? nil : path)
            self.error = error
            self.schemaVersion = schemaVersion
        }

        public func line() throws -> String {
            try ReportLine(type: "error", body: self).text()
        }
    }
}
