// SPDX-License-Identifier: Apache-2.0

extension Report {
    /// What the names of this version's schemas begin with.
    static let schemaHome = "urn:apictrace:schema:1.3:"

    /// The JSON Schema (draft 2020-12) of version 1.3, as `apictrace schema` prints it: of an object of `analyze --json`.
    ///
    /// Strict, so that a test notices what a reader of reports would stumble on. A change to it is a change of version.
    /// Rule ids are left open: a new rule is no new version.
    public static let schema = #"""
        {
        \#(SchemaParts.head(
            name: "report", title: "apictrace report",
            description: "A report; of a file that can't be read an error, with --quiet a verdict. Times count from source.span.base in the clock's unit. A count is null where the trace can't show it.",
            whole: "report", short: "verdict"
        ).indented(2))
          "$defs": {
            "report": {
        \#(report(LineType("report")).indented(6))
            },
            "verdictObject": {
              "type": "object",
              "additionalProperties": false,
              "required": ["type", "schemaVersion", "path", "verdict", "text", "selection"],
              "properties": {
                "type": { "const": "verdict" },
                "schemaVersion": { "const": "\#(version)" },
                "path": { "type": ["string", "null"] },
                "verdict": { "$ref": "#/$defs/grade" },
                "text": { "type": "string", "minLength": 1 },
                "selection": { "$ref": "#/$defs/selection" }
              }
            },
        \#(SchemaParts.errorObject(version: version).indented(4))
            "finding": {
        \#(finding(LineType()).indented(6))
            },
        \#(definitions.indented(4))
          }
        }
        """#

    /// The JSON Schema of one line of `live --json`: the report's with a `type`, and what comes before it.
    public static let lineSchema = #"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\#(schemaHome)live",
          "title": "a line of apictrace live --json",
          "description": "The last line is of type report. Times count from its source.span.base, in nanoseconds. A finding comes again when its grade has risen; its id stays.",
          "type": "object",
          "required": ["type"],
          "oneOf": [
            { "$ref": "#/$defs/findingLine" },
            { "$ref": "#/$defs/summaryLine" },
            { "$ref": "#/$defs/reportLine" }
          ],
          "$defs": {
            "findingLine": {
        \#(finding(LineType("finding")).indented(6))
            },
            "summaryLine": {
              "type": "object",
              "additionalProperties": false,
              "required": ["type", "time", "verdict", "events", "perSecond", "dropped", "vms", "vcpus"],
              "properties": {
                "type": { "const": "summary" },
                "time": { "$ref": "#/$defs/natural" },
                "verdict": { "$ref": "#/$defs/grade" },
                "events": { "$ref": "#/$defs/natural" },
                "perSecond": { "$ref": "#/$defs/natural" },
                "dropped": { "$ref": "#/$defs/natural" },
                "vms": { "$ref": "#/$defs/natural" },
                "vcpus": { "$ref": "#/$defs/natural" }
              }
            },
            "reportLine": {
        \#(report(LineType("report")).indented(6))
            },
            "finding": {
        \#(finding(LineType()).indented(6))
            },
        \#(definitions.indented(4))
          }
        }
        """#

    /// The `type` that tells objects apart, and that a finding within a report lacks.
    private struct LineType {
        /// In a list of required names.
        var name = ""
        var property = ""

        init() {}

        init(_ type: String) {
            name = #""type", "#
            property = "\n    \"type\": { \"const\": \"\(type)\" },"
        }
    }

    private static func report(_ type: LineType) -> String {
        #"""
        "type": "object",
        "additionalProperties": false,
        "required": [\#(type.name)"schemaVersion", "tool", "source", "loss", "host", "selection", "verdict", "reasons",
          "findings", "vms", "observations", "limits", "unknowns", "recordCommand"],
        "properties": {\#(type.property)
          "schemaVersion": { "const": "\#(version)" },
        \#(SchemaParts.tool.indented(2))
          "source": { "$ref": "#/$defs/source" },
          "loss": { "$ref": "#/$defs/loss" },
          "host": { "$ref": "#/$defs/host" },
          "selection": { "$ref": "#/$defs/selection" },
          "verdict": { "$ref": "#/$defs/grade" },
          "reasons": { "$ref": "#/$defs/strings" },
          "findings": { "type": "array", "items": { "$ref": "#/$defs/finding" } },
          "vms": { "type": "array", "items": { "$ref": "#/$defs/vm" } },
          "endedVMs": { "$ref": "#/$defs/endedVMs" },
          "whatIf": { "$ref": "#/$defs/whatIf" },
          "observations": { "type": "array", "items": { "$ref": "#/$defs/observation" } },
          "limits": { "$ref": "#/$defs/strings" },
          "unknowns": { "$ref": "#/$defs/unknowns" },
          "recordCommand": { "type": ["string", "null"], "pattern": "^trace-cmd record -b [0-9]+( -e [a-z0-9_:]+)+$" }
        }
        """#
    }

    private static func finding(_ type: LineType) -> String {
        #"""
        "type": "object",
        "additionalProperties": false,
        "required": [\#(type.name)
          "id", "rule", "grade", "vm", "vcpu", "first", "last", "count", "inferred", "registers", "vectors", "stuck",
          "crossings", "symptoms", "evidenceTotal", "evidence", "explanation", "advice", "references", "limits",
          "unknowns"
        ],
        "properties": {\#(type.property)
          "id": { "type": "string", "minLength": 1 },
          "rule": { "$ref": "#/$defs/rule" },
          "grade": { "$ref": "#/$defs/grade" },
          "vm": { "$ref": "#/$defs/naturalOrNull" },
          "vcpu": { "$ref": "#/$defs/naturalOrNull" },
          "first": { "$ref": "#/$defs/natural" },
          "last": { "$ref": "#/$defs/natural" },
          "count": { "$ref": "#/$defs/natural" },
          "inferred": { "type": "boolean" },
          "registers": { "$ref": "#/$defs/registers" },
          "vectors": { "type": "array", "items": { "$ref": "#/$defs/vector" } },
          "stuck": { "type": "array", "items": { "$ref": "#/$defs/vector" } },
          "crossings": { "type": "array", "items": { "$ref": "#/$defs/crossing" } },
          "symptoms": { "type": "array", "items": { "$ref": "#/$defs/rule" } },
          "evidenceTotal": { "$ref": "#/$defs/natural" },
          "evidence": { "type": "array", "items": { "$ref": "#/$defs/evidence" } },
          "explanation": { "type": "string", "minLength": 1 },
          "advice": { "type": "string", "minLength": 1 },
          "references": { "$ref": "#/$defs/strings" },
          "limits": { "$ref": "#/$defs/strings" },
          "unknowns": { "$ref": "#/$defs/unknowns" }
        }
        """#
    }
}
