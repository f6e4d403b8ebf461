// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TraceCore

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the JSON Schema (draft 2020-12) of the JSON report.",
        discussion: """
            EXAMPLE:
              apictrace schema > apictrace.schema.json
              apictrace analyze --json trace.dat > report.json
              python3 -m jsonschema -i report.json apictrace.schema.json
            """)

    @Flag(help: "The schema of a line of live --json instead.")
    var live = false

    func run() {
        Terminal.output((live ? Report.lineSchema : Report.schema) + "\n")
    }
}
