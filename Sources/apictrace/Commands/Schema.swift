// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema (draft 2020-12) of the JSON report, or of another command's JSON.",
        discussion: """
            EXAMPLE:
              apictrace schema > apictrace.schema.json
              apictrace analyze --json trace.dat > report.json
              python3 -m jsonschema -i report.json apictrace.schema.json
            """)

    enum Subject: String, EnumerableFlag {
        case analyze, diff, live, events, doctor

        static func help(for value: Self) -> ArgumentHelp? {
            switch value {
            case .analyze: "An object of analyze --json."
            case .diff: "The object of diff --json."
            case .live: "A line of live --json."
            case .events: "A line of events --json."
            case .doctor: "The object of doctor --json."
            }
        }
    }

    @Flag(exclusivity: .exclusive) var subject = Subject.analyze

    func run() {
        let schema =
            switch subject {
            case .analyze: Report.schema
            case .diff: Comparison.schema
            case .live: Report.lineSchema
            case .events: EventListing.schema
            case .doctor: Examination.schema
            }
        Terminal.output(schema + "\n")
    }
}
