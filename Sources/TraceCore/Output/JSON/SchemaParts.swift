// SPDX-License-Identifier: Apache-2.0

/// What the schemas of several commands have in common.
enum SchemaParts {
    /// The begin of a schema of objects that their `type` tells apart: one that says all, a short one, which `--quiet` prints, and one
    /// that stands in their place where a file can't be read. Each is among the definitions, the last two as `verdictObject` and
    /// `errorObject` are.
    ///
    /// - Parameter name: what ends the schema's own.
    static func head(name: String, title: String, description: String, whole: String, short: String) -> String {
        #"""
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "\#(Report.schemaHome)\#(name)",
        "title": "\#(title)",
        "description": "\#(description)",
        "type": "object",
        "required": ["type"],
        "properties": { "type": { "enum": ["\#(whole)", "\#(short)", "error"] } },
        "allOf": [
          { "if": { "properties": { "type": { "const": "\#(short)" } } }, "then": { "$ref": "#/$defs/\#(short)Object" } },
          { "if": { "properties": { "type": { "const": "error" } } }, "then": { "$ref": "#/$defs/errorObject" } },
          { "if": { "properties": { "type": { "not": { "enum": ["\#(short)", "error"] } } } }, "then": { "$ref": "#/$defs/\#(whole)" } }
        ],
        """#
    }

    /// - Parameter version: of the schema that it is part of.
    static func errorObject(version: String) -> String {
        #"""
        "errorObject": {
          "type": "object",
          "additionalProperties": false,
          "required": ["type", "schemaVersion", "path", "error"],
          "properties": {
            "type": { "const": "error" },
            "schemaVersion": { "const": "\#(version)" },
            "path": { "type": ["string", "null"] },
            "error": { "type": "string", "minLength": 1 }
          }
        },
        """#
    }

    /// The program that wrote it.
    static let tool = #"""
        "tool": {
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "version"],
          "properties": { "name": { "const": "apictrace" }, "version": { "type": "string", "minLength": 1 } }
        },
        """#
}

extension String {
    /// Each line of it, for a place within another text.
    func indented(_ columns: Int) -> String {
        let lead = String(repeating: " ", count: columns)
        return split(separator: "\n", omittingEmptySubsequences: false).map { lead + $0 }.joined(separator: "\n")
    }
}
